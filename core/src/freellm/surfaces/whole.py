"""A whole answer in JSON, written in one piece."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import ClientConnectionResetError, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE, HttpVersion10

from freellm.heads import head
from freellm.turns import next_turn


class WholeAnswer(web.StreamResponse):
    """A good answer whose body is there. aiohttp's own response can do more, and asks each time what of it is wanted.

    :param body: the body
    :param headers: headers beside those of every answer, `Content-Type` among them; what others put into `self.headers`
        replaces them
    """

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._whole = body
        self._told = headers
        self._first = ""
        self._asked: web.BaseRequest | None = None
        self._kept_alive = False

    @property
    def keep_alive(self) -> bool:
        """Whether the client's connection is kept."""
        return self._kept_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Make the headers ready, and show them to plugins that want to see them; they leave with the body."""
        if self._asked is not None:
            return request.writer
        self._asked = request
        self._kept_alive = request.keep_alive
        self._first = f"HTTP/1.{request.version.minor} 200 OK"
        old = request.version == HttpVersion10
        if self._kept_alive == old:  # each version says what is not usual in it
            self._told = {**self._told, hdrs.CONNECTION: "keep-alive" if old else "close"}
        length, date = str(len(self._whole)), rfc822_formatted_time()
        signal = request.app.on_response_prepare if isinstance(request, web.Request) else ()
        if signal or self.headers:
            given = self.headers.copy()
            self.headers.clear()
            self.headers.extend(self._told)
            self.headers.update({hdrs.CONTENT_LENGTH: length, hdrs.DATE: date, hdrs.SERVER: SERVER_SOFTWARE})
            self.headers.update(given)
            if isinstance(request, web.Request):
                await request.app.on_response_prepare.send(request, self)
            self._told = self.headers
        else:
            self._first += f"\r\nContent-Length: {length}\r\nDate: {date}\r\nServer: {SERVER_SOFTWARE}"
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Send everything.

        :raises ClientConnectionResetError: when the client has left
        """
        asked = self._asked
        if asked is None:
            return
        await next_turn()
        transport = asked.transport
        if transport is None or transport.is_closing():
            raise ClientConnectionResetError("the client has left")
        transport.write(head(self._first, self._told) + self._whole)
