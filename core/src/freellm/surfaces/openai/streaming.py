"""Answering with server-sent events: headers once the first delta is there, or early if that takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from freellm.errors import RequestError
from freellm.gateway import Call, Served
from freellm.sse import COMMENT, frame
from freellm.surfaces.errors import body_of
from freellm.surfaces.openai.headers import answer_headers

if TYPE_CHECKING:
    from freellm.proxy import Proxy

HEARTBEAT_EVERY = 15.0
"""Seconds between two comments while the first delta is awaited."""

_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


class StreamAnswer:
    """One streamed answer.

    :param proxy: the gateway and what surrounds it
    :param request: the client's request
    :param call: what it asks for
    """

    def __init__(self, proxy: Proxy, request: web.Request, call: Call) -> None:
        self._proxy = proxy
        self._request = request
        self._call = call
        self._early: web.StreamResponse | None = None

    async def serve(self) -> web.StreamResponse:
        """Answer.

        :raises RequestError: when no route can answer and no headers have been sent yet
        """
        heartbeat = _Heartbeat(self._proxy.settings.heartbeat_after, self._beat)
        try:
            served = await self._proxy.complete(self._call)
        except RequestError as error:
            await heartbeat.stop()
            if self._early is None:
                raise
            return await self._fail(self._early, error)
        finally:
            await heartbeat.stop()
        try:
            return await self._relay(served)
        finally:
            if served.stream is not None:
                served.stream.close()

    async def _relay(self, served: Served) -> web.StreamResponse:
        response = self._early or await self._prepare(served)
        await response.write(served.first)
        if served.stream is not None:
            async for data in served.stream.rest():
                await response.write(data)
        await response.write_eof()
        return response

    async def _prepare(self, served: Served) -> web.StreamResponse:
        headers = answer_headers(self._call, (served.route,), served.dropped, self._proxy.clock.now())
        response = web.StreamResponse(headers={**_HEADERS, **headers})
        await response.prepare(self._request)
        return response

    async def _beat(self) -> None:
        """Send the headers before anyone is known to answer, then comments, so that nobody on the way gives up."""
        headers = {"X-Request-Id": self._proxy.ids.of(self._request), "X-FreeLLM-Headers": "early"}
        response = web.StreamResponse(headers={**_HEADERS, **headers})
        await response.prepare(self._request)
        self._early = response
        while True:
            await response.write(COMMENT)
            await asyncio.sleep(HEARTBEAT_EVERY)

    async def _fail(self, response: web.StreamResponse, error: RequestError) -> web.StreamResponse:
        await response.write(frame(orjson.dumps(body_of(error, self._call.id))))
        await response.write_eof()
        return response


class _Heartbeat:
    """Runs a coroutine when an answer takes long; costs a timer when it does not.

    :param after: seconds
    :param beat: makes the coroutine
    """

    __slots__ = ("_beat", "_handle", "_task")

    def __init__(self, after: float, beat: Callable[[], Coroutine[None, None, None]]) -> None:
        self._beat = beat
        self._task: asyncio.Task[None] | None = None
        self._handle = asyncio.get_running_loop().call_later(after, self._start)

    def _start(self) -> None:
        self._task = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Stop it; nothing is written any more when this returns."""
        self._handle.cancel()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
