"""Requests for exact paths take the short way, and nothing about them is different but that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from freellm.surfaces.shortcut import shorten

Ask = Callable[..., Awaitable[str]]


async def handled(request: web.Request) -> web.Response:
    """Say what a handler sees of its request."""
    info = request.match_info
    return web.json_response(
        {"path": request.path, "app": info.current_app is request.app, "info": dict(info)}
    )


class Watch:
    """What the server's middleware does, and how it was reached."""

    def __init__(self) -> None:
        self.direct: list[str] = []
        self.routed: list[str] = []

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve a request that took the short way."""
        self.direct.append(request.raw_path)
        return await handler(request)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve any other."""
        self.routed.append(request.raw_path)
        return await handler(request)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def app(watch: Watch) -> web.Application:
    app = web.Application(middlewares=[watch.middleware])
    app.router.add_post("/v1/chat", handled)
    app.router.add_get("/v1/chat", handled)
    app.router.add_post("/v1/models/{id}", handled)
    return app


@pytest.fixture
async def ask(app: web.Application, watch: Watch) -> AsyncIterator[Ask]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    shorten(runner, watch.serve)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]

    async def asked(method: str, path: str, *lines: str) -> str:
        """Return the whole answer to a request without a body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"{method} {path} HTTP/1.1",
            "Host: x",
            "Content-Length: 0",
            "Connection: close",
            *lines,
            "",
            "",
        )
        writer.write("\r\n".join(head).encode())
        async with asyncio.timeout(5):
            answer = (await reader.read()).decode()
        writer.close()
        return answer

    yield asked
    await runner.cleanup()


async def test_a_post_to_an_exact_path_takes_the_short_way(ask: Ask, watch: Watch) -> None:
    answer = await ask("POST", "/v1/chat")
    assert answer.endswith('{"path": "/v1/chat", "app": true, "info": {}}')
    assert (watch.direct, watch.routed) == (["/v1/chat"], [])


@pytest.mark.parametrize(
    ("method", "path", "lines", "status"),
    [
        ("GET", "/v1/chat", (), 200),
        ("PUT", "/v1/chat", (), 405),
        ("POST", "/v1/chat?x=1", (), 200),
        ("POST", "/v1/%63hat", (), 200),
        ("POST", "/v1/models/a", (), 200),
        ("POST", "/v1/none", (), 404),
        ("POST", "/v1/chat", ("Expect: 100-continue",), 100),
        ("POST", "http://x/v1/chat", (), 200),
    ],
)
async def test_everything_else_is_looked_up(
    ask: Ask, watch: Watch, method: str, path: str, lines: tuple[str, ...], status: int
) -> None:
    assert (await ask(method, path, *lines)).startswith(f"HTTP/1.1 {status} ")
    assert watch.direct == []
    assert len(watch.routed) == 1


async def test_what_a_plugin_puts_before_the_handlers_sees_every_request(
    app: web.Application, watch: Watch
) -> None:
    @web.middleware
    async def second(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Mark every answer."""
        response = await handler(request)
        response.headers["X-Seen"] = "1"
        return response

    app.middlewares.append(second)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    shorten(runner, watch.serve)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
    writer.write(b"POST /v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert b"X-Seen: 1" in await reader.read()
    writer.close()
    await runner.cleanup()
    assert watch.direct == []
