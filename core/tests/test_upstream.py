"""Requests to providers and their whole answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from faults import wire
from faults.faultup import MODES, FaultUp, faultup, refused_url
from freellm.errors import UpstreamError
from freellm.types import Answer, Kind, Upstream
from freellm.upstream import Exchange, UpstreamClient

CANARY = "sk-canary-7f3a9b"
HEADERS = {"Authorization": f"Bearer {CANARY}"}


def chat(*, stream: bool = False, **more: Any) -> Upstream:
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        **({"stream": True} if stream else {}),
        **more,
    }
    return Upstream("POST", "/chat/completions", HEADERS, body, stream)


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient()
    yield client
    await client.close()


@pytest.fixture
async def upstream() -> AsyncIterator[FaultUp]:
    async with faultup() as server:
        yield server


async def send(
    client: UpstreamClient, base_url: str, request: Upstream | None = None, seconds: float = 5.0
) -> Exchange:
    return await client.send(request or chat(), base_url, local=True, first_byte_timeout=seconds)


async def answer(client: UpstreamClient, base_url: str, request: Upstream | None = None) -> Answer:
    return await (await send(client, base_url, request)).answer()


async def failure(
    client: UpstreamClient, base_url: str, request: Upstream | None = None, seconds: float = 5.0
) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await (await send(client, base_url, request, seconds)).answer()
    return caught.value


# -- what is sent -----------------------------------------------------------------------------------------------


async def test_a_request_is_sent_as_the_plugin_said_and_with_nothing_of_the_machine(
    client: UpstreamClient, upstream: FaultUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", "/nonexistent")
    await answer(client, upstream.url("ok") + "/v1", chat(temperature=0.5))
    request = upstream.requests[0]
    assert (request.method, request.path) == ("POST", "/mode/ok/v1/chat/completions")
    assert request.json()["temperature"] == 0.5
    names = {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "authorization",
        "content-type",
        "content-length",
    }
    assert set(request.headers) == names
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.headers["user-agent"].startswith("freellm")


async def test_a_get_has_neither_body_nor_content_type(client: UpstreamClient, upstream: FaultUp) -> None:
    await answer(client, upstream.url("ok"), Upstream("GET", "/models?limit=5"))
    request = upstream.requests[0]
    assert (request.method, request.path, request.body) == ("GET", "/mode/ok/models?limit=5", b"")
    assert "content-type" not in request.headers


async def test_the_plugins_own_content_type_wins(client: UpstreamClient, upstream: FaultUp) -> None:
    await answer(
        client, upstream.url("ok"), Upstream("POST", "/x", {"content-type": "application/x-json"}, {})
    )
    assert upstream.requests[0].headers["content-type"] == "application/x-json"


async def test_one_connection_serves_many_requests(client: UpstreamClient, upstream: FaultUp) -> None:
    for _ in range(5):
        await answer(client, upstream.url("ok"))
    assert (len(upstream.requests), upstream.connections) == (5, 1)


async def test_cookies_are_not_kept(client: UpstreamClient, upstream: FaultUp) -> None:
    for _ in range(2):
        await answer(client, upstream.url("cookies"))
    assert "cookie" not in upstream.requests[1].headers


async def test_a_redirect_is_an_answer_and_is_not_followed(client: UpstreamClient, upstream: FaultUp) -> None:
    found = await answer(client, upstream.url("redirect"))
    assert (found.status, found.headers["location"]) == (307, "/mode/ok/landed")
    assert (await answer(client, upstream.url("redirect_loop"))).status == 302
    assert len(upstream.requests) == 2


# -- whole answers ----------------------------------------------------------------------------------------------


async def test_an_answer_is_status_headers_and_decoded_json(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    found = await answer(client, upstream.url("429_7"))
    assert found.status == 429
    assert found.headers["retry-after"] == "7"
    assert found.body["error"]["type"] == "rate_limit_error"
    assert found.text == ""


async def test_json_is_decoded_whatever_the_content_type_says(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    assert (await answer(client, upstream.url("text_json"))).body == wire.completion()


async def test_what_is_not_json_is_kept_as_the_start_of_its_text(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    found = await answer(client, upstream.url("html200"))
    assert found.body is None
    assert found.text.startswith("<!doctype html>")
    assert len(found.text) == 4096
    assert (await answer(client, upstream.url("500_html"))).text == "<html><h1>500</h1></html>"


@pytest.mark.parametrize("mode", ["trunc_json", "deepjson"])
async def test_broken_and_bottomless_json_has_no_body(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    found = await answer(client, upstream.url(mode))
    assert (found.status, found.body, bool(found.text)) == (200, None, True)


@pytest.mark.parametrize(("mode", "status"), [("empty200", 200), ("204", 204)])
async def test_an_empty_answer_has_neither_body_nor_text(
    client: UpstreamClient, upstream: FaultUp, mode: str, status: int
) -> None:
    found = await answer(client, upstream.url(mode))
    assert (found.status, found.body, found.text) == (status, None, "")


async def test_invalid_utf_8_in_json_becomes_the_replacement_character(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    found = await answer(client, upstream.url("badutf8"))
    assert found.body["choices"][0]["message"]["content"] == wire.TEXT.replace("ü", "�")


async def test_a_compressed_answer_is_decompressed_though_nobody_asked_for_it(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    assert (await answer(client, upstream.url("gzipped"))).body == wire.completion()


async def test_an_answer_that_ends_with_its_connection_is_whole(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    assert (await answer(client, upstream.url("until_eof"))).body == wire.completion()


# -- failures ---------------------------------------------------------------------------------------------------

FAILING = {
    "rst_pre": (Kind.NETWORK, "the connection to 127.0.0.1 was lost"),
    "eof_pre": (Kind.NETWORK, "127.0.0.1 closed the connection without an answer"),
    "rst_headers": (Kind.NETWORK, "the connection to 127.0.0.1 was lost"),
    "not_http": (Kind.BAD_ANSWER, "127.0.0.1 does not speak proper HTTP"),
    "hdr_bomb": (Kind.BAD_ANSWER, "127.0.0.1 does not speak proper HTTP"),
    "hdr_long": (Kind.BAD_ANSWER, "127.0.0.1 does not speak proper HTTP"),
    "cl_and_te": (Kind.BAD_ANSWER, "127.0.0.1 does not speak proper HTTP"),
    "badgzip": (Kind.BAD_ANSWER, "the answer's compression is broken"),
    "cutgzip": (Kind.NETWORK, "the compressed answer broke off"),
    "brotli": (Kind.BAD_ANSWER, "the answer is compressed in a way nobody asked for"),
    "gzipbomb": (Kind.BAD_ANSWER, "127.0.0.1 sent more than 33,554,432 bytes"),
    "endless": (Kind.BAD_ANSWER, "127.0.0.1 sent more than 33,554,432 bytes"),
    "cl_short": (Kind.NETWORK, "127.0.0.1 broke off in the middle of its answer"),
    "bad_chunk": (Kind.BAD_ANSWER, "127.0.0.1 does not speak proper HTTP"),
    "rst_mid": (Kind.NETWORK, "127.0.0.1 broke off in the middle of its answer"),
    "eof_mid": (Kind.NETWORK, "127.0.0.1 broke off in the middle of its answer"),
}

ARRIVED = {"badgzip", "cutgzip", "brotli", "gzipbomb"}
"""The body came to its end, or may have, so that the connection is good for the next request."""


@pytest.mark.parametrize("mode", FAILING)
async def test_every_way_to_break_off_has_a_kind_and_a_safe_text(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    error = await failure(client, upstream.url(mode))
    assert (error.kind, error.message) == FAILING[mode]
    if mode not in ARRIVED:
        async with asyncio.timeout(0.5):
            await upstream.idle()


@pytest.mark.parametrize("mode", ["stall_first", "stall_headers", "100flood"])
async def test_no_headers_in_time_is_a_timeout_and_the_connection_is_closed(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    error = await failure(client, upstream.url(mode), seconds=0.05)
    assert (error.kind, error.message) == (Kind.TIMEOUT, "127.0.0.1 sent nothing for 0.05 s")
    async with asyncio.timeout(0.5):
        await upstream.idle()


async def test_a_timeout_leaves_the_task_uncancelled(client: UpstreamClient, upstream: FaultUp) -> None:
    await failure(client, upstream.url("stall_first"), seconds=0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)
    assert (await answer(client, upstream.url("ok"))).status == 200


async def test_a_body_that_stops_arriving_is_a_timeout(client: UpstreamClient, upstream: FaultUp) -> None:
    exchange = await send(client, upstream.url("stall_mid"))
    with pytest.raises(UpstreamError) as caught:
        await exchange.answer(seconds=0.05)
    assert (caught.value.kind, caught.value.message) == (
        Kind.TIMEOUT,
        "127.0.0.1 did not finish within 0.05 s",
    )
    async with asyncio.timeout(0.5):
        await upstream.idle()


async def test_a_refused_connection_is_a_network_failure(client: UpstreamClient) -> None:
    error = await failure(client, refused_url())
    assert (error.kind, error.message) == (Kind.NETWORK, "no connection to 127.0.0.1: Connection refused")
    assert not error.reached


async def test_a_name_that_does_not_exist_is_a_network_failure(client: UpstreamClient) -> None:
    error = await failure(client, "http://does-not-exist.invalid")
    assert (error.kind, error.message) == (Kind.NETWORK, "the name does-not-exist.invalid cannot be resolved")
    assert not error.reached


async def test_a_server_without_tls_is_a_network_failure(client: UpstreamClient, upstream: FaultUp) -> None:
    upstream.greeting = b"220 mail.test ESMTP\r\n"
    error = await failure(client, upstream.url().replace("http:", "https:"))
    assert (error.kind, error.message) == (Kind.NETWORK, "TLS with 127.0.0.1 failed")
    assert not error.reached


@pytest.mark.parametrize("body", [{"x": b"bytes"}, {"x": {1: 2}}, {"x": "\ud800"}])
async def test_a_body_that_is_not_json_is_the_plugins_fault_and_not_quoted(
    client: UpstreamClient, upstream: FaultUp, body: dict[str, Any]
) -> None:
    error = await failure(client, upstream.url(), Upstream("POST", "/x", HEADERS, body))
    assert (error.kind, error.message) == (
        Kind.BAD_ANSWER,
        "the provider's plugin made a body that is not JSON",
    )
    assert upstream.connections == 0


async def test_a_header_that_http_cannot_carry_is_refused_without_quoting_it(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    error = await failure(
        client, upstream.url(), Upstream("POST", "/x", {"Authorization": f"{CANARY}\r\nX: y"}, {})
    )
    assert (error.kind, error.message) == (
        Kind.BAD_ANSWER,
        "the request to 127.0.0.1 cannot be expressed in HTTP",
    )
    assert upstream.requests == []


@pytest.mark.parametrize("mode", sorted(set(MODES) - {"keepalive_only", "noeol"}))
async def test_no_error_holds_the_key_in_its_text_its_arguments_or_its_chain(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    request = Upstream("POST", f"/x?key={CANARY}", HEADERS, {"model": CANARY})
    stalls = mode.startswith(("stall", "100"))
    error = None
    try:
        exchange = await send(client, upstream.url(mode), request, seconds=0.05 if stalls else 5)
        await exchange.answer(seconds=0.05 if stalls else 5)
    except UpstreamError as caught:
        error = caught
    if mode != "cl_long":  # what is too much is noticed only if it comes soon
        assert (error is None) == (mode not in FAILING and not stalls)
    if error is not None:
        assert error.__context__ is None
        assert error.__cause__ is None
        assert CANARY not in f"{error} {error!r} {error.args}"


# -- leaving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stall_first", "stall_headers", "stall_mid", "endless"])
async def test_a_cancelled_request_closes_its_connection_within_100_ms(
    client: UpstreamClient, upstream: FaultUp, mode: str
) -> None:
    task = asyncio.create_task(answer(client, upstream.url(mode)))
    while not upstream.requests:
        await asyncio.sleep(0)
    start = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await upstream.idle()
    assert time.monotonic() - start < 0.1


async def test_a_cancellation_that_meets_the_timeout_stays_a_cancellation(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    task = asyncio.create_task(failure(client, upstream.url("stall_first"), seconds=0.02))
    asyncio.get_running_loop().call_later(0.02, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_an_exchange_aborts_the_connection(client: UpstreamClient, upstream: FaultUp) -> None:
    exchange = await send(client, upstream.url("stall_mid"))
    reading = asyncio.create_task(exchange.answer())
    await asyncio.sleep(0)
    exchange.close()
    async with asyncio.timeout(0.1):
        await upstream.idle()
    with pytest.raises(UpstreamError, match="was lost"):
        await reading


async def test_closing_a_finished_exchange_keeps_the_connection(
    client: UpstreamClient, upstream: FaultUp
) -> None:
    for _ in range(3):
        exchange = await send(client, upstream.url("ok"))
        await exchange.answer()
        exchange.close()
    assert upstream.connections == 1


async def test_after_closing_the_client_nothing_is_sent(upstream: FaultUp) -> None:
    client = UpstreamClient()
    await answer(client, upstream.url("ok"))
    await client.close()
    await upstream.idle()
    assert (await failure(client, upstream.url("ok"))).message == "the server is shutting down"


# -- probes -----------------------------------------------------------------------------------------------------


async def test_a_probe_answers_with_what_it_got(client: UpstreamClient, upstream: FaultUp) -> None:
    found = await client.probe(Upstream("GET", "/models", HEADERS), upstream.url("401"), True)
    assert (found.status, found.body["error"]["code"]) == (401, "invalid_api_key")


async def test_a_probe_that_could_not_be_delivered_has_status_0_and_the_reason(
    client: UpstreamClient,
) -> None:
    found = await client.probe(Upstream("GET", "/models"), refused_url(), True)
    assert found == Answer(0, {}, None, "no connection to 127.0.0.1: Connection refused")
