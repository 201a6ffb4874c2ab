"""`freellm profiles`: what can be made, what is refused and how, and that a list shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import Commandline
from freellm.profiles import Profile
from freellm.store import Store


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    """A command line with Groq's key and nobody else's."""
    return Commandline(tmp_path, GROQ_API_KEY="gsk_0123456789abcdef")


def names(line: Commandline) -> list[str]:
    return [row["name"] for row in line.document("profiles")["profiles"]]


def test_a_profile_is_added_listed_replaced_and_removed(line: Commandline) -> None:
    assert "freellm profiles add NAME" in line.run("profiles").stdout
    added = line.run(
        "profiles", "add", "coding", "--models", "gpt-oss-120b, gpt-oss-20b", "--abilities", "tools"
    )
    assert "added auto:coding; a running server picks this up within a second" in added.stderr
    assert "gpt-oss-120b, gpt-oss-20b" in added.stdout
    (row,) = line.document("profiles", "list")["profiles"]
    assert (row["models"], row["abilities"], row["from"]) == (
        ["gpt-oss-120b", "gpt-oss-20b"],
        ["tools"],
        "command line",
    )
    replaced = line.run("profiles", "add", "coding", "--strategy", "fast", "--only", "groq,google")
    assert "replaced auto:coding" in replaced.stderr
    with Store(line.data) as store:
        assert store.profiles.all() == {"coding": Profile(strategy="fast", only=("groq", "google"))}
    assert line.document("profiles", "remove", "coding") == {"profiles": []}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["coding"], "say who may answer: --models, --strategy"),
        (["Coding", "--only", "groq"], "'Coding' is no name: use up to 50 lower-case letters"),
        (["fast", "--only", "groq"], "there is a strategy of that name"),
        (["coding", "--strategy", "fats"], "no strategy 'fats'; near it are fast"),
        (["coding", "--only", "gorq"], "no provider is called 'gorq'; near it are groq"),
        (["coding", "--models", "gpt-oss-121b"], "no model 'gpt-oss-121b'; near it are"),
        (["coding", "--models", "auto:fast"], "'auto' and profiles are no models"),
        (["coding", "--abilities", "tool"], "--abilities: Input should be 'tools'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    line: Commandline, arguments: list[str], sentence: str
) -> None:
    assert sentence in line.refused("profiles", "add", *arguments)
    assert names(line) == []


def test_an_unknown_profile_is_answered_with_the_near_ones(line: Commandline) -> None:
    line.run("profiles", "add", "coding", "--strategy", "fast")
    assert "near it are coding" in line.refused("profiles", "remove", "codin")


def test_a_model_that_is_not_tried_for_now_is_taken_and_said_so(line: Commandline) -> None:
    note = line.run("profiles", "add", "later", "--models", "google/gemini-3.5-flash").stderr
    assert "not tried for now: no key; freellm keys add google" in note


def test_the_settings_profiles_are_listed_and_changed_there_only(line: Commandline) -> None:
    line.data.mkdir(parents=True)
    (line.data / "config.toml").write_text(
        "[profiles.night]\nmodels = ['gpt-oss-20b']\n[strategies.mine]\nspeed = 1\n", "utf-8"
    )
    line.run("profiles", "add", "own", "--strategy", "mine")
    rows = line.document("profiles")["profiles"]
    assert [(row["name"], row["from"]) for row in rows] == [("night", "config.toml"), ("own", "command line")]
    for arguments in (["add", "night", "--only", "groq"], ["remove", "night"]):
        assert "stands in config.toml; change it there" in line.refused("profiles", *arguments)
