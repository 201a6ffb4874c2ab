"""Nothing that was dispatched is forgotten: over a restart, and over kill -9."""

from __future__ import annotations

import json
import random
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from processes import freellm_serving
from upstreams import CountingUpstream

KEY = "fl-key-of-the-restart-tests"


@pytest.fixture
def upstream() -> Iterator[CountingUpstream]:
    with CountingUpstream() as running:
        yield running


def variables(folder: Path, upstream: CountingUpstream) -> dict[str, str]:
    return {
        "FREELLM_DATA_DIR": str(folder / "data"),
        "FREELLM_CONFIG_DIR": str(folder / "config"),
        "FREELLM_API_KEY": KEY,
        "FREELLM_LOAD_PLUGINS": "groq",
        "FREELLM_GROQ_BASE_URL": upstream.url,
        "GROQ_API_KEY": "gsk_restart",
        "FREELLM_MAX_WAIT": "0",
    }


def status_of(url: str, body: dict[str, Any]) -> int:
    """Send a request; return the HTTP status, 0 when the server is gone."""
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def chat(url: str) -> int:
    """Ask the one model whose quota is watched; return the HTTP status, 0 when the server is gone."""
    body = {
        "model": "groq/openai/gpt-oss-120b",
        "max_tokens": 8,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    return status_of(f"{url}/v1/chat/completions", body)


def until_exhausted(url: str) -> int:
    """Ask until the proxy says that the quota is spent; return how many were answered."""
    for served in range(40):
        status = chat(url)
        if status == 429:
            return served
        assert status == 200
    raise AssertionError("30 requests a minute are never spent")


def test_a_restart_remembers_what_was_spent(tmp_path: Path, upstream: CountingUpstream) -> None:
    with freellm_serving([], variables(tmp_path, upstream)) as (_, facts):
        for _ in range(12):
            assert chat(facts["url"]) == 200
    with freellm_serving([], variables(tmp_path, upstream)) as (_, facts):
        assert until_exhausted(facts["url"]) == 18
    assert upstream.count == 30


@pytest.mark.parametrize("round_", range(3))
def test_a_killed_server_has_forgotten_no_dispatched_request(
    tmp_path: Path, upstream: CountingUpstream, round_: int
) -> None:
    """Four clients at once, killed in the middle: what the upstream has seen still counts after the restart."""
    moment = random.Random(round_).uniform(0.05, 0.6)
    with freellm_serving([], variables(tmp_path, upstream)) as (process, facts):
        clients = [threading.Thread(target=lambda: [chat(facts["url"]) for _ in range(5)]) for _ in range(4)]
        for client in clients:
            client.start()
        killer = threading.Timer(moment, process.send_signal, [signal.SIGKILL])
        killer.start()
        for client in clients:
            client.join()
        killer.join()
        process.wait()
    before: Any = upstream.count
    with freellm_serving([], variables(tmp_path, upstream)) as (_, facts):
        until_exhausted(facts["url"])
    assert before <= upstream.count <= 30


class HangingUpstream(ThreadingHTTPServer):
    """An embeddings service that counts the texts it is asked for, and answers only once it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Embeds)
        self.texts = 0
        self.heard, self.answers = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Embeds(BaseHTTPRequestHandler):
    server: HangingUpstream

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["requests"]
        self.server.texts += len(asked)
        self.server.heard.set()
        if not self.server.answers.wait(timeout=0 if self.server.answers.is_set() else 20):
            return
        answer = json.dumps({"embeddings": [{"values": [1.0] + [0.0] * 3071}] * len(asked)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the tests' output quiet."""


def embed(url: str, texts: int) -> int:
    """Ask for vectors; return the HTTP status, 0 when the server is gone."""
    body = {"model": "gemini-embedding-001", "input": ["a"] * texts}
    return status_of(f"{url}/v1/embeddings", body)


def test_a_killed_server_remembers_every_text_of_a_batch_under_way(tmp_path: Path) -> None:
    """60 of 100 texts a minute were asked for when the server was killed: 40 are left, and not 99."""
    with HangingUpstream() as hanging:
        serving = threading.Thread(target=hanging.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        folder = {
            "FREELLM_DATA_DIR": str(tmp_path / "data"),
            "FREELLM_CONFIG_DIR": str(tmp_path / "config"),
            "FREELLM_API_KEY": KEY,
            "FREELLM_LOAD_PLUGINS": "google",
            "FREELLM_GOOGLE_BASE_URL": hanging.url,
            "GEMINI_API_KEY": "AIza-restart",
        }
        try:
            with freellm_serving([], folder) as (process, facts):
                asking = threading.Thread(target=embed, args=(facts["url"], 60))
                asking.start()
                assert hanging.heard.wait(20)
                process.send_signal(signal.SIGKILL)
                process.wait()
                asking.join()
            hanging.answers.set()
            with freellm_serving([], folder) as (_, facts):
                assert embed(facts["url"], 41) == 429
                assert embed(facts["url"], 40) == 200
            assert hanging.texts == 100
        finally:
            hanging.answers.set()
            hanging.shutdown()
            serving.join()
