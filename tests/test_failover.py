"""What a client sees when providers misbehave: an answer while anyone can give one, else an error it can read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from faults.faultup import MODES, FaultUp, faultup
from freellm.testing import check_completion, check_error, check_stream
from running import RunningProxy, running_proxy

BEFORE_THE_FIRST_DELTA = sorted(
    {
        "rst_pre", "rst_headers", "html200", "empty200", "trunc_json", "204", "cl_short", "bad_chunk", "err200",
        "err_first", "empty_choices", "null_content", "done_only", "401", "403", "429", "500", "503", "529",
        "redirect", "badgzip", "gzipbomb", "deepjson", "hdr_bomb",
    }
    & set(MODES)
)  # fmt: skip
AFTER_IT = sorted({"rst_mid", "eof_mid", "err_mid", "badjson_mid", "no_finish"} & set(MODES))
HARMLESS = sorted(
    {"ok", "no_done", "dup_done", "comments", "split_utf8", "crlf_sse", "cr_sse", "bom_sse", "drip"}
    & set(MODES)
)


@asynccontextmanager
async def bad_and_good(folder: Path, mode: str) -> AsyncIterator[tuple[RunningProxy, FaultUp]]:
    """Run a proxy whose better provider misbehaves and whose other one is well."""
    async with faultup() as upstream:
        base_urls = {"groq": upstream.url(mode), "cloudflare": upstream.url("ok")}
        async with running_proxy(folder, base_urls, stall_timeout=2.0) as proxy:
            yield proxy, upstream


def test_the_matrix_names_modes_that_exist() -> None:
    assert len(BEFORE_THE_FIRST_DELTA) >= 20
    assert AFTER_IT
    assert HARMLESS


WHOLE_ONLY = {"bad_chunk", "cl_short"}
"""Faults that a stream only shows after its first delta, or when nothing is missing from it any more."""

CASES = [(mode, stream) for mode in BEFORE_THE_FIRST_DELTA for stream in (False, True)]


@pytest.mark.parametrize(
    ("mode", "stream"), [case for case in CASES if not (case[1] and case[0] in WHOLE_ONLY)]
)
async def test_a_provider_that_fails_before_its_first_delta_is_never_noticed(
    tmp_path: Path, mode: str, stream: bool
) -> None:
    async with bad_and_good(tmp_path, mode) as (proxy, upstream):
        response = await proxy.chat(stream=stream)
        body = await response.read()
        assert response.status == 200, body
        assert response.headers["X-Routed-Via"].startswith("cloudflare/")
        assert int(response.headers["X-Fallback-Attempts"]) >= 1
        assert upstream.count(mode) >= 1
        if stream:
            assert check_stream(body).finish_reason == "stop"
        else:
            check_completion(json.loads(body))


@pytest.mark.parametrize("mode", AFTER_IT)
async def test_a_stream_that_breaks_after_its_first_delta_ends_in_one_error_frame(
    tmp_path: Path, mode: str
) -> None:
    async with bad_and_good(tmp_path, mode) as (proxy, _):
        response = await proxy.chat(stream=True)
        report = check_stream(await response.read())
        assert response.status == 200
        assert response.headers["X-Routed-Via"].startswith("groq/")
        assert report.error is not None
        assert report.finish_reason is None
        assert report.text


@pytest.mark.parametrize("mode", HARMLESS)
async def test_odd_framing_is_repaired_and_not_failed_over(tmp_path: Path, mode: str) -> None:
    async with bad_and_good(tmp_path, mode) as (proxy, _):
        response = await proxy.chat(stream=True, stream_options={"include_usage": True})
        report = check_stream(await response.read(), include_usage=True)
        assert response.headers["X-Routed-Via"].startswith("groq/")
        assert response.headers["X-Fallback-Attempts"] == "0"
        assert report.finish_reason == "stop"
        assert report.error is None


async def test_a_silent_provider_is_left_when_its_time_is_up(tmp_path: Path) -> None:
    async with bad_and_good(tmp_path, "stall_mid") as (proxy, _):
        response = await proxy.chat(stream=True)
        report = check_stream(await response.read())
        assert report.error is not None
        assert report.error["code"] == "timeout"


async def test_when_all_fail_the_error_lists_every_attempt(tmp_path: Path) -> None:
    async with faultup() as upstream:
        base_urls = {"groq": upstream.url("500"), "cloudflare": upstream.url("html200")}
        async with running_proxy(tmp_path, base_urls) as proxy:
            response = await proxy.chat()
            body = await response.json()
    check_error(body)
    assert response.status == 502
    assert body["error"]["code"] == "all_routes_failed"
    assert response.headers["X-Should-Retry"] == "false"
    classes = {attempt["class"] for attempt in body["error"]["x_freellm"]["attempts"]}
    assert classes == {"overloaded", "bad_answer"}
    assert len(body["error"]["x_freellm"]["attempts"]) <= 20


async def test_a_limit_everywhere_is_a_429_with_the_exact_wait(tmp_path: Path) -> None:
    async with (
        faultup() as upstream,
        running_proxy(tmp_path, {"groq": upstream.url("429")}, max_wait=0.0) as proxy,
    ):
        response = await proxy.chat("openai/gpt-oss-120b")
        body = await response.json()
    check_error(body)
    assert response.status == 429
    assert body["error"]["code"] == "all_routes_exhausted"
    assert int(response.headers["Retry-After"]) == -(-body["error"]["x_freellm"]["retry_after_ms"] // 1000)
    assert int(response.headers["Retry-After-Ms"]) == body["error"]["x_freellm"]["retry_after_ms"]


async def test_a_client_that_leaves_frees_the_upstream_and_the_server_goes_on(tmp_path: Path) -> None:
    async with faultup() as upstream, running_proxy(tmp_path, {"groq": upstream.url("endless")}) as proxy:
        body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        response = await proxy.session.post(
            f"{proxy.url}/v1/chat/completions", json=body, headers=proxy.headers
        )
        assert await response.content.readany()
        response.close()
        async with asyncio.timeout(2):
            await upstream.idle()
        async with proxy.session.get(f"{proxy.url}/livez") as alive:
            assert alive.status == 200
        await proxy.runtime.journal.flush()
        logged = proxy.runtime.store.request(response.headers["X-Request-Id"])
        assert logged is not None
        assert (logged.request.status, logged.request.error) == (499, "cancelled")


async def test_a_refused_key_is_probed_and_the_other_one_used(tmp_path: Path) -> None:
    async with faultup() as upstream:
        base_urls = {"groq": upstream.url()}
        async with running_proxy(tmp_path, base_urls, keys={"groq": ["gsk_one", "gsk_two"]}) as proxy:
            upstream.script.append("401")
            response = await proxy.chat("openai/gpt-oss-120b")
            assert response.status == 200
            assert response.headers["X-Fallback-Trail"] == "groq/openai/gpt-oss-120b=bad_key"


async def test_no_key_of_a_provider_is_ever_in_an_answer(tmp_path: Path) -> None:
    """The refusal echoes the key, as many services do."""
    async with faultup() as upstream, running_proxy(tmp_path, {"groq": upstream.url("401")}) as proxy:
        response = await proxy.chat()
        assert "gsk_test" not in await response.text()
        assert response.status == 502
