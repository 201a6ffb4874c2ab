"""The ceiling of this stack: an aiohttp proxy on uvloop that does nothing but parse and dump JSON both ways.

    python -m benchmarks.bare PORT UPSTREAM_URL

No authentication, no validation, no choice of route. A chat body is decoded and encoded on the way in and on the way
out; a stream is decoded, encoded and written event by event. What freellm adds to this is freellm's own cost.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
import uvloop
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector, web

UPSTREAM_URL: Final = web.AppKey("upstream_url", str)
SESSION: Final = web.AppKey("session", ClientSession)
HEADERS: Final = {"Content-Type": "application/json", "Authorization": "Bearer gsk_bench"}


async def relay(request: web.Request) -> web.StreamResponse:
    """Pass one chat to the upstream and its answer back."""
    body: dict[str, Any] = orjson.loads(await request.read())
    session, url = request.app[SESSION], request.app[UPSTREAM_URL]
    async with session.post(url, data=orjson.dumps(body), headers=HEADERS) as answer:
        if answer.content_type == "text/event-stream":
            return await relay_events(request, answer)
        completion = orjson.loads(await answer.read())
        return web.Response(
            body=orjson.dumps(completion), status=answer.status, content_type="application/json"
        )


async def relay_events(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    """Pass a stream back: one decode, one encode and one write for each event."""
    response = web.StreamResponse(
        status=answer.status, headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    rest = b""
    async for data in answer.content.iter_any():
        *events, rest = (rest + data).split(b"\n\n")
        for event in events:
            await response.write(_encode_again(event) + b"\n\n")
    await response.write_eof()
    return response


def _encode_again(event: bytes) -> bytes:
    if event.startswith(b"data: {"):
        return b"data: " + orjson.dumps(orjson.loads(event[6:]))
    return event


async def _hold_session(app: web.Application) -> AsyncIterator[None]:
    connector = TCPConnector(limit=0, keepalive_timeout=60)
    timeout = ClientTimeout(total=60)
    async with ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        app[SESSION] = session
        yield


def make_app(upstream_url: str) -> web.Application:
    """Return the proxy.

    :param upstream_url: where every chat is sent, path included
    """
    app = web.Application(client_max_size=32 << 20)
    app[UPSTREAM_URL] = upstream_url
    app.cleanup_ctx.append(_hold_session)
    app.router.add_post("/v1/chat/completions", relay)
    return app


if __name__ == "__main__":
    web.run_app(
        make_app(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        print=None,
        access_log=None,
        loop=uvloop.new_event_loop(),
    )
