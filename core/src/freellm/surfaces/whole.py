"""A whole answer in JSON, written in one piece."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE, HttpVersion10


class WholeAnswer(web.StreamResponse):
    """A good answer whose body is there. aiohttp's own response can do more, and asks each time what of it is wanted.

    :param body: JSON
    :param headers: headers beside those of every answer
    """

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._whole = body
        self._writer: AbstractStreamWriter | None = None
        self._kept_alive = False

    @property
    def keep_alive(self) -> bool:
        """Whether the client's connection is kept."""
        return self._kept_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Make the headers ready and show them to plugins; they leave with the body."""
        if self._writer is not None:
            return self._writer
        headers = self.headers
        headers[hdrs.CONTENT_TYPE] = "application/json"
        headers[hdrs.CONTENT_LENGTH] = str(len(self._whole))
        headers[hdrs.DATE] = rfc822_formatted_time()
        headers[hdrs.SERVER] = SERVER_SOFTWARE
        self._kept_alive = request.keep_alive
        old = request.version == HttpVersion10
        if self._kept_alive == old:  # each version says what is not usual in it
            headers[hdrs.CONNECTION] = "keep-alive" if old else "close"
        if isinstance(request, web.Request) and (signal := request.app.on_response_prepare):
            await signal.send(request, self)
        self._writer = writer = request.writer
        await writer.write_headers(f"HTTP/1.{request.version.minor} 200 OK", headers)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Send everything."""
        if self._writer is not None:
            await self._writer.write_eof(self._whole)
