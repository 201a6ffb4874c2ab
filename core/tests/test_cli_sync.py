"""`freellm models sync` and `freellm models sign`, against services in a thread; and a running server beside them."""

from __future__ import annotations

import base64
import json
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from commandline import Commandline, answering
from freellm.store import Store
from processes import freellm_serving, models, soon

GROQ = "gsk_0123456789abcdef"


class Service:
    """Lists models in OpenAI's way.

    :ivar rows: what it lists
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.status = 200
        self.refuses = {"openai/gpt-oss-20b"}

    def lists(self, *ids: str, **facts: object) -> None:
        self.rows = [{"id": id_, **facts} for id_ in ids]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response({"data": self.rows}, status=self.status)
        body = await request.json()
        if body["model"] in self.refuses:
            error = {"message": "no such model", "code": "model_not_found"}
            return web.json_response({"error": error}, status=404)
        message = {"role": "assistant", "content": "Hi"}
        return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def line(tmp_path: Path, service: Service) -> Iterator[Commandline]:
    """A command line with one provider's key, whose service is a test's own."""
    with answering(service.handle) as url:
        yield Commandline(tmp_path, GROQ_API_KEY=GROQ, FREELLM_GROQ_BASE_URL=url)


def served(line: Commandline) -> list[str]:
    """Return the models that the package says are on."""
    rows = line.document("models", "list", "--provider", "groq")["models"]
    return [row["model"] for row in rows if row["status"] in ("active", "listed")]


class TestSync:
    def test_what_is_new_and_gone_is_a_table_and_a_document(
        self, line: Commandline, service: Service
    ) -> None:
        known = served(line)
        service.lists(*known[1:], "brand/new")
        document = line.document("models", "sync")
        (report,) = document["providers"]
        assert (report["provider"], report["listed"], report["problem"]) == ("groq", len(known), "")
        assert {(c["kind"], c["model"]) for c in report["changes"]} == {
            ("new", "brand/new"),
            ("vanished", known[0]),
        }
        assert document["catalogue"] is None
        service.lists(*known[1:], "brand/new", "brand/newer")
        table = line.run("models", "sync", "groq").stdout
        assert "brand/newer" in table
        assert "off: the list does not say that it is free" in table
        assert "a running server picks this up within a second" in table

    def test_nothing_new_says_so(self, line: Commandline, service: Service) -> None:
        service.lists(*served(line))
        assert "Nothing has changed." in line.run("models", "sync").stdout

    def test_a_discovered_model_is_off_until_a_person_enables_it(
        self, line: Commandline, service: Service
    ) -> None:
        service.lists(*served(line), "brand/new", context_length=4096)
        line.run("models", "sync")
        (row,) = line.document("models", "list", "--all", "-q", "brand/new")["models"]
        assert (row["status"], row["state"], row["context"]) == ("unverified", "off", 4096)
        line.run("models", "enable", "brand/new")
        (row,) = line.document("models", "list", "-q", "brand/new")["models"]
        last = line.document("fallback", "list")["order"][-1]["model"]
        assert (row["state"], last) == ("on", "brand/new")
        assert "brand/new" in line.document("keys", "list")["keys"][0]["models"]

    def test_a_key_unlocks_what_counts(self, line: Commandline, service: Service) -> None:
        known = served(line)
        line.run("models", "disable", known[0])
        assert known[0] not in line.document("keys", "list")["keys"][0]["models"]

    def test_a_service_that_refuses_is_named_and_the_exit_code_says_so(
        self, line: Commandline, service: Service
    ) -> None:
        service.status = 500
        result = line.run("models", "sync", exit_code=1)
        assert "groq: it answered with status 500" in result.stdout
        assert "no provider could be asked" in result.stderr
        assert GROQ not in result.output

    def test_a_short_list_retires_nobody_and_says_so(self, line: Commandline, service: Service) -> None:
        before = served(line)
        service.lists(before[0])
        assert "models at once, so nobody is retired" in line.run("models", "sync").stdout
        assert served(line) == before

    def test_only_those_with_a_key_are_asked_unless_they_are_named(
        self, line: Commandline, service: Service
    ) -> None:
        service.lists(*served(line))
        assert [r["provider"] for r in line.document("models", "sync")["providers"]] == ["groq"]
        reports = line.document("models", "sync", "groq", "google")["providers"]
        assert reports[1]["problem"] == "it has no usable key: freellm keys add google"
        assert "did you mean groq?" in line.refused("models", "sync", "grop")

    def test_without_any_key_it_says_how_to_add_one(self, tmp_path: Path) -> None:
        assert "freellm keys add stores one" in Commandline(tmp_path).run("models", "sync").stdout

    def test_a_running_server_picks_up_what_was_learned(self, line: Commandline, service: Service) -> None:
        known = served(line)
        service.lists(*known)
        variables = {**line.variables, "FREELLM_API_KEY": "fl-a-key-of-the-tests"}
        with freellm_serving([], variables) as (_, facts):
            url, key = facts["url"], "fl-a-key-of-the-tests"
            assert set(known) <= models(url, key)
            refused = "openai/gpt-oss-20b"
            ask(url, key, f"groq/{refused}")
            service.lists(*[id_ for id_ in known if id_ != refused])
            assert soon(lambda: is_doubted(line, refused)), "the refusal is on the disk"
            report = line.document("models", "sync")["providers"][0]
            assert [(c["kind"], c["model"]) for c in report["changes"]] == [("retired", refused)]
            assert soon(lambda: refused not in models(url, key))
            service.refuses = set()
            service.lists(*known)
            line.run("models", "sync")
            assert soon(lambda: refused in models(url, key))


def is_doubted(line: Commandline, model: str) -> bool:
    """Tell whether there is a sign that a model is gone."""
    with Store(line.data) as store:
        listing = store.listings.of("groq").get(model)
    return listing is not None and bool(listing.signs)


def ask(url: str, key: str, model: str) -> None:
    """Ask one model for a chat, whatever comes of it."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        urllib.request.urlopen(
            urllib.request.Request(f"{url}/v1/chat/completions", body, headers), timeout=20
        )
    except urllib.error.HTTPError as error:
        error.close()


EDITION = """serial = {serial}

[providers.groq]
defaults = {{ source = "a notice of 2026-12-01", checked = "2026-12-01" }}

[[providers.groq.models]]
id = "openai/gpt-oss-120b"
limits = {{ rpm = {rpm} }}
"""


class TestCatalogueFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "catalogue.toml"
        file.write_text(EDITION.format(serial=1, rpm=11), "utf-8")
        return file

    @pytest.fixture
    def public(self, tmp_path: Path, line: Commandline, service: Service, file: Path) -> str:
        """Sign the file with a new key, and set the key's public half."""
        service.lists(*served(line))
        signed = line.document("models", "sign", str(file), "--key", str(tmp_path / "key.pem"), "--make-key")
        line.variables["FREELLM_CATALOGUE_KEY"] = signed["catalogue_key"]
        return str(signed["catalogue_key"])

    def sign(self, line: Commandline, file: Path) -> None:
        line.run("models", "sign", str(file), "--key", str(file.with_name("key.pem")))

    def limits(self, line: Commandline) -> list[str]:
        rows = line.document("models", "list", "-q", "gpt-oss-120b", "--provider", "groq")["models"]
        return list(rows[0]["limits"])

    def test_it_is_taken_once_or_as_the_settings_say(
        self, line: Commandline, file: Path, public: str
    ) -> None:
        document = line.document("models", "sync", "--catalogue", str(file))
        assert document["catalogue"] == {
            "taken": True, "problem": "", "source": str(file), "serial": 1, "is_new": True, "skipped": [],
        }  # fmt: skip
        assert self.limits(line) == ["11 requests/min"]
        line.variables["FREELLM_CATALOGUE"] = str(file)
        assert "serial 1, is in use already" in line.run("models", "sync").stdout
        file.write_text(EDITION.format(serial=2, rpm=12), "utf-8")
        self.sign(line, file)
        assert "serial 2, is in use from now on" in line.run("models", "sync").stdout
        assert self.limits(line) == ["12 requests/min"]

    @pytest.mark.parametrize("what", ["tampered", "older", "unsigned", "missing"])
    def test_one_that_is_not_right_changes_nothing(
        self, line: Commandline, file: Path, public: str, what: str
    ) -> None:
        line.run("models", "sync", "--catalogue", str(file))
        if what == "tampered":
            file.write_text(EDITION.format(serial=2, rpm=99), "utf-8")
        elif what == "older":
            file.write_text(EDITION.format(serial=3, rpm=11), "utf-8")
            self.sign(line, file)
            line.run("models", "sync", "--catalogue", str(file))
            file.write_text(EDITION.format(serial=2, rpm=99), "utf-8")
            self.sign(line, file)
        elif what == "unsigned":
            file.with_name("catalogue.toml.sig").unlink()
        else:
            file.unlink()
        result = line.run("models", "sync", "--catalogue", str(file), exit_code=1)
        assert "nothing of it was taken over" in result.stderr
        assert str(file) in result.stderr
        assert self.limits(line) == ["11 requests/min"]
        document = line.document("models", "sync", "--catalogue", str(file), exit_code=1)
        assert document["catalogue"]["taken"] is False
        assert document["providers"][0]["listed"], "lists are asked for all the same"

    def test_it_needs_a_public_key(self, line: Commandline, file: Path) -> None:
        said = line.refused("models", "sync", "--catalogue", str(file))
        assert "needs catalogue_key" in said
        line.variables["FREELLM_CATALOGUE_KEY"] = "short"
        assert "FREELLM_CATALOGUE_KEY: expected an Ed25519 public key in base64" in line.refused(
            "models", "list"
        )

    @pytest.mark.parametrize(
        "source", ["http://example.com/c.toml", "ftp://example.com/c", "https://u:p@h/c"]
    )
    def test_a_url_is_https(self, line: Commandline, public: str, source: str) -> None:
        assert "--catalogue: expected a path, or https://" in line.refused(
            "models", "sync", "--catalogue", source
        )

    def test_a_url_inside_is_not_asked(self, line: Commandline, public: str) -> None:
        result = line.run("models", "sync", "--catalogue", "https://127.0.0.1:9/c.toml", exit_code=1)
        assert "https://127.0.0.1:9/c.toml cannot be had" in result.stderr

    def test_a_running_server_picks_it_up(self, line: Commandline, file: Path, public: str) -> None:
        key = "fl-a-key-of-the-tests"
        with freellm_serving([], {**line.variables, "FREELLM_API_KEY": key}) as (_, facts):
            assert "openai/gpt-oss-120b" in models(facts["url"], key)
            text = (
                EDITION.format(serial=2, rpm=1) + 'status = "retired"\nreplaced_by = "openai/gpt-oss-20b"\n'
            )
            file.write_text(text, "utf-8")
            self.sign(line, file)
            line.run("models", "sync", "--catalogue", str(file))
            assert soon(lambda: "openai/gpt-oss-120b" not in models(facts["url"], key))


class TestSigning:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "catalogue.toml"
        file.write_text(EDITION.format(serial=1, rpm=11), "utf-8")
        return file

    def test_a_key_is_made_once_and_for_its_owner_only(self, line: Commandline, file: Path) -> None:
        key = file.with_name("key.pem")
        first = line.document("models", "sign", str(file), "--key", str(key), "--make-key")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert len(base64.b64decode(first["catalogue_key"])) == 32
        assert line.document("models", "sign", str(file), "--key", str(key), "--make-key") == first
        assert (
            f'catalogue_key = "{first["catalogue_key"]}"'
            in line.run("models", "sign", str(file), "--key", str(key)).stdout
        )

    def test_a_key_is_not_made_by_mistake(self, line: Commandline, file: Path) -> None:
        said = line.refused("models", "sign", str(file), "--key", str(file.with_name("keys.pem")))
        assert "--make-key makes one" in said

    def test_a_key_that_others_can_read_is_refused_with_the_cure(self, line: Commandline, file: Path) -> None:
        key = file.with_name("key.pem")
        line.run("models", "sign", str(file), "--key", str(key), "--make-key")
        key.chmod(0o644)
        assert f"chmod 600 {key}" in line.refused("models", "sign", str(file), "--key", str(key))

    def test_what_is_no_key_is_refused_without_showing_it(self, line: Commandline, file: Path) -> None:
        key = file.with_name("key.pem")
        key.write_text("a secret that is no key", "utf-8")
        key.chmod(0o600)
        said = line.refused("models", "sign", str(file), "--key", str(key))
        assert "holds no unencrypted Ed25519 private key in PEM" in said
        assert "a secret" not in said

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("providers.groq", "providers.grok", "providers.grok: no installed provider is called so"),
            ("rpm", "rph", "the limits of 'openai/gpt-oss-120b': rph"),
            ("serial = 1", "serial = -1", "serial"),
        ],
    )
    def test_what_others_would_refuse_is_not_signed(
        self, line: Commandline, file: Path, old: str, new: str, says: str
    ) -> None:
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        said = line.refused(
            "models", "sign", str(file), "--key", str(file.with_name("key.pem")), "--make-key", exit_code=1
        )
        assert says in said
        assert not file.with_name("catalogue.toml.sig").exists()
