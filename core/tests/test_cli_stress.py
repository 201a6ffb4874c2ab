import asyncio
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from commandline import Commandline, answering
from freellm.cli.target import find_target
from freellm.errors import SettingsError
from freellm.measuring import Hop, Passed, Result, figures, phases
from freellm.measuring.answers import read_events, read_headers, read_whole
from freellm.measuring.results import spread
from processes import environment

KEY = "fl-the-unified-key-of-this-test"
GROQ, GOOGLE, LLAMA = "groq/openai/gpt-oss-120b", "google/gemini-2.5-flash", "groq/llama-3.3-70b-versatile"


def served(first: int, last: int, model: str | None, **fields: Any) -> list[Result]:
    if model is None:
        fields = {"status": 502, "error": "upstream_error", "message": "no route could answer", **fields}
    return [
        Result(number=n, status=200, model=model) if model else Result(number=n, **fields)
        for n in range(first, last + 1)
    ]


def test_the_phases_of_the_article_are_found() -> None:
    results = [
        *served(1, 61, GROQ),
        *served(62, 65, GOOGLE),
        *served(66, 66, None),
        *served(67, 100, LLAMA),
    ]
    results[61].passed_over = [Passed(GROQ, "quota", "30 of 30 requests per minute are used")]
    results[66].trail = [Hop(GOOGLE, "rate_limited")]
    results[66].passed_over = [Passed(GROQ, "quota", "its tokens are used")]
    found = phases(results)
    assert [(p.phase, p.first, p.last, p.requests, p.model) for p in found] == [
        (1, 1, 61, 61, GROQ),
        (2, 62, 65, 4, GOOGLE),
        (3, 66, 66, 1, None),
        (4, 67, 100, 34, LLAMA),
    ]
    assert [p.why for p in found] == [
        "first choice",
        f"{GROQ}: 30 of 30 requests per minute are used",
        "upstream_error: no route could answer",
        f"{GOOGLE}: rate-limited upstream; {GROQ}: its tokens are used",
    ]


def test_a_model_that_opens_again_and_ranks_better_takes_over() -> None:
    assert phases([*served(1, 2, GOOGLE), *served(3, 3, GROQ)])[1].why == "open again, and ranks better"


def test_a_model_that_answers_again_after_failures_is_no_switch() -> None:
    found = phases([*served(1, 2, GROQ), *served(3, 3, None), *served(4, 4, GROQ)])
    assert [p.why for p in found] == [
        "first choice",
        "upstream_error: no route could answer",
        "answers again",
    ]


def test_the_first_phase_says_who_would_have_been_better() -> None:
    (first,) = served(1, 1, LLAMA)
    first.passed_over = [Passed(f"p/{n}", "ability", "it lacks tools") for n in range(5)]
    why = phases([first])[0].why
    assert why == "the best one open; p/0: it lacks tools; p/1: it lacks tools; and 3 more"


@given(st.lists(st.sampled_from([GROQ, GOOGLE, None]), max_size=30))
def test_phases_cover_every_request_once_and_differ_from_their_neighbours(models: list[str | None]) -> None:
    results = [row for n, model in enumerate(models, 1) for row in served(n, n, model)]
    found = phases(results)
    assert [n for p in found for n in range(p.first, p.last + 1)] == list(range(1, len(models) + 1))
    assert all(one.model != other.model for one, other in itertools.pairwise(found))
    assert sum(p.requests for p in found) == len(models)


def test_the_figures_are_counted() -> None:
    results = [
        *served(1, 3, GROQ),
        *served(4, 4, GOOGLE),
        *served(5, 5, None, status=429, error="rate_limit_exceeded", message="later"),
    ]
    for result, ms in zip(results, (10.0, 20.0, 30.0, 400.0, 5.0), strict=True):
        result.ms = ms
    results[3].attempts = 2
    results[3].trail = [Hop(GROQ, "rate_limited"), Hop(LLAMA, "overloaded")]
    results[4].trail = [Hop(GROQ, "quota_exhausted")]
    counted = figures(results)
    assert (counted["succeeded"], counted["failed"], counted["success_rate"]) == (4, 1, 0.8)
    assert (counted["client_429s"], counted["upstream_429s"]) == (1, 2)
    assert counted["models"] == {GROQ: 3, GOOGLE: 1}
    assert counted["fallback_attempts"] == {0: 4, 2: 1}
    assert counted["latency_ms"] == {"min": 10.0, "p50": 20.0, "p95": 400.0, "max": 400.0}
    assert counted["first_byte_ms"] is None
    assert counted["errors"] == {
        "rate_limit_exceeded": {"count": 1, "status": 429, "request": 5, "example": "later"}
    }


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_spread_is_in_order_and_of_values_that_occurred(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    ordered = [found[name] for name in ("min", "p50", "p95", "max")]
    assert ordered == sorted(ordered)
    assert set(ordered) <= set(values)
    assert (found["min"], found["max"]) == (min(values), max(values))


def test_headers_say_who_answered_and_what_was_tried() -> None:
    result = Result(number=1)
    headers = {
        "X-Routed-Via": "cloudflare/@cf/meta/llama%20x",
        "X-Fallback-Attempts": "2",
        "X-Fallback-Trail": "groq/openai/gpt-oss-120b=rate_limited, google/gemini-2.5-flash=timeout",
        "X-Request-Id": "req_1",
    }
    read_headers(result, 200, headers)
    assert (result.model, result.attempts, result.request_id) == ("cloudflare/@cf/meta/llama x", 2, "req_1")
    assert result.trail == [Hop(GROQ, "rate_limited"), Hop(GOOGLE, "timeout")]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"choices": [{"message": {}}]}', None),
        (200, b'{"choices": []}', "not_a_completion"),
        (200, b"<html>hello</html>", "not_a_completion"),
        (500, b"oops", "http_500"),
        (429, b'{"error": {"message": "m", "code": "rate_limit_exceeded"}}', "rate_limit_exceeded"),
        (200, b'{"error": {"message": "m", "type": "api_error", "code": null}}', "api_error"),
    ],
)
def test_whole_answers_are_judged(status: int, body: bytes, error: str | None) -> None:
    result = Result(number=1, status=status)
    read_whole(result, body)
    assert result.error == error


def test_an_errors_attempts_are_its_trail() -> None:
    result = Result(number=1, status=429)
    attempts = [{"route": GROQ, "class": "rate_limited", "status": 429}]
    read_whole(
        result,
        json.dumps({"error": {"message": "m", "code": "c", "x_freellm": {"attempts": attempts}}}).encode(),
    )
    assert result.trail == [Hop(GROQ, "rate_limited")]
    assert result.attempts == 1


DELTA = b'{"choices": [{"delta": {"content": "x"}, "finish_reason": null}]}'
END = (
    b'{"choices": [{"delta": {}, "finish_reason": "stop"}], "_routed_via": {"platform": "groq", "model": "m"},'
    b' "x_freellm": {"fallback_attempts": 1, "passed_over": [{"route": "a/b", "reason": "quota", "detail": "d"}]}}'
)


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([DELTA, END, b"[DONE]"], None),
        ([DELTA, END], "stream_cut"),
        ([DELTA, b"[DONE]"], "stream_cut"),
        ([], "stream_cut"),
        ([DELTA, b'{"error": {"message": "m", "code": "network"}}'], "network"),
        ([b"nonsense"], "not_a_chunk"),
    ],
)
def test_streams_are_judged_by_how_they_end(events: list[bytes], error: str | None) -> None:
    result = Result(number=1, status=200)
    read_events(result, events)
    assert result.error == error


def test_a_streams_last_chunk_says_who_was_passed_over() -> None:
    result = Result(number=1, status=200)
    read_events(result, [DELTA, END, b"[DONE]"])
    assert (result.model, result.attempts) == ("groq/m", 1)
    assert result.passed_over == [Passed("a/b", "quota", "d")]


class Proxy:
    """What a stress test sees of a proxy.

    :ivar url: its root
    :ivar bodies: the requests it got
    """

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[dict[str, Any]] = []
        self.four = asyncio.Barrier(4)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response(
                {"error": {"message": "wrong key", "code": "invalid_api_key"}}, status=401
            )
        if request.path == "/v1/models":
            return web.json_response({"object": "list", "data": []})
        return await self.complete(request)

    async def complete(self, request: web.BaseRequest) -> web.StreamResponse:
        self.bodies.append(await request.json())
        if self.bodies[-1]["model"] == "four at once":
            async with asyncio.timeout(10):
                await self.four.wait()
        if self.bodies[-1]["model"] == "two at most" and len(self.bodies) > 2:
            await asyncio.sleep(30)
        if self.bodies[-1]["model"] == "hang up":
            assert request.transport is not None
            request.transport.close()
        if self.bodies[-1]["model"] == "missing":
            return web.json_response(
                {"error": {"message": "no such model", "code": "model_not_found"}}, status=404
            )
        late = len(self.bodies) > 3
        headers = {
            "X-Routed-Via": GOOGLE if late else GROQ,
            "X-Fallback-Attempts": str(int(len(self.bodies) == 4)),
        }
        if len(self.bodies) == 4:
            headers["X-Fallback-Trail"] = f"{GROQ}=rate_limited"
        if self.bodies[-1].get("stream"):
            headers["Content-Type"] = "text/event-stream; charset=utf-8"
            text = b": keep-alive\n\n" + b"".join(
                b"data: " + data + b"\n\n" for data in (DELTA, END, b"[DONE]")
            )
            return web.Response(body=text, headers=headers)
        passed = [{"route": GROQ, "reason": "quota", "detail": "all used"}] if late else []
        body = {"choices": [{"message": {"content": "x"}}], "x_freellm": {"passed_over": passed}}
        return web.json_response(body, headers=headers)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    with answering(made.answer) as made.url:
        yield made


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    return Commandline(tmp_path, FREELLM_API_KEY=KEY)


def test_a_stress_test_prints_the_phases_and_the_figures(line: Commandline, proxy: Proxy) -> None:
    told = line.run("stress", "--url", proxy.url, "--requests", "6", "--delay", "0").stdout
    assert [row.split() for row in told.splitlines() if row.startswith("Phase")] == [
        ["Phase", "1", "1-3", GROQ, "first", "choice"],
        ["Phase", "2", "4-6", GOOGLE, f"{GROQ}:", "rate-limited", "upstream"],
    ]
    lines = {name: value.strip() for name, _, value in (row.partition(":") for row in told.splitlines())}
    assert lines["Success rate"] == "100.0% (6 of 6)"
    assert lines["Client-facing 429s"] == "0"
    assert lines["Upstream 429s"] == "1"
    assert lines["Models served"] == f"{GROQ} (3), {GOOGLE} (3)"
    assert lines["X-Fallback-Attempts"] == "0 on 5 requests, 1 on 1 requests"
    assert lines["Latency"].startswith("min ")
    assert proxy.bodies[0] == {
        "model": "auto",
        "messages": [
            {"role": "user", "content": "Give me one interesting fact about space in exactly 20 words."}
        ],
    }


def test_a_stress_test_is_a_document(line: Commandline, proxy: Proxy) -> None:
    told = line.document(
        "stress", "--url", f"{proxy.url}/v1/", "--requests", "5", "--delay", "0", "--max-tokens", "9"
    )
    assert (told["succeeded"], told["failed"], told["client_429s"], told["upstream_429s"]) == (5, 0, 0, 1)
    assert told["fallback_attempts"] == {"0": 4, "1": 1}
    assert [(phase["first"], phase["last"], phase["model"]) for phase in told["phases"]] == [
        (1, 3, GROQ),
        (4, 5, GOOGLE),
    ]
    assert [row["number"] for row in told["results"]] == [1, 2, 3, 4, 5]
    assert told["results"][3]["trail"] == [{"route": GROQ, "kind": "rate_limited"}]
    assert told["results"][4]["passed_over"] == [{"route": GROQ, "reason": "quota", "detail": "all used"}]
    assert all(row["ms"] >= row["first_byte_ms"] > 0 for row in told["results"])
    assert {body["max_tokens"] for body in proxy.bodies} == {9}


def test_streams_are_read_to_their_end(line: Commandline, proxy: Proxy) -> None:
    told = line.document("stress", "--url", proxy.url, "--requests", "2", "--delay", "0", "--stream")
    assert told["succeeded"] == 2
    assert told["models"] == {"groq/m": 2}
    assert all(body["stream"] for body in proxy.bodies)


def test_requests_run_side_by_side_on_request(line: Commandline, proxy: Proxy) -> None:
    arguments = ("--requests", "8", "--delay", "0", "--concurrency", "4", "--model", "four at once")
    told = line.document("stress", "--url", proxy.url, *arguments)
    assert told["succeeded"] == 8
    assert [row["number"] for row in told["results"]] == list(range(1, 9))


def test_a_stress_test_that_is_stopped_tells_what_there_is(line: Commandline, proxy: Proxy) -> None:
    arguments = ("--url", proxy.url, "--requests", "9", "--delay", "0", "--model", "two at most", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "freellm", "stress", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**line.variables),
    )
    deadline = time.monotonic() + 30
    while len(proxy.bodies) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert error == ""
    told = json.loads(out)
    assert (told["interrupted"], told["requests"], told["succeeded"]) == (True, 9, 2)


def test_the_delay_stands_between_requests_and_not_behind_the_last(line: Commandline, proxy: Proxy) -> None:
    started = time.perf_counter()
    told = line.document("stress", "--url", proxy.url, "--requests", "3", "--delay", "0.1")
    assert 0.2 <= told["duration_s"] <= time.perf_counter() - started


def test_failed_requests_are_told_with_an_example_and_exit_1(line: Commandline, proxy: Proxy) -> None:
    ran = line.run(
        "stress", "--url", proxy.url, "--requests", "2", "--delay", "0", "--model", "missing", exit_code=1
    )
    assert "2 x model_not_found (status 404), such as request 1: no such model" in ran.stdout
    assert "nobody" in ran.stdout
    assert "2 of 2 requests failed" in ran.stderr


def test_a_connection_that_breaks_is_a_failed_request(line: Commandline, proxy: Proxy) -> None:
    told = line.document(
        "stress", "--url", proxy.url, "--requests", "1", "--delay", "0", "--model", "hang up", exit_code=1
    )
    assert told["errors"]["connection_lost"]["count"] == 1


def test_a_wrong_key_is_said_before_anything_is_fired(line: Commandline, proxy: Proxy) -> None:
    line.variables["FREELLM_API_KEY"] = "fl-another-key"
    sentence = line.refused("stress", "--url", proxy.url)
    assert "refuses the key" in sentence
    assert "fl-another-key" not in sentence
    assert proxy.bodies == []


def test_a_proxy_that_does_not_run_is_said_with_how_to_start_it(line: Commandline) -> None:
    sentence = line.refused("stress", "--url", "http://127.0.0.1:9", exit_code=1)
    assert "no proxy answers at http://127.0.0.1:9" in sentence
    assert "freellm serve" in sentence


def test_the_key_comes_from_the_data_folder_when_the_variable_is_unset(
    line: Commandline, tmp_path: Path
) -> None:
    del line.variables["FREELLM_API_KEY"]
    key = line.run("apikey", "show").stdout.strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FREELLM_CONFIG_DIR", line.variables["FREELLM_CONFIG_DIR"])
        patch.delenv("FREELLM_API_KEY", raising=False)
        assert find_target(None, "FREELLM_API_KEY", line.data) == ("http://127.0.0.1:3001", key)
        assert find_target("localhost:4000/v1/", "FREELLM_API_KEY", line.data) == (
            "http://localhost:4000",
            key,
        )
        patch.setenv("OTHER", "fl-other")
        assert find_target(None, "OTHER", line.data) == ("http://127.0.0.1:3001", "fl-other")
        with pytest.raises(SettingsError, match="not on this machine"):
            find_target("https://proxy.example", "FREELLM_API_KEY", line.data)
        empty = tmp_path / "empty"
        assert find_target(None, "FREELLM_API_KEY", empty)[1] == ""
        assert not empty.exists()


def test_the_address_is_that_of_the_settings(line: Commandline) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FREELLM_API_KEY", KEY)
        patch.setenv("FREELLM_PORT", "4711")
        patch.setenv("FREELLM_HOST", "::1")
        assert find_target(None, "FREELLM_API_KEY", line.data)[0] == "http://[::1]:4711"
        patch.setenv("FREELLM_HOST", "0.0.0.0")
        assert find_target(None, "FREELLM_API_KEY", line.data)[0] == "http://127.0.0.1:4711"
        with pytest.raises(SettingsError, match="--url"):
            find_target("ftp://x", "FREELLM_API_KEY", line.data)
