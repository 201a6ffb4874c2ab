import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from freellm import FreeLLMError
from freellm.measuring import question
from freellm_tester.proxy import Exchange, Proxy
from freellm_tester.running import one_prompt, side_by_side, stress

KEY = "fl-the-unified-key-of-this-test"


class Stand:
    """What the tester sees of a proxy.

    :ivar bodies: the requests it got
    :ivar left: set when a client left amid an answer
    """

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[dict[str, object]] = []
        self.three = asyncio.Barrier(3)
        self.left = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "wrong key"}}, status=401)
        if request.path == "/v1/models":
            return web.json_response({"object": "list", "data": [{"id": "auto"}]})
        body = await request.json()
        self.bodies.append(body)
        if body["model"] == "missing":
            error = {"message": "no such model", "code": "model_not_found"}
            return web.json_response({"error": error}, status=404)
        if body["model"] == "hang up":
            assert request.transport is not None
            request.transport.close()
        if str(body["model"]).startswith("three"):
            await self.three.wait()
        return await self.stream(request, str(body["model"]))

    async def stream(self, request: web.Request, model: str) -> web.StreamResponse:
        headers = {
            "Content-Type": "text/event-stream",
            "X-Routed-Via": f"p/{model}",
            "X-Fallback-Attempts": "0",
        }
        answer = web.StreamResponse(headers=headers)
        await answer.prepare(request)
        try:
            for word in ("Hello", " there"):
                chunk = {"choices": [{"delta": {"content": word}}]}
                await answer.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                if model == "endless":
                    await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.left.set()
            raise
        end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
        await answer.write(b"data: " + json.dumps(end).encode() + b"\n\ndata: [DONE]\n\n")
        return answer


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    made = Stand()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    async with TestServer(app, handler_cancellation=True) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


async def all_of(pieces: AsyncIterator[Exchange]) -> Exchange:
    """Read an exchange to its end."""
    return [piece async for piece in pieces][-1]


async def test_an_answer_comes_piece_by_piece_with_its_raw_headers(stand: Stand) -> None:
    exchange = await all_of(one_prompt(Proxy(stand.url, KEY), question("m", "Hi", stream=True)))
    assert exchange.ended
    assert exchange.reading.text == "Hello there"
    assert exchange.head.splitlines()[0] == "HTTP/1.1 200 OK"
    assert "X-Routed-Via: p/m" in exchange.head.splitlines()
    assert KEY not in exchange.head
    assert exchange.reading.result.succeeded
    assert exchange.reading.first_delta_ms is not None
    assert stand.bodies == [question("m", "Hi", stream=True)]


@pytest.mark.parametrize(("model", "error"), [("missing", "model_not_found"), ("hang up", "connection_lost")])
async def test_what_goes_wrong_is_told_and_not_raised(stand: Stand, model: str, error: str) -> None:
    exchange = await all_of(one_prompt(Proxy(stand.url, KEY), question(model, "Hi", stream=True)))
    assert exchange.reading.result.error == error


async def test_whoever_stops_leaves_the_proxy(stand: Stand) -> None:
    async with aclosing(one_prompt(Proxy(stand.url, KEY), question("endless", "Hi", stream=True))) as pieces:
        exchange = await anext(pieces)
        assert (exchange.reading.text, exchange.ended) == ("Hello", False)
    async with asyncio.timeout(10):
        await stand.left.wait()


async def test_a_stress_test_gives_what_there_is_after_each_request(stand: Stand) -> None:
    runs = stress(Proxy(stand.url, KEY), question("m", "Hi", stream=True), 3, 0.0)
    assert [[result.number for result in results] async for results in runs] == [[1], [1, 2], [1, 2, 3]]
    assert len(stand.bodies) == 3


async def test_models_are_asked_at_once(stand: Stand) -> None:
    models = ["three 1", "three 2", "three 3"]
    last = []
    async with asyncio.timeout(10):
        async for exchanges in side_by_side(Proxy(stand.url, KEY), models, "Hi", system="S", max_tokens=9):
            last = exchanges
    assert [(exchange.asked, exchange.reading.text) for exchange in last] == [
        (m, "Hello there") for m in models
    ]
    assert all(exchange.ended for exchange in last)
    assert stand.bodies[0]["max_tokens"] == 9


async def test_whoever_stops_a_comparison_leaves_everywhere(stand: Stand) -> None:
    looks = side_by_side(Proxy(stand.url, KEY), ["endless"], "Hi", system=None, max_tokens=None)
    async with aclosing(looks):
        async with asyncio.timeout(10):
            while not (await anext(looks))[0].reading.text:
                pass
    async with asyncio.timeout(10):
        await stand.left.wait()


async def test_the_models_are_listed_or_it_is_said_why_not(stand: Stand) -> None:
    assert await Proxy(stand.url, KEY).models() == [{"id": "auto"}]
    with pytest.raises(FreeLLMError, match="refuses the key") as refused:
        await Proxy(stand.url, "fl-another-key").models()
    assert "fl-another-key" not in str(refused.value)
    with pytest.raises(FreeLLMError, match="start one with freellm serve"):
        await Proxy("http://127.0.0.1:9", KEY).models()
