"""`GET /api/events`: the stream that open pages listen to."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from freellm import auth
from freellm_dashboard.access import LEVEL, SESSION
from freellm_dashboard.answers import RefusedError, answering
from freellm_dashboard.context import DASHBOARD
from freellm_dashboard.headers import API
from freellm_dashboard.live import Listener, encoded

STALLED: Final = 30.0
"""Seconds for which a page may take nothing until it is let go; it comes back by itself."""


@auth(LEVEL)
async def events(request: web.Request) -> web.StreamResponse:
    """Tell what changes, until the page leaves, its session ends or the server stops."""
    live = request.app[DASHBOARD].live
    listener = live.join(request[SESSION])
    if listener is None:
        raise RefusedError("too many pages are open", status=503, cure="close some of them", retry_after=5.0)
    try:
        return await _tell(request, listener)
    finally:
        live.leave(listener)


async def _tell(request: web.Request, listener: Listener) -> web.StreamResponse:
    stream = web.StreamResponse(
        headers={**API, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    await stream.prepare(request)
    await stream.write(b"retry: 1000\n\n")
    while True:
        due = await listener.due()
        try:
            async with asyncio.timeout(STALLED):
                await stream.write(encoded(due))
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            return stream
        if listener.ended:
            return stream


def register(app: web.Application) -> None:
    """Add the route, and let the pages go when the server stops: it waits for open streams."""
    app.router.add_get("/api/events", answering(events), allow_head=False)
    app.on_shutdown.append(_end)


async def _end(app: web.Application) -> None:
    app[DASHBOARD].live.end_all()
