"""`freellm explain`, `freellm quota` and `freellm top`: against a server, and against the database when none runs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from commandline import Commandline, answering
from freellm.cli.quota import words
from freellm.cli.quota.screen import screen
from freellm.keyring import Keyring
from freellm.ledger import Ledger
from freellm.store import ServerLock, Store
from processes import environment, freellm_serving, soon

MODEL = "groq/openai/gpt-oss-120b"
KEY = "gsk_0123456789abcdef"
SECRETS = (KEY,)


@pytest.fixture(scope="module")
def nobody() -> Iterator[str]:
    """Give an address at which nobody listens and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
    """Take a request and break off: it may have counted."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commandline]:
    with answering(hang_up) as root:
        made = Commandline(tmp_path_factory.mktemp("quota"), FREELLM_GROQ_BASE_URL=f"{root}/v1")
        made.run("keys", "add", "groq", "--no-check", stdin=KEY)
        yield made


@pytest.fixture(scope="module")
def url(line: Commandline) -> Iterator[str]:
    with freellm_serving([], line.variables) as (_, facts):
        yield facts["url"]


def chat(line: Commandline, url: str, model: str = MODEL) -> str:
    """Send a chat that nobody can answer; return its id."""
    key = line.run("apikey", "show").stdout.strip()
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"Authorization": f"Bearer {key}"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    refused.value.close()
    return str(refused.value.headers["X-Request-Id"])


def is_logged(line: Commandline, id_: str) -> bool:
    with Store(line.data) as store:
        logged = store.request(id_)
    return logged is not None and logged.request is not None


def told(line: Commandline, url: str, *arguments: str, width: int = 80, **more: Any) -> str:
    """Run a command on a terminal of some columns; return what it prints, which must fit."""
    line.variables["COLUMNS"] = str(width)
    try:
        out: str = line.run(*arguments, "--url", url, **more).stdout
    finally:
        del line.variables["COLUMNS"]
    assert all(len(row) <= width for row in out.splitlines())
    assert not [secret for secret in SECRETS if secret in out]
    return out


class TestExplain:
    def test_says_who_would_serve_and_what_is_left(self, line: Commandline, url: str) -> None:
        out = told(line, url, "explain", "Hello", "-m", MODEL)
        assert f"{MODEL} would be served by {MODEL}." in out
        assert "30 of 30 requests/min" in out
        assert "reserves 1 requests" in out

    def test_tells_the_best_routes_unless_all_are_wanted(self, line: Commandline, url: str) -> None:
        few, every = told(line, url, "explain", "Hello"), told(line, url, "explain", "Hello", "--all")
        document = line.document("explain", "Hello", "--url", url)
        assert len(document["routes"]) == every.count("    why: ")
        assert few.count("    why: ") <= every.count("    why: ")

    def test_takes_a_whole_request_of_either_kind(self, line: Commandline, url: str, tmp_path: Path) -> None:
        tools = [{"type": "function", "function": {"name": "look"}}]
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "tools": tools}
        file = tmp_path / "request.json"
        file.write_text(json.dumps(body), "utf-8")
        assert line.document("explain", "--request", str(file), "--url", url)["serves"] == MODEL
        asked = line.document("explain", "--request", "-", "-m", MODEL, "--url", url, stdin=json.dumps(body))
        assert asked["requested"] == MODEL
        refused = line.refused(
            "explain", "--request", "-", "--url", url, stdin='{"input": "text"}', exit_code=1
        )
        assert "freellm" in refused  # no provider of this folder makes vectors, and the server says so

    @pytest.mark.parametrize(
        ("arguments", "stdin", "says"),
        [
            ((), "", "state a prompt, or a request"),
            (("Hello", "--request", "-"), "{}", "one of them"),
            (("--request", "-"), "[]", "one JSON object"),
            (("--request", "-"), "{", "is no JSON"),
        ],
    )
    def test_names_the_cure_when_there_is_no_request(
        self, line: Commandline, url: str, arguments: tuple[str, ...], stdin: str, says: str
    ) -> None:
        assert says in line.run("explain", *arguments, "--url", url, stdin=stdin, exit_code=2).stderr

    def test_repeats_what_the_server_refuses(self, line: Commandline, url: str) -> None:
        refused = line.refused("explain", "Hello", "-m", "no-such-model", "--url", url, exit_code=1)
        assert "there is no model 'no-such-model'" in refused

    def test_says_how_to_start_a_server(self, line: Commandline, nobody: str) -> None:
        refused = line.refused("explain", "Hello", "--url", nobody, exit_code=1)
        assert "start it with freellm serve" in refused

    def test_tells_what_became_of_a_past_request(self, line: Commandline, url: str) -> None:
        id_ = chat(line, url)
        assert soon(lambda: is_logged(line, id_))
        document = line.document("explain", id_)
        attempt = document["attempts"][0]
        assert (attempt["kind"], attempt["model"]) == ("network", "openai/gpt-oss-120b")
        assert "of 30 requests per minute" in attempt["quota"]
        assert document["request"]["status"] == 502
        line.run("quota", "clear", MODEL, "--url", url)
        out = line.run("explain", id_).stdout
        assert f"{id_} asked for {MODEL}; nobody answered: 502" in out
        assert "network" in out

    def test_says_where_a_request_may_be_found_that_is_not_logged(self, line: Commandline) -> None:
        refused = line.refused("explain", "req_0123456789ab")
        assert "--data-dir" in refused
        assert line.refused("explain", "--id", "mine")

    def test_shows_what_was_passed_over_among_the_attempts(self, line: Commandline, url: str) -> None:
        for _ in range(3):
            chat(line, url)
        last = chat(line, url)
        assert soon(lambda: is_logged(line, last))
        document = line.document("explain", last)
        first = document["passed_over"][0]
        assert (first["route"], first["reason"], first["kind"]) == (MODEL, "cooldown", "network")
        assert "passed over: cooldown" in line.run("explain", last).stdout
        explained = told(line, url, "explain", "Hello", "-m", MODEL)
        assert "breaker is open" in explained
        assert f"freellm quota clear {MODEL}" in " ".join(explained.split())
        line.run("quota", "clear", "groq", "--url", url)


class TestQuota:
    def test_shows_every_pool_and_what_is_left_over_all(self, line: Commandline, url: str) -> None:
        out = told(line, url, "quota")
        assert "30 requests/min" in out
        assert "left today:" in out
        assert line.run("quota", "groq", "--url", url).stdout.count("requests/min") > 1
        document = line.document("quota", "--url", url)
        assert document["source"] == "server"
        assert {pool["provider"] for pool in document["pools"]} >= {"groq"}
        assert document["totals"]["today"]["requests"] > 0

    def test_of_a_provider_that_is_not_there_names_those_that_are(self, line: Commandline, url: str) -> None:
        assert "groq" in line.refused("quota", "nobody", "--url", url)

    def test_is_read_from_the_database_when_no_server_runs(
        self, line: Commandline, url: str, nobody: str
    ) -> None:
        chat(line, url)
        line.variables["FREELLM_PORT"] = nobody.rpartition(":")[2]
        try:
            assert soon(lambda: any(pool["used"] for pool in line.document("quota", "groq")["pools"]))
            document = line.document("quota", "groq")
            result = line.run("quota", "groq")
        finally:
            del line.variables["FREELLM_PORT"]
            line.run("quota", "clear", "groq", "--url", url)
        assert document["source"] == "database"
        served = line.document("quota", "groq", "--url", url)
        assert [pool["pool"] for pool in document["pools"]] == [pool["pool"] for pool in served["pools"]]
        assert "this is what the database knows" in result.stderr

    def test_makes_no_database_for_being_asked(self, tmp_path: Path, nobody: str) -> None:
        line = Commandline(tmp_path, FREELLM_PORT=nobody.rpartition(":")[2])
        assert "start it with freellm serve" in line.refused("quota", exit_code=1)
        assert "start it with freellm serve" in line.refused("quota", "clear", "groq", exit_code=1)
        assert not line.data.exists()


class TestClear:
    def test_opens_what_is_closed_and_says_what_that_was(self, line: Commandline, url: str) -> None:
        for _ in range(3):
            chat(line, url)
        document = line.document("quota", "clear", MODEL, "--url", url)
        assert document == {"name": MODEL, "cleared": [f"model {MODEL}"]}
        assert "Nothing of groq was closed." in line.run("quota", "clear", "groq", "--url", url).stdout

    def test_names_what_there_is_when_the_name_is_unknown(self, line: Commandline, url: str) -> None:
        assert "such as groq" in line.refused("quota", "clear", "groqq", "--url", url, exit_code=1)

    def test_opens_pools_in_the_database_when_no_server_runs(self, tmp_path: Path, nobody: str) -> None:
        line = Commandline(tmp_path, FREELLM_PORT=nobody.rpartition(":")[2])
        line.run("keys", "add", "groq", "--no-check", stdin=KEY)
        pool = line.document("quota", "groq")["pools"][0]["pool"]
        now = time.time()
        with Store(line.data) as store:
            states = ledger_with(line, pool, closed_until=now + 3_000).dump(0.0)
            store.save(pools=states, now=now)
        assert line.document("quota", "groq")["pools"][0]["closed_until"] == pytest.approx(now + 3_000)
        with ServerLock(line.data):
            assert "name its address with --url" in line.refused("quota", "clear", pool)
        result = line.run("quota", "clear", pool)
        assert f"open again: {pool}" in result.stdout
        assert "in the database" in result.stderr
        assert line.document("quota", "groq")["pools"][0]["closed_until"] is None
        assert "nothing is called 'groqq'" in line.refused("quota", "clear", "groqq")


def ledger_with(line: Commandline, pool: str, closed_until: float) -> Ledger:
    """Return a ledger in which one pool is closed, as a server would have it."""
    from freellm.catalogue import build
    from freellm.cli.folder import open_folder
    from freellm.health import Health

    ledger, now = Ledger(), time.time()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in line.variables.items():
            patched.setenv(name, value)
        with open_folder(None) as folder:
            keyring: Keyring = folder.keyring
            build(list(folder.offers.values()), keyring.all(), {}, ledger, Health(), {})
    for one in ledger.pools():
        if one.identity == pool:
            one.close(closed_until, now)
    return ledger


class TestTop:
    def test_tells_once_into_a_pipe(self, line: Commandline, url: str) -> None:
        id_ = chat(line, url)
        out = told(line, url, "top")
        assert "left today" in out
        assert "groq requests/min" in out
        assert "last answers" in out
        document = line.document("top", "--url", url)
        assert document["activity"]["last"][0]["id"] == id_
        line.run("quota", "clear", "groq", "--url", url)

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
    @pytest.mark.parametrize("end", [b"q", b"\x03"])
    def test_is_live_on_a_terminal_until_q_or_interrupt(
        self, line: Commandline, url: str, end: bytes
    ) -> None:
        import pty

        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "freellm", "top", "--url", url],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=environment(**line.variables, TERM="xterm", COLUMNS="80", LINES="24"),
        )  # fmt: skip
        os.close(slave)
        try:
            shown = read_until(master, b"left today")
            shown += read_until(master, b"left today")  # and again after a second
            assert shown.count(b"left today") >= 2
            if end == b"q":
                os.write(master, end)
            else:
                os.kill(process.pid, signal.SIGINT)
            with contextlib.suppress(OSError):
                read_until(master, b"\x1b[?1049l")
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()
            os.close(master)

    def test_fits_every_height(self) -> None:
        from rich.console import Console

        answers = {"quotas": quotas(40), "activity": activity(40)}
        for height in (13, 24, 50):
            console = Console(width=80, height=height, file=io.StringIO())
            with console.capture() as captured:
                console.print(screen(answers, height))
            assert len(captured.get().splitlines()) <= height
            assert max(map(len, captured.get().splitlines())) <= 80


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """Read from a terminal until something has come."""
    got, deadline = b"", time.monotonic() + 20
    while wanted not in got and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0.5)[0]:
            got += os.read(descriptor, 65_536)
    assert wanted in got
    return got


def pool(**fields: Any) -> dict[str, Any]:
    return {
        "provider": "lab", "unit": "requests", "window": 60.0, "clock": "rolling", "members": [], "keys": ["k"],
        "used": 3.0, "limit": 30.0, "left": 27.0, "unlimited": False, "stated": "declared", "evidence": "a page",
        "checked": "2026-11-23", "believed_until": None, "closed_until": None, "resets_at": 1030.0,
        "burn_rate": 0.5, "exhausted_at": None, **fields,
    }  # fmt: skip


def quotas(count: int) -> dict[str, Any]:
    left = {"until": 2000.0, "requests": 1, "tokens": 1500}
    totals = {
        "input_tokens": 1000, "output_tokens": 500, "today": left, "month": left, "routes": 1, "uncounted": 0,
    }  # fmt: skip
    return {"at": 1000.0, "pools": [pool() for _ in range(count)], "totals": totals}


def activity(count: int) -> dict[str, Any]:
    under_way = {"id": "req_1", "requested": "auto", "asking": None, "failed_attempts": 0, "since": 999.0}
    last = {
        "provider": "lab", "model": "a" * 70, "error": None, "status": 200, "input_tokens": 1, "output_tokens": 2,
        "duration_ms": 30.0, "attempts": 1,
    }  # fmt: skip
    closed = {"what": "model lab/a", "kind": "overloaded", "stated": False, "until": 1030.0}
    return {
        "at": 1000.0,
        "under_way": [under_way] * count,
        "last": [last] * count,
        "closed": [closed] * count,
    }


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "says"),
        [(0, "0 s"), (-3, "0 s"), (0.2, "1 s"), (61, "1 min 1 s"), (3600, "1 h"), (90_061, "1 d 1 h")],
    )
    def test_a_time_is_told_in_its_two_largest_units(self, seconds: float, says: str) -> None:
        assert words.lasting(seconds) == says

    @pytest.mark.parametrize(
        ("rate", "says"),
        [(0.0, None), (2.0, "2/s"), (0.5, "30/min"), (0.001, "3.6/h"), (2e-5, "1.7/day"), (1e-9, None)],
    )
    def test_a_rate_is_told_so_that_it_can_be_read(self, rate: float, says: str | None) -> None:
        assert words.rate(pool(burn_rate=rate)) == says

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({}, "not before it resets"),
            ({"exhausted_at": 1012.0}, "in 12 s"),
            ({"exhausted_at": 1000.0}, "now"),
            ({"closed_until": 1060.0}, "closed by the service for 1 min"),
            ({"unlimited": True}, "never: a key without limits"),
            ({"limit": None, "left": None}, None),
            ({"burn_rate": 0.0}, None),
        ],
    )
    def test_how_long_a_pool_lasts(self, fields: dict[str, Any], says: str | None) -> None:
        assert words.lasts(pool(**fields), 1000.0) == says

    def test_a_limit_is_told_with_its_unit_and_its_source(self) -> None:
        assert words.limit(pool()) == "30 requests/min"
        assert words.limit(pool(limit=None, window=18_000.0)) == "? requests/5 h"
        assert words.limit(pool(unit="tokens", window=2.6e6, clock="month")) == "30 tokens/month"
        assert words.limit(pool(unit="concurrent", window=None, limit=2.0)) == "2 requests at once"
        assert words.source(pool(), 0.0) == "declared, read on 2026-11-23"
        learned = pool(stated="learned", evidence="stated by an answer", believed_until=60.0)
        assert words.source(learned, 0.0) == "learned: stated by an answer; believed for 1 min"
        assert words.models(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, "<html>", "is no freellm"),
        (404, '{"detail": "nothing here"}', "is no freellm"),
        (401, '{"error": {"message": "this is not the unified key"}}', "this is not the unified key"),
    ],
)
def test_what_answers_and_is_no_freellm_is_told_apart(
    line: Commandline, status: int, body: str, says: str
) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=body)

    with answering(answer) as url:
        assert says in line.refused("top", "--url", url, exit_code=1)
