"""One request's answer while it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiohttp import ClientResponse, hdrs
from aiohttp.http_exceptions import HttpProcessingError

from freellm.errors import UpstreamError
from freellm.sse import Frame, SSEParser
from freellm.types import Answer, Kind
from freellm.upstream.decoding import Inflater, to_answer
from freellm.upstream.failures import FAILURES, convert
from freellm.upstream.line import Reply
from freellm.upstream.watch import Watch

ANSWER_LIMIT: Final = 32 * 2**20
"""Bytes of a whole answer at most, decompressed."""

ANSWER_SECONDS: Final = 180.0
"""Seconds for a whole answer after its headers."""

STREAM_LIMIT: Final = 64 * 2**20
"""Bytes of a stream at most."""

STREAM_SECONDS: Final = 1800.0
"""Seconds for a stream after its headers."""

REST_SECONDS: Final = 1.0
"""Seconds that `Exchange.release` waits for the end of a body before it gives the connection up."""


class Exchange:
    """An answer whose headers are here and whose body is read once: by `answer`, `body` or `batches`.

    A connection whose body was read to its end goes back to the pool; `close` or `release` ends any other. Every
    failure and every cancellation of a read closes it at once.

    :param response: the response, its body unread
    :param host: whom the answer is from, for messages
    """

    __slots__ = (
        "_closed",
        "_host",
        "_inflater",
        "_left",
        "_limit",
        "_loop",
        "_response",
        "_watch",
        "status",
    )

    def __init__(self, response: ClientResponse | Reply, host: str, loop: asyncio.AbstractEventLoop) -> None:
        self.status: int = response.status
        self._response = response
        self._host = host
        self._loop = loop
        self._inflater: Inflater | None = None
        self._watch: Watch | None = None
        self._closed: asyncio.Future[None] | None = None
        self._limit = self._left = 0

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers; they are found by their lower-case names, as by any other case."""
        return self._response.headers

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is server-sent events, by its content type."""
        return self._response.headers.get(hdrs.CONTENT_TYPE, "")[:17].lower() == "text/event-stream"

    async def answer(self, seconds: float = ANSWER_SECONDS) -> Answer:
        """Read the whole body.

        :param seconds: time for it
        :raises UpstreamError: when it is too large, too slow or cut off
        """
        return to_answer(self.status, self.headers, await self.body(ANSWER_LIMIT, seconds))

    async def body(self, limit: int, seconds: float) -> bytes:
        """Read the whole body as bytes.

        :param limit: bytes at most
        :param seconds: time for it
        :raises UpstreamError: when it is too large, too slow or cut off
        """
        content = self._response.content
        if content.is_eof() and content.exception() is None and not self._coding():
            body = content.read_nowait()  # it came with the headers
            if len(body) > limit:
                raise self._too_large(limit)
            return body
        self._begin(limit)
        if not content.is_eof():
            self._watch = Watch(self._loop, seconds, seconds, self.close)
        parts = []
        while part := await self.read():
            parts.append(part)
        return b"".join(parts)

    def batches(self, stall_timeout: float) -> AsyncIterator[list[Frame]]:
        """Iterate over the events of a stream: all those that arrived together in one list, never an empty one.

        Comments and empty events are no progress. A clean end of the transport just ends the iteration: whether the
        stream was whole is for the normalizer to say.

        :param stall_timeout: seconds without an event at most, while the reader waits for one
        :raises UpstreamError: when it stalls, is too large, takes too long or is cut off
        """
        self._begin(STREAM_LIMIT)
        self._watch = Watch(self._loop, stall_timeout, STREAM_SECONDS, self.close)
        return _Batches(self, self._watch)

    async def read(self) -> bytes:
        """Return the next bytes of the body, decompressed; empty at its end."""
        inflater = self._inflater
        try:
            while chunk := (inflater is not None and inflater.left) or await self._response.content.readany():
                if inflater is not None:
                    chunk = inflater.feed(chunk)
                self._left -= len(chunk)
                if self._left < 0:
                    raise self._too_large(self._limit)
                if chunk:
                    return chunk
            self._end()
            return b""
        except asyncio.CancelledError:
            self.close()
            raise
        except (UpstreamError, *FAILURES) as error:
            failure = convert(error, self._host)
        if self._watch is not None and self._watch.verdict:
            failure = UpstreamError(Kind.TIMEOUT, f"{self._host} {self._watch.verdict}")
        self.close()
        raise failure

    def release(self) -> None:
        """Say that nothing more is wanted: the connection is kept if the body ends within a second, else dropped."""
        self._stop_watching()
        content = self._response.content
        if not content.is_eof():
            give_up = self._loop.call_later(REST_SECONDS, self.close)
            content.on_eof(give_up.cancel)

    def close(self) -> None:
        """Abort the connection at once, unless the body has been received and it is back in the pool."""
        self._stop_watching()
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            # aiohttp would raise one exception object it keeps for all; its traceback would grow by every reader.
            content.set_exception(ConnectionAbortedError())
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()

    def _begin(self, limit: int) -> None:
        self._limit = self._left = limit
        if coding := self._coding():
            try:
                self._inflater = Inflater(coding)
            except UpstreamError:
                self.close()
                raise
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            self._closed = connection.protocol.closed
            if self._closed is None:
                self._lost()
            else:
                self._closed.add_done_callback(self._lost)

    def _coding(self) -> str:
        """Return how the body is compressed; empty when it is not."""
        coding = self._response.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
        return "" if coding == "identity" else coding

    def _lost(self, _: object = None) -> None:
        """Wake the reader of a body whose connection is gone: aiohttp 3.14 forgets to after a malformed chunk."""
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(HttpProcessingError())

    def _end(self) -> None:
        self._stop_watching()
        if self._inflater is not None and self._response.content.total_bytes:
            self._inflater.close()

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        if self._closed is not None:
            self._closed.remove_done_callback(self._lost)
            self._closed = None

    def _too_large(self, limit: int) -> UpstreamError:
        return UpstreamError(Kind.BAD_ANSWER, f"{self._host} sent more than {limit:,} bytes")


class _Batches:
    """The iterator of `Exchange.batches`: a class, because a generator that is left early lingers until collected."""

    __slots__ = ("_ended", "_exchange", "_parser", "_watch")

    def __init__(self, exchange: Exchange, watch: Watch) -> None:
        self._exchange = exchange
        self._watch = watch
        self._parser = SSEParser()
        self._ended = False

    def __aiter__(self) -> _Batches:
        return self

    async def __anext__(self) -> list[Frame]:
        self._watch.resume()
        while not self._ended:
            if chunk := await self._exchange.read():
                frames = self._feed(chunk)
            else:
                self._ended = True
                frames = self._parser.close()
            if frames:
                self._watch.pause()
                return frames
        raise StopAsyncIteration

    def _feed(self, chunk: bytes) -> list[Frame]:
        try:
            return self._parser.feed(chunk)
        except UpstreamError:
            self._exchange.close()
            raise
