"""The benchmark works: its instruments count rightly, and a very short run gives every figure."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from aiohttp import ClientSession

from benchmarks import answers, open_pages, page
from benchmarks.client import Target
from benchmarks.load import Load, measure, percentile
from benchmarks.report import ratios, verdicts
from benchmarks.upstream import serve

TESTS = Path(__file__).parent
LIVE = TESTS.parent / "plugins" / "freellm_dashboard" / "web" / "src" / "api" / "live.ts"
CHAT = {"model": "some-model", "messages": [{"role": "user", "content": "hello"}]}
GROQ = "/groq/openai/v1/chat/completions"
CLOUDFLARE = "/cloudflare/client/v4/accounts/0123456789abcdef0123456789abcdef/ai/v1/chat/completions"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A mock upstream in this process."""
    server = await serve(0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def ask(port: int, path: str, body: dict[str, Any]) -> bytes:
    """Post with a client that knows all of HTTP, and return a 200's body."""
    async with (
        ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}{path}", data=orjson.dumps(body)) as answer,
    ):
        assert answer.status == 200
        return await answer.read()


def events(body: bytes, separator: bytes) -> list[bytes]:
    """Split an event stream into the data of its events."""
    *framed, rest = body.split(separator)
    assert rest == b""
    assert all(event.startswith(b"data: ") for event in framed)
    return [event.removeprefix(b"data: ") for event in framed]


@pytest.mark.parametrize("path", [GROQ, CLOUDFLARE])
async def test_the_upstream_completes_under_the_model_that_was_asked_for(port: int, path: str) -> None:
    completion = json.loads(await ask(port, path, CHAT))
    assert completion["model"] == "some-model"
    assert completion["choices"][0]["message"]["content"] == answers.TEXT


async def test_the_upstream_streams_its_chunks_then_the_usage_then_done(port: int) -> None:
    *chunks, usage, done = events(await ask(port, GROQ, {**CHAT, "stream": True}), b"\n\n")
    assert len(chunks) == answers.CHUNKS
    assert json.loads(chunks[-1])["choices"][0]["finish_reason"] == "stop"
    assert json.loads(usage)["usage"] == answers.USAGE
    assert done == b"[DONE]"


async def test_the_upstream_speaks_gemini(port: int) -> None:
    base = "/google/v1beta/models/some-gemini"
    whole = json.loads(await ask(port, f"{base}:generateContent", {"contents": []}))
    frames = events(await ask(port, f"{base}:streamGenerateContent?alt=sse", {"contents": []}), b"\r\n\r\n")
    assert whole["modelVersion"] == "some-gemini"
    assert len(frames) == answers.CHUNKS
    assert json.loads(frames[-1])["candidates"][0]["finishReason"] == "STOP"


async def load(port: int, path: str, body: bytes, least_events: int = 0) -> Load:
    """Put a tenth of a second of load on a port."""
    return await measure(Target(port, path, body, least_events), connections=4, seconds=0.1, warm_up=0.01)


async def test_the_load_generator_measures_completions(port: int) -> None:
    result = await load(port, GROQ, orjson.dumps(CHAT))
    assert (result.errors, result.refused, result.first_error) == (0, 0, "")
    assert result.requests_per_second > 0
    assert 0 < result.p50_ms <= result.p90_ms <= result.p99_ms


async def test_paced_connections_ask_in_time_and_not_as_fast_as_they_can(port: int) -> None:
    target = Target(port, GROQ, orjson.dumps(CHAT))
    paced = await measure(target, connections=4, seconds=0.5, warm_up=0.1, rate=100.0)
    assert (paced.errors, paced.refused) == (0, 0)
    assert 0 < paced.answers <= 64


async def test_the_load_generator_counts_every_event_of_a_stream(port: int) -> None:
    result = await load(port, GROQ, orjson.dumps({**CHAT, "stream": True}), answers.CHUNKS + 2)
    assert result.errors == 0
    assert result.events_per_second > result.requests_per_second > 0


async def test_a_stream_with_fewer_events_than_promised_is_an_error(port: int) -> None:
    result = await load(port, GROQ, orjson.dumps({**CHAT, "stream": True}), answers.CHUNKS + 3)
    assert result.requests_per_second == 0
    assert result.errors == result.answers > 0
    assert "not whole: 102 events" in result.first_error


async def test_a_refusal_is_counted_and_quoted(port: int) -> None:
    result = await load(port, "/nowhere", orjson.dumps(CHAT))
    assert result.requests_per_second == 0
    assert result.refused == result.answers > 0
    assert result.first_error.startswith("404")
    assert "no such path" in result.first_error


async def test_a_lost_connection_is_an_error() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    result = await load(server.sockets[0].getsockname()[1], GROQ, orjson.dumps(CHAT))
    server.close()
    await server.wait_closed()
    assert result.errors > 0
    assert "connection lost" in result.first_error
    assert math.isnan(result.p50_ms)


def test_a_percentile_is_the_value_below_which_that_part_lies() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], part) for part in (0.0, 0.5, 0.99, 1.0)] == [1, 3, 4, 4]


def test_ratios_are_taken_inside_each_round_so_a_drifting_machine_does_not_move_them() -> None:
    rounds = [
        {"direct": {}, "bare": {"chat_per_second": speed}, "freellm": {"chat_per_second": speed * 0.8}}
        for speed in (1000.0, 3000.0, 500.0)
    ]
    assert ratios(rounds) == {"chat_per_second": pytest.approx(0.8)}


def test_an_aim_is_met_on_its_own_side_of_the_bound() -> None:
    found = verdicts({"freellm": {"first_answer_s": 1.2, "idle_mb": 60.0}}, {"chat_per_second": 0.75})
    assert {one["figure"]: one["met"] for one in found} == {
        "chat_per_second": True,
        "first_answer_s": False,
        "idle_mb": True,
    }


def run_briefly(*options: str) -> dict[str, Any]:
    """Run the command itself with one very short round, and return what it printed."""
    command = [sys.executable, "-m", "benchmarks", "--json", "--rounds", "1", "--seconds", "0.1", *options]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def assert_measured(result: dict[str, Any], contestant: str) -> None:
    """Every figure of a contestant is there and is a number; all but the differences are above zero."""
    figures = result["medians"][contestant]
    assert all(isinstance(value, float) and math.isfinite(value) for value in figures.values())
    counted = (
        "chat_per_second",
        "single_p50_ms",
        "chunks_per_second",
        "idle_mb",
        "loaded_mb",
        "first_answer_s",
    )
    assert all(figures[figure] > 0 for figure in counted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_early_ends_its_processes(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "bare", "--seconds", "30"]
    with subprocess.Popen(command, cwd=TESTS, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        assert b"round 1" in run.stderr.readline()
        started = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(number)
        assert run.wait(10) == 1
    assert len(started) == 1
    assert not any(process.is_running() for process in started)


def test_the_page_of_the_kit_reads_what_the_pages_read() -> None:
    source = LIVE.read_text("utf-8")
    table = source.partition("export const TOPICS")[2].partition("};")[0]
    topics = {
        name: tuple(re.findall(r'"(\w+)"', listed)) for name, listed in re.findall(r"(\w+): \[(.*?)\]", table)
    }
    assert topics == page.TOPICS
    assert f"const PACE = {page.PACE * 1000:_.0f};" in source


def can_run_freellm() -> bool:
    """Whether `python -m freellm` is installed; told without importing it, so a broken one fails its own test."""
    spec = importlib.util.find_spec("freellm")
    folders = spec.submodule_search_locations if spec else None
    return any(Path(folder, "__main__.py").exists() for folder in folders or ())


@pytest.mark.skipif(not can_run_freellm(), reason="freellm cannot be run yet")
def test_a_short_run_gives_every_figure_of_both_proxies_and_no_error() -> None:
    result = run_briefly("--keys-each", "1")
    assert result["errors"] == []
    assert_measured(result, "bare")
    assert_measured(result, "freellm")
    assert result["ratios"].keys() >= {"chat_per_second", "chunks_per_second"}
    assert sum(result["served_by"].values()) > 0


@pytest.mark.skipif(not can_run_freellm(), reason="freellm cannot be run yet")
def test_a_short_run_with_pages_open_gives_every_figure() -> None:
    (played,) = open_pages.play(rounds=1, seconds=0.6, keys_each=1)
    assert played.keys() == {"closed", "overview", "analytics"}
    for name in page.PAGES:
        assert played[name]["flat_per_second"] > 0
        assert played[name]["asked_per_second"] > 0
        assert all(math.isfinite(value) for value in open_pages.ratios([played])[name].values())
    assert played["closed"]["asked_per_second"] == 0
