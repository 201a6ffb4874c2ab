"""`freellm keys` for servers of one's own: found where they are, named, checked, removed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from commandline import Commandline, answering
from endpoints import Endpoint
from freellm.store import Store
from freellm.store.migrations import MIGRATIONS

PLUGIN = "custom"
KEY = "lab-canary-0123456789"


@contextmanager
def running(endpoint: Endpoint) -> Iterator[Endpoint]:
    with answering(endpoint.answer) as root:
        endpoint.url = root
        yield endpoint


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    return Commandline(tmp_path)


@pytest.fixture
def lab() -> Iterator[Endpoint]:
    with running(Endpoint("lab", ({"id": "tiny"}, {"id": "large", "max_model_len": 8192}))) as endpoint:
        yield endpoint


def words(base_url: str, *more: str, name: str = "lab") -> tuple[str, ...]:
    return ("keys", "add", PLUGIN, "--name", name, "--base-url", base_url, *more)


def secret_is_nowhere(line: Commandline) -> bool:
    return not any(KEY.encode() in file.read_bytes() for file in line.data.iterdir())


def test_adding_shows_where_it_is_and_what_it_has(line: Commandline, lab: Endpoint) -> None:
    told = line.run(*words(f"{lab.url}/v1"), "--no-key").stdout
    assert f"lab is at {lab.url}/v1 (on this machine or in its network)." in told
    assert "2 models found: large, tiny." in told
    assert "Next: freellm serve" in told
    (key,) = line.document("keys", "list")["keys"]
    assert (key["provider"], key["label"], key["state"], key["base_url"], key["models"]) == (
        "lab", "no key needed", "valid", f"{lab.url}/v1", ["large", "tiny"],
    )  # fmt: skip
    rows = {row["model"]: row for row in line.document("models", "list", "--provider", "lab")["models"]}
    assert (rows["large"]["context"], rows["large"]["state"], rows["large"]["limits"]) == (8192, "on", [])


@pytest.mark.parametrize(
    ("prefix", "pasted"),
    [("/v1", ""), ("/v1", "/"), ("/v1", "/v1/chat/completions"), ("/v1", "/models"), ("", ""), ("/api", "/api")],
)  # fmt: skip
def test_whatever_was_pasted_what_answers_is_stored(line: Commandline, prefix: str, pasted: str) -> None:
    with running(Endpoint("lab", prefix=prefix)) as lab:
        told = line.document(*words(f"{lab.url}{pasted}"), "--no-key")
        assert told["base_url"] == f"{lab.url}{prefix}"
        assert told["tried"][-1] == {
            "base_url": f"{lab.url}{prefix}",
            "result": "the service listed its models",
        }
        assert told["models"] == ["tiny"]


def test_what_was_tried_in_vain_is_told(line: Commandline) -> None:
    with running(Endpoint("lab", prefix="")) as lab:
        told = line.run(*words(lab.url), "--no-key").stdout
    assert f"Tried {lab.url}/v1: the service answered with status 404" in told
    assert f"lab is at {lab.url} (" in told


def test_a_key_is_read_from_stdin_sent_and_never_shown(line: Commandline) -> None:
    with running(Endpoint("lab", key=KEY)) as lab:
        told = line.run(*words(lab.url), stdin=f"{KEY}\n").output
        assert "1 model found: tiny" in told
        assert KEY not in told + line.run("keys", "list").output
        assert {authorization for _, _, authorization in lab.asked} == {f"Bearer {KEY}"}
    assert secret_is_nowhere(line)


def test_a_refused_key_is_not_stored_and_not_repeated(line: Commandline) -> None:
    with running(Endpoint("lab", key="another")) as lab:
        sentence = line.refused(*words(lab.url), stdin=KEY, exit_code=1)
    assert "refused the key" in sentence
    assert "nothing was stored" in sentence
    assert KEY not in sentence
    assert line.document("keys", "list")["keys"] == []


def test_a_server_that_wants_a_key_says_so(line: Commandline) -> None:
    with running(Endpoint("lab", key=KEY)) as lab:
        sentence = line.refused(*words(lab.url), "--no-key", exit_code=1)
    assert "leave --no-key out" in sentence


def test_a_server_that_is_down_is_stored_as_untested(line: Commandline) -> None:
    told = line.run(*words("http://127.0.0.1:9"), "--no-key").stdout
    assert "lab is at http://127.0.0.1:9/v1" in told
    assert "stored as untested" in told
    assert "freellm serve asks for its list" in told
    (key,) = line.document("keys", "list")["keys"]
    assert key["state"] == "untested"
    assert "could not be reached" in key["reason"]


def test_a_server_without_a_list_is_refused_with_the_cure_and_taken_without_a_check(
    line: Commandline,
) -> None:
    with running(Endpoint("lab", None)) as lab:
        sentence = line.refused(*words(lab.url), "--no-key", exit_code=1)
        assert f"Tried {lab.url}/v1: " in sentence
        assert f"; {lab.url}: " in sentence
        assert '[instances.lab.models."ID"]' in sentence
        lab.asked.clear()
        told = line.document(*words(f"{lab.url}/v1"), "--no-key", "--no-check")
        assert (told["stored"], told["state"], lab.asked) == (True, "untested", [])
    (line.data / "config.toml").write_text("[instances.lab.models.tiny]\n", "utf-8")
    (key,) = line.document("keys", "list")["keys"]
    assert key["models"] == ["tiny"]


def test_something_that_is_no_such_server_is_refused(line: Commandline) -> None:
    async def page(request: web.BaseRequest) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    with answering(page) as root:
        sentence = line.refused(*words(root), "--no-key", exit_code=1)
    assert "no list of models was found" in sentence
    assert line.document("keys", "list")["keys"] == []


def test_models_that_do_not_chat_are_left_out_and_named(line: Commandline) -> None:
    rows = ({"id": "tiny", "type": "llm"}, {"id": "vectors", "type": "embeddings"})
    with running(Endpoint("lab", rows)) as lab:
        told = line.run(*words(lab.url), "--no-key").stdout
    assert "1 model found: tiny." in told
    assert "Left out: vectors" in told
    assert "dimensions" in told


@pytest.mark.parametrize(
    ("base_url", "cure"),
    [
        ("127.0.0.1:8080", "expected http://HOST"),
        ("http://169.254.169.254/latest", "hand out credentials"),
        ("http://[fe80::1]/v1", "hand out credentials"),
        ("https://100.100.100.200/v1", "hand out credentials"),
        ("http://0.0.0.0:8080", "write 127.0.0.1"),
        ("http://93.184.216.34/v1", "write https://"),
        ("http://user:secret@127.0.0.1/v1", "no user name"),
        ("http://127.0.0.1/v1?key=secret", "no query"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--no-check",)])
def test_a_base_url_that_is_never_asked_names_the_cure(
    line: Commandline, base_url: str, cure: str, more: tuple[str, ...]
) -> None:
    sentence = line.refused(*words(base_url), "--no-key", *more)
    assert cure in sentence
    assert "secret" not in sentence
    assert line.document("keys", "list")["keys"] == []


def test_a_name_is_resolved_when_it_is_added_with_a_check(line: Commandline) -> None:
    assert "write the server's address" in line.refused(*words("http://lab.invalid"), "--no-key")
    assert line.document(*words("http://lab.invalid"), "--no-key", "--no-check")["local"] is True


@pytest.mark.parametrize("name", ["Lab", "1lab", "my lab", "-lab", "läb", "x" * 41, "a/b", "a_b"])
def test_a_name_that_will_not_do_is_refused(line: Commandline, name: str) -> None:
    assert "lower-case letters" in line.refused(
        "keys", "add", PLUGIN, f"--name={name}", "--base-url", "http://x"
    )


@pytest.mark.parametrize("name", ["auto", "groq", PLUGIN])
def test_a_name_that_is_taken_is_refused(line: Commandline, name: str) -> None:
    assert "choose another" in line.refused(*words("http://127.0.0.1:9", name=name))


def test_a_name_and_a_base_url_are_needed(line: Commandline) -> None:
    for arguments in (("--name", "lab"), ("--base-url", "http://x"), ()):
        assert f"freellm keys add {PLUGIN} --name NAME --base-url URL" in line.refused(
            "keys", "add", PLUGIN, *arguments
        )


def test_what_is_for_servers_of_ones_own_is_refused_elsewhere(line: Commandline) -> None:
    for arguments in (("--name", "x"), ("--no-key",), ("--concurrent", "2")):
        sentence = line.refused("keys", "add", "groq", *arguments, stdin="gsk_x")
        assert f"freellm keys add {PLUGIN} --name NAME" in sentence


def test_a_key_as_an_argument_is_refused_and_not_repeated(line: Commandline) -> None:
    sentence = line.refused(*words("http://127.0.0.1:9"), KEY)
    assert "not taken from the command line" in sentence
    assert KEY not in sentence


def test_several_stand_side_by_side_and_each_name_once(line: Commandline, lab: Endpoint) -> None:
    with running(Endpoint("den")) as den:
        line.run(*words(lab.url), "--no-key")
        line.run(*words(den.url, name="den"), "--no-key", "--concurrent", "2")
        sentence = line.refused(*words(den.url), "--no-key")
    assert f"there is a lab already, at {lab.url}/v1" in sentence
    keys = {key["provider"]: key["models"] for key in line.document("keys", "list")["keys"]}
    assert keys == {"lab": ["large", "tiny"], "den": ["tiny"]}
    (row,) = line.document("models", "list", "--provider", "den")["models"]
    assert row["limits"] == ["2 at once for all models"]


def test_a_further_key_is_added_by_the_instances_name_and_takes_the_place_of_none(line: Commandline) -> None:
    with running(Endpoint("lab")) as lab:
        line.run(*words(lab.url), "--no-key")
        lab.key = KEY
        assert line.document("keys", "check", "lab", exit_code=1)["keys"][0]["state"] == "invalid"
        told = line.run("keys", "add", "lab", stdin=KEY).stdout
        assert "lab accepted the key" in told
        (key,) = line.document("keys", "list")["keys"]
        assert (key["state"], key["base_url"]) == ("valid", f"{lab.url}/v1")
        assert "--base-url" in line.refused("keys", "add", "lab", "--base-url", "http://x", stdin=KEY)


def test_checking_asks_each_one(line: Commandline, lab: Endpoint) -> None:
    line.run(*words(lab.url), "--no-key")
    line.run(*words("http://127.0.0.1:9", name="den"), "--no-key")
    states = {key["provider"]: key["state"] for key in line.document("keys", "check")["keys"]}
    assert states == {"lab": "valid", "den": "untested"}
    (line.data / "config.toml").write_text(f'[instances.free]\nbase_url = "{lab.url}/v1"\n', "utf-8")
    (key,) = line.document("keys", "check", "free")["keys"]
    assert (key["source"], key["state"]) == ("keyless", "valid")


def test_a_sync_takes_the_list_as_it_is(line: Commandline, lab: Endpoint) -> None:
    line.run(*words(lab.url), "--no-key")
    lab.models = ({"id": "new"}, {"id": "large", "max_model_len": 16_384})
    (report,) = line.document("models", "sync", "lab")["providers"]
    told = {(change["kind"], change["model"]) for change in report["changes"]}
    assert told == {("new", "new"), ("vanished", "tiny"), ("changed", "large")}
    (key,) = line.document("keys", "list")["keys"]
    assert key["models"] == ["large", "new"]
    assert "Nothing has changed" in line.run("models", "sync").stdout


def test_removing_by_name_takes_everything_along(line: Commandline, lab: Endpoint) -> None:
    line.run(*words(lab.url), "--no-key")
    line.run("models", "disable", "lab/tiny")
    assert line.run("keys", "remove", "lab").stdout.startswith("Removed lab with 1 key")
    assert line.document("keys", "list")["keys"] == []
    with Store(line.data) as store:
        assert (store.instances.all(), store.models.overrides(), store.listings.all()) == ([], {}, {})
    line.run(*words(lab.url), "--no-key")  # and it can be added again


def test_the_last_key_takes_the_instance_along(line: Commandline) -> None:
    with running(Endpoint("lab", key=KEY)) as lab:
        line.run(*words(lab.url), "--label", "first", stdin=KEY)
        lab.key = "lab-second-0123456789"
        line.run("keys", "add", "lab", "--label", "second", stdin=lab.key)
        assert "key 'first'" in line.run("keys", "remove", "first").stdout
        assert [key["label"] for key in line.document("keys", "list")["keys"]] == ["second"]
        assert "Removed lab with 1 key" in line.run("keys", "remove", "second").stdout
    with Store(line.data) as store:
        assert store.instances.all() == []


def test_one_of_the_file_is_removed_there(line: Commandline) -> None:
    line.data.mkdir()
    (line.data / "config.toml").write_text('[instances.lab]\nbase_url = "http://127.0.0.1:9"\n', "utf-8")
    assert "delete [instances.lab] there" in line.refused("keys", "remove", "lab")


def test_its_key_is_bound_to_where_it_was_added_for(line: Commandline) -> None:
    """Whoever edits the database cannot have the key sent to another server."""
    with running(Endpoint("lab", key=KEY)) as lab, running(Endpoint("thief")) as thief:
        line.run(*words(lab.url), stdin=KEY)
        with closing(sqlite3.connect(line.data / "freellm.db")) as connection, connection:
            connection.execute("UPDATE instances SET base_url = ?", [f"{thief.url}/v1"])
        line.run("keys", "check", "lab")
        with closing(sqlite3.connect(line.data / "freellm.db")) as connection, connection:
            connection.execute("UPDATE keys SET base_url = ?", [f"{thief.url}/v1"])
        (key,) = line.document("keys", "check", "lab")["keys"]
        assert key["state"] == "unreadable"
        assert thief.asked == []


def test_without_any_key_the_list_says_how_to_add_a_server(line: Commandline) -> None:
    assert f"freellm keys add {PLUGIN} --name NAME --base-url URL" in line.run("keys", "list").stdout


def test_a_database_of_before_takes_instances(line: Commandline, lab: Endpoint) -> None:
    line.data.mkdir()
    file = line.data / "freellm.db"
    golden = Path(__file__).parent / "golden" / "schema-v2.sql"
    with closing(sqlite3.connect(file)) as connection:
        for step in MIGRATIONS[:2]:
            for statement in step:
                connection.execute(statement)
        connection.execute("PRAGMA user_version = 2")
        connection.commit()
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
        assert "".join(f"{row[0]};\n" for row in rows) == golden.read_text("utf-8")
    line.run(*words(lab.url), "--no-key")
    assert (line.data / "freellm.db.v2.backup").exists()
    before = revision(file)
    line.run("keys", "remove", "lab")
    assert revision(file) > before


def revision(file: Path) -> Any:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT value FROM meta WHERE name = 'revision'").fetchone()[0]


def test_the_document_has_everything_a_program_needs(line: Commandline, lab: Endpoint) -> None:
    told = line.document(*words(lab.url), "--no-key")
    assert json.dumps(told)
    assert told.keys() == {
        "stored", "id", "provider", "label", "base_url", "local", "tried", "state", "reason", "models", "left_out", "next",
    }  # fmt: skip
