"""Nothing that was dispatched is forgotten: over a restart, and over kill -9."""

from __future__ import annotations

import json
import random
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
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
    }


def chat(url: str) -> int:
    """Ask the one model whose quota is watched; return the HTTP status, 0 when the server is gone."""
    body = {
        "model": "groq/openai/gpt-oss-120b",
        "max_tokens": 8,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    request = urllib.request.Request(
        f"{url}/v1/chat/completions",
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
