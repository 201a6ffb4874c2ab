"""An open stream: everything before the first meaningful delta can still fail over, everything after it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import orjson

from freellm.errors import UpstreamError
from freellm.gateway.attempt import Attempt
from freellm.gateway.calls import Tried
from freellm.gateway.chunks import ChunkStream, StreamBrokenError
from freellm.gateway.consequences import RULES
from freellm.gateway.successes import Successes, estimated_usage
from freellm.sse import Frame, frame
from freellm.types import Failure, Kind
from freellm.upstream import Exchange


class Relay:
    """Read a provider's stream and hand out the client's bytes.

    :param attempt: the attempt the stream answers
    :param exchange: the open connection; None when the answer came whole
    :param chunks: turns frames into bytes
    :param successes: notes what the answer teaches
    """

    __slots__ = ("_attempt", "_batches", "_chunks", "_ended", "_exchange", "_successes")

    def __init__(
        self, attempt: Attempt, exchange: Exchange | None, chunks: ChunkStream, successes: Successes
    ) -> None:
        self._attempt = attempt
        self._exchange = exchange
        self._chunks = chunks
        self._successes = successes
        self._batches: AsyncIterator[Sequence[Frame]] | None = None
        self._ended = False

    async def open(self, stall_timeout: float) -> bytes:
        """Read until the first meaningful delta and return the client's bytes so far.

        :raises StreamBrokenError: when the stream fails before it
        :raises UpstreamError: when the connection does
        """
        held: list[bytes] = []
        try:
            if self._exchange is not None:
                self._batches = self._exchange.batches(stall_timeout)
                async for frames in self._batches:
                    held.append(self._chunks.take(frames))
                    if self._chunks.meaningful or self._chunks.done:
                        break
            self._attempt.first_delta_ms = self._attempt.ms()
            if self._chunks.meaningful:
                self._attempt.win()
            if self._chunks.done or not self._chunks.meaningful:
                held.append(self._end())
        except StreamBrokenError as broken:
            if not self._chunks.meaningful:
                raise
            self._attempt.first_delta_ms = self._attempt.ms()
            self._attempt.win()
            held.append(broken.before + self._break(broken.failure))
        return b"".join(held)

    async def rest(self) -> AsyncIterator[bytes]:
        """Iterate over the client's bytes that follow, one item per read of the upstream.

        A failure from here on becomes an in-band error frame, after which nothing follows.
        """
        if self._ended or self._batches is None:
            return
        try:
            async for frames in self._batches:
                if data := self._chunks.take(frames):
                    yield data
                if self._chunks.done:
                    break
            yield self._end()
        except StreamBrokenError as broken:
            yield broken.before + self._break(broken.failure)
        except UpstreamError as error:
            if self._chunks.finish_reason is None:
                yield self._break(Failure(kind=error.kind, message=error.message))
            else:  # nothing of the answer is missing
                yield self._end()

    def close(self) -> None:
        """Say that nobody listens any more; a stream that has not come to its end is cancelled and settled."""
        if not self._ended:
            self._ended = True
            self._successes.cancelled(self._attempt, self._chunks)
            self._drop()

    def fail(self, failure: Failure) -> Tried:
        """End a stream that broke before its first meaningful delta; nothing of it was sent."""
        self._ended = True
        self._drop()
        return self._attempt.failed(failure)

    def _drop(self) -> None:
        if self._exchange is not None:
            self._exchange.close()

    def _end(self) -> bytes:
        attempt = self._attempt
        usage = estimated_usage(attempt.demand.input, self._chunks.deltas)
        data = self._chunks.end(include_usage=attempt.call.include_usage, usage=usage)
        attempt.win()
        self._ended = True
        self._successes.streamed(attempt, self._chunks)
        if self._exchange is not None:
            self._exchange.release()
        return data

    def _break(self, failure: Failure) -> bytes:
        """Return the in-band error; the route has failed though it cannot be left any more."""
        self._ended = True
        self._drop()
        tried = self._attempt.failed(failure)
        self._successes.broken(self._attempt, tried, self._chunks)
        rule = RULES[failure.kind]
        kind = "was cut" if failure.kind is Kind.NETWORK else f"failed ({failure.kind})"
        error = {
            "message": f"{tried.route.entry.name}: the stream {kind}: {tried.failure.message}",
            "type": rule.type,
            "param": None,
            "code": str(failure.kind),
            "x_freellm": {"request_id": self._attempt.call.id},
        }
        return frame(orjson.dumps({"error": error}))
