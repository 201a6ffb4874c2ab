from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commandline import Commandline
from freellm.administration.limits import limits_of
from freellm.declarations import Model, Quota
from freellm.store import Store

GROQ = "gsk_0123456789abcdef"


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    """A command line with Groq's key and nobody else's."""
    return Commandline(tmp_path, GROQ_API_KEY=GROQ)


def order(line: Commandline) -> list[str]:
    return [row["model"] for row in line.document("fallback", "list")["order"]]


def states(line: Commandline, *arguments: str) -> dict[str, str]:
    return {row["model"]: row["state"] for row in line.document("models", "list", *arguments)["models"]}


def test_models_are_listed_with_their_place_limits_and_state(line: Commandline) -> None:
    rows = line.document("models", "list", "--provider", "groq")["models"]
    assert [row["place"] for row in rows if row["place"]] == list(range(1, len(order(line)) + 1))
    best = rows[0]
    assert (best["model"], best["state"], best["status"]) == ("openai/gpt-oss-120b", "on", "active")
    assert best["limits"] == [
        "30 requests/min",
        "1,000 requests/day",
        "8,000 tokens/min",
        "200,000 tokens/day",
    ]
    table = line.run("models", "list", "--provider", "groq").stdout
    assert "30 requests/min, 1,000 requests/day" in table


def test_a_model_without_a_key_says_how_to_get_one_and_has_no_place(line: Commandline) -> None:
    rows = line.document("models", "list", "--provider", "google")["models"]
    assert {row["state"] for row in rows} == {"no key"}
    assert {row["place"] for row in rows} == {None}
    assert {row["why"] for row in rows} == {"freellm keys add google"}


def test_a_classifier_is_on_and_has_no_place(line: Commandline) -> None:
    (row,) = line.document("models", "list", "-q", "safeguard")["models"]
    assert (row["state"], row["place"]) == ("on", None)
    assert "classifier" in row["why"]


def test_models_that_make_embeddings_say_so_and_have_no_place(tmp_path: Path) -> None:
    line = Commandline(tmp_path, GEMINI_API_KEY="AIza0123456789abcdefghij")
    rows = {row["model"]: row for row in line.document("models", "list", "--task", "embeddings")["models"]}
    maker = rows["gemini-embedding-001"]
    assert (maker["task"], maker["state"], maker["place"]) == ("embeddings", "on", None)
    assert (maker["dimensions"][0], maker["max_inputs"], maker["abilities"]) == (3072, 100, [])
    assert "makes embeddings" in maker["why"]
    assert "embeddings of 3072" in line.run("models", "list", "-q", "gemini-embedding").stdout
    assert not set(rows) & set(states(line, "--task", "chat"))
    assert not set(rows) & set(states(line, "--ability", "system"))
    assert not set(rows) & set(order(line))
    line.run("models", "disable", "gemini-embedding-001")
    assert states(line, "--task", "embeddings")["gemini-embedding-001"] == "off"
    assert "order is one of models that chat" in line.refused("fallback", "move", "gemini-embedding-2", "1")


def test_models_that_are_off_are_listed_on_request_with_the_reason(line: Commandline) -> None:
    assert "off" not in states(line).values()
    rows = {row["model"]: row for row in line.document("models", "list", "--all")["models"]}
    retired = rows["llama-3.3-70b-versatile"]
    assert (retired["state"], retired["status"]) == ("off", "retired")
    assert "retired by the provider" in retired["why"]


def test_models_are_filtered_by_provider_ability_and_text(line: Commandline) -> None:
    rows = line.document("models", "list", "--ability", "vision", "--ability", "tools")["models"]
    assert rows
    assert all({"vision", "tools"} <= set(row["abilities"]) for row in rows)
    assert set(states(line, "-q", "OSS-20B", "--provider", "groq")) == {"openai/gpt-oss-20b"}
    assert "did you mean groq?" in line.refused("models", "list", "--provider", "grop")
    assert "No model is like that" in line.run("models", "list", "-q", "xyzzy").stdout


def test_a_limit_of_the_settings_stands_in_place_of_the_declared_one(line: Commandline) -> None:
    line.data.mkdir(parents=True)
    (line.data / "config.toml").write_text('[limits.groq."openai/gpt-oss-120b"]\nrpm = 60\n')
    (row,) = line.document("models", "list", "-q", "groq/openai/gpt-oss-120b")["models"]
    assert row["limits"][0] == "60 requests/min"


def test_limits_are_told_in_words() -> None:
    model = Model(id="m", family="f", source="here", checked="2026-01-01")
    quotas = [
        Quota(unit="requests", limit=None, window=60, members=("m",), source="s", checked="c"),
        Quota(unit="neurons", limit=10_000, window=86_400, source="s", checked="c"),
        Quota(
            unit="tokens",
            limit=1e9,
            window=2_678_400,
            clock="month",
            members=("m", "n"),
            source="s",
            checked="c",
        ),
        Quota(unit="concurrent", limit=2, window=None, members=("m",), source="s", checked="c"),
        Quota(unit="requests", limit=5, window=10, members=("m",), source="s", checked="c"),
        Quota(unit="tokens", limit=9, window=18_000, members=("m",), source="s", checked="c"),
        Quota(unit="requests", limit=5, window=60, members=("n",), source="s", checked="c"),
    ]
    assert limits_of(model, quotas, {}) == [
        "an unknown number of requests/min",
        "10,000 neurons/day for all models",
        "1,000,000,000 tokens/month shared",
        "2 at once",
        "5 requests/10 s",
        "9 tokens/5 h",
    ]


@pytest.mark.parametrize("name", ["openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"])
def test_a_model_is_switched_off_and_on_again(line: Commandline, name: str) -> None:
    with Store(line.data) as store:
        before = store.data_version()
        assert "groq/openai/gpt-oss-120b is off." in line.run("models", "disable", name).stdout
        assert store.data_version() != before
    assert "openai/gpt-oss-120b" not in order(line)
    (row,) = line.document("models", "list", "-q", "groq/openai/gpt-oss-120b")["models"]
    assert (row["state"], row["why"]) == ("off", "switched off")
    line.run("models", "enable", name)
    assert order(line)[0] == "openai/gpt-oss-120b"


def test_switching_on_what_is_on_by_itself_leaves_no_decision_behind(line: Commandline) -> None:
    line.run("models", "disable", "groq/openai/gpt-oss-20b")
    line.run("models", "enable", "groq/openai/gpt-oss-20b")
    with Store(line.data) as store:
        assert store.models.overrides() == {}


def test_a_family_is_switched_whole(line: Commandline) -> None:
    told = line.document("models", "disable", "gpt-oss-120b")
    assert {row["provider"] for row in told["models"]} >= {"groq", "cloudflare"}
    assert {row["state"] for row in told["models"]} == {"off"}


def test_a_family_is_switched_on_as_far_as_it_can_answer(line: Commandline) -> None:
    line.run("models", "disable", "gpt-oss-20b")
    told = line.run("models", "enable", "gpt-oss-20b").stdout
    assert "groq/openai/gpt-oss-20b is on.\n" in told
    assert (
        "openrouter/openai/gpt-oss-20b:free stays off: retired by the provider; its own name switches it on."
        in told
    )
    rows = line.document("models", "enable", "gpt-oss-20b")["models"]
    assert "openrouter" not in {row["provider"] for row in rows}


@pytest.mark.parametrize("name", ["openai/gpt-oss-20b:free", "openrouter/openai/gpt-oss-20b:free"])
def test_a_retired_model_is_switched_on_by_its_own_name_and_alone(line: Commandline, name: str) -> None:
    told = line.run("models", "enable", name).stdout
    assert "openrouter/openai/gpt-oss-20b:free is on, although retired by the provider" in told
    with Store(line.data) as store:
        assert list(store.models.overrides()) == [("openrouter", "openai/gpt-oss-20b:free")]
    line.run("models", "enable", "gpt-oss-20b")
    with Store(line.data) as store:
        assert ("openrouter", "openai/gpt-oss-20b:free") in store.models.overrides(), "what is on stays on"


def test_a_family_that_nobody_serves_any_more_is_not_switched_on(line: Commandline) -> None:
    sentence = line.refused("models", "enable", "gpt-5")
    assert "github/openai/gpt-5 (retired by the provider)" in sentence
    with Store(line.data) as store:
        assert store.models.overrides() == {}


def test_a_model_that_is_off_by_default_is_switched_on_by_hand(line: Commandline) -> None:
    told = line.run("models", "enable", "llama-3.3-70b-versatile").stdout
    assert "llama-3.3-70b-versatile is on, although retired by the provider.\n" in told
    assert states(line)["llama-3.3-70b-versatile"] == "on"
    assert "llama-3.3-70b-versatile" in order(line)


def test_switching_on_without_a_key_says_that_one_is_needed(line: Commandline) -> None:
    told = line.run("models", "enable", "google/gemini-2.5-flash").stdout
    assert "has no key: freellm keys add google" in told


@pytest.mark.parametrize("command", [["models", "enable"], ["models", "disable"], ["fallback", "move"]])
def test_an_unknown_model_is_answered_by_the_three_nearest(line: Commandline, command: list[str]) -> None:
    position = ["1"] if "move" in command else []
    sentence = line.refused(*command, "gpt-oss-120", *position)
    near = sentence.partition("near it are ")[2].split(", ")
    assert near[0] == "gpt-oss-120b"
    assert len(near) == 3


def test_the_order_is_by_intelligence_at_first(line: Commandline) -> None:
    rows = line.document("fallback", "list")["order"]
    ranks = [row["intelligence_rank"] or 1_000 for row in rows]
    assert ranks == sorted(ranks)
    assert not any(row["by_hand"] for row in rows)


def test_without_a_key_the_order_is_empty_and_says_why(tmp_path: Path) -> None:
    line = Commandline(tmp_path)
    assert "no provider has a key" in line.run("fallback", "list").stdout
    assert line.document("fallback", "list") == {"order": []}


def test_a_moved_model_has_its_place_and_only_what_must_has_one(line: Commandline) -> None:
    last = order(line)[-1]
    told = line.document("fallback", "move", last, "1")
    assert told["order"][0]["model"] == last
    assert [row["by_hand"] for row in told["order"]] == [True] + [False] * (len(told["order"]) - 1)
    assert "within a second" not in line.run("fallback", "list").stdout


def test_a_model_that_is_not_tried_gets_its_place_and_a_remark(line: Commandline) -> None:
    moved = line.run("fallback", "move", "google/gemini-2.5-flash", "1")
    assert "is not tried for now: no key; freellm keys add google" in moved.stderr
    line.variables["GEMINI_API_KEY"] = "AIzaSyCanary-0123456789"
    assert order(line)[0] == "gemini-2.5-flash"


def test_a_name_of_several_models_is_not_moved(line: Commandline) -> None:
    sentence = line.refused("fallback", "move", "gpt-oss-120b", "1")
    assert "groq/openai/gpt-oss-120b" in sentence
    assert "cloudflare/" in sentence


@pytest.mark.parametrize("position", ["0", "-1", "first"])
def test_a_place_is_counted_from_one(line: Commandline, position: str) -> None:
    line.run("fallback", "move", "qwen/qwen3.8-27b", "--", position, exit_code=2)


def test_sorting_by_speed_sorts_by_speed_and_reset_brings_the_old_order_back(line: Commandline) -> None:
    line.variables["GEMINI_API_KEY"] = "AIzaSyCanary-0123456789"
    before = order(line)
    rows = line.document("fallback", "sort", "speed")["order"]
    ranks = [(row["speed_rank"] or 1_000, row["intelligence_rank"] or 1_000) for row in rows]
    assert ranks == sorted(ranks)
    assert [row["model"] for row in rows] != before
    assert [row["model"] for row in line.document("fallback", "sort", "reset")["order"]] == before
    line.run("fallback", "sort", "speed")
    assert [row["model"] for row in line.document("fallback", "sort", "intelligence")["order"]] == before


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), max_size=4))
def test_moves_do_to_the_order_what_they_do_to_a_list(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, int]]
) -> None:
    line = Commandline(tmp_path_factory.mktemp("moves"), GROQ_API_KEY=GROQ)
    expected = order(line)
    for index, position in moves:
        model = expected.pop(index)
        expected.insert(position - 1, model)
        told = line.document("fallback", "move", f"groq/{model}", str(position))
        assert [row["model"] for row in told["order"]] == expected


def test_several_models_are_put_in_an_order_at_once(line: Commandline) -> None:
    rows = line.document("fallback", "list")["order"]
    before = [f"{row['provider']}/{row['model']}" for row in rows]
    told = line.document("fallback", "set", before[-1], before[1])["order"]
    after = [f"{row['provider']}/{row['model']}" for row in told]
    assert after == [before[-1], before[1], before[0], *before[2:-1]]
    assert "is named twice" in line.refused("fallback", "set", before[0], before[0])
