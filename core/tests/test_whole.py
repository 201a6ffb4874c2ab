"""Whole answers over the socket: the same bytes and the same manners as aiohttp's own response."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from freellm.surfaces.whole import WholeAnswer

BODY = b'{"object":"chat.completion"}'
HEADERS = {"X-Routed-Via": "groq/m", "openai-version": "2020-10-01", "Content-Type": "application/json"}

Ask = Callable[..., Awaitable[tuple[str, dict[str, str], bytes, bool]]]


async def ours(request: web.Request) -> WholeAnswer:
    """Answer as freellm does."""
    return WholeAnswer(BODY, HEADERS)


async def theirs(request: web.Request) -> web.Response:
    """Answer as aiohttp does."""
    return web.Response(body=BODY, headers=HEADERS)


async def show(request: web.Request, response: web.StreamResponse) -> None:
    """Do what a plugin may do to every answer."""
    assert response.headers["Content-Type"] == "application/json"
    response.headers["Access-Control-Allow-Origin"] = "https://app.example"
    response.headers["Server"] = "mine"


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    app = web.Application()
    app.on_response_prepare.append(show)
    app.router.add_post("/ours", ours)
    app.router.add_post("/theirs", theirs)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]

    async def asked(path: str, version: str, *lines: str) -> tuple[str, dict[str, str], bytes, bool]:
        """Return status line, headers and body of an answer, and whether the connection is good for another."""
        head = "\r\n".join((f"POST {path} HTTP/{version}", "Host: x", "Content-Length: 0", *lines, "", ""))
        request = head.encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        async with asyncio.timeout(5):
            first = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in first[1:] if line)
            body = await reader.readexactly(int(headers["Content-Length"]))
            kept = False
            with contextlib.suppress(ConnectionError):
                writer.write(request)
                kept = bool(await reader.read(1))
        writer.transport.abort()
        return first[0], headers, body, kept

    yield asked
    await runner.cleanup()


@pytest.mark.parametrize(
    ("version", "lines", "kept"),
    [
        ("1.1", (), True),
        ("1.1", ("Connection: close",), False),
        ("1.0", (), False),
        ("1.0", ("Connection: keep-alive",), True),
    ],
)
async def test_an_answer_has_the_headers_and_the_manners_of_aiohttps_own(
    ask: Ask, version: str, lines: tuple[str, ...], kept: bool
) -> None:
    answer = await ask("/ours", version, *lines)
    reference = await ask("/theirs", version, *lines)
    for one in (answer, reference):
        assert one[1].pop("Date").endswith("GMT")
    assert answer == reference
    assert answer[2:] == (BODY, kept)
