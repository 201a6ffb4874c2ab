"""Server-sent events: bytes in, whole events out, whatever the framing and however the bytes were cut.

The parser follows the event stream format of the WHATWG HTML standard (lines end in LF, CRLF or CR; one byte order
mark at the start is skipped; comments are counted and dropped; several `data` lines make one event). It departs
from the standard where gateways do: an event whose data is empty is dropped, and a last event without its blank
line is delivered when nothing can be missing from it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import orjson

from freellm.errors import UpstreamError
from freellm.types import Kind

DONE: Final = b"data: [DONE]\n\n"
"""The frame that ends an OpenAI stream."""

DONE_DATA: Final = b"[DONE]"
"""The data of that frame."""

COMMENT: Final = b": keep-alive\n\n"
"""A comment: it keeps a connection open and no client sees it."""

EVENT_LIMIT: Final = 16 * 2**20
"""Bytes of one event at most."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BETWEEN: Final = b"\n\ndata: "


def frame(data: bytes) -> bytes:
    """Return the one-line frame of some data; line breaks, which JSON text has only between tokens, become spaces."""
    if b"\n" in data:
        data = data.replace(b"\n", b" ")
    return b"data: " + data + b"\n\n"


class Frame(msgspec.Struct, gc=False):
    """One event of a stream.

    :param name: the event's name, `message` when it has none
    :param data: its data; never empty
    :param raw: what to forward when nothing had to change: `data: …` on one line and a blank line. These are the
        bytes as they came if they came like this
    """

    name: str
    data: bytes
    raw: bytes

    def json(self) -> Any:
        """Decode the data. Invalid UTF-8 becomes U+FFFD, in `data` and `raw` too: strict clients die of it.

        :raises ValueError: when the data is not JSON
        """
        try:
            return orjson.loads(self.data)
        except ValueError:
            repaired = self.data.decode("utf-8", "replace").encode()
            if repaired == self.data:
                raise
        self.data, self.raw = repaired, frame(repaired)
        return orjson.loads(repaired)


class SSEParser:
    """Turns the chunks of one event stream into frames. The frames do not depend on where the chunks were cut.

    `comments` and `dropped` count comment lines and events without data: signs of life that are no progress.

    :param limit: bytes of one event at most
    """

    __slots__ = ("_after_cr", "_limit", "_pending", "_scanned", "_started", "comments", "dropped")

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self.comments = 0
        self.dropped = 0
        self._limit = limit
        self._pending = bytearray()
        self._scanned = 0
        self._after_cr = False
        self._started = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the events that this chunk completes.

        :raises UpstreamError: `bad_answer`, when an event is larger than the limit
        """
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_line_feeds(chunk)
        if not self._pending and self._started and chunk.endswith(b"\n\n"):
            return self._frames(chunk)
        self._pending += chunk
        return self._drain() if self._started or self._start() else []

    def close(self) -> list[Frame]:
        """Return the event that the end of the stream left open, if its data is `[DONE]` or a whole JSON object.

        Some gateways leave out the last blank line. A cut object never parses, so nothing cut is ever delivered.
        """
        block = bytes(self._pending)
        self._pending.clear()
        if not self._started:
            block = block.removeprefix(_BYTE_ORDER_MARK)
        found = self._event(block)
        return [found] if found is not None and _is_whole(found.data) else []

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """Make every line end an LF. A CR ends its line at once; an LF that opens the next chunk belongs to it."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _start(self) -> bool:
        """Skip the byte order mark; return False while it cannot be told yet whether there is one."""
        if len(self._pending) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(self._pending):
            return False
        if self._pending.startswith(_BYTE_ORDER_MARK):
            del self._pending[: len(_BYTE_ORDER_MARK)]
        self._started = True
        return True

    def _drain(self) -> list[Frame]:
        """Cut the events that are whole off what is pending, looking at no byte twice."""
        pending = self._pending
        end = pending.rfind(b"\n\n", self._scanned) + 2
        frames: list[Frame] = []
        if end > 1:
            frames = self._frames(bytes(pending[:end]))
            del pending[:end]
        self._scanned = max(0, len(pending) - 1)
        if len(pending) > self._limit + 1:  # the event may be whole but for the second LF of its blank line
            raise self._too_large()
        return frames

    def _frames(self, text: bytes) -> list[Frame]:
        """Return the events of a text that ends with a blank line."""
        if text.startswith(b"data: "):
            data = text[6:-2].split(_BETWEEN)
            if text.count(b"\n") == 2 * len(data) and b"" not in data and len(text) <= self._limit:
                return [Frame("message", one, b"data: " + one + b"\n\n") for one in data]
        blocks = text.split(b"\n\n")
        blocks.pop()
        return [found for block in blocks if (found := self._event(block)) is not None]

    def _event(self, block: bytes) -> Frame | None:
        """Return the event that some lines make, or None when they carry no data."""
        if len(block) > self._limit:
            raise self._too_large()
        name = b""
        data: list[bytes] = []
        for line in block.split(b"\n"):
            if not line:
                continue
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value
            elif not field:
                self.comments += 1
        joined = b"\n".join(data)
        if not joined.strip(b"\n"):
            self.dropped += bool(data)
            return None
        return Frame(name.decode("utf-8", "replace") or "message", joined, frame(joined))

    def _too_large(self) -> UpstreamError:
        return UpstreamError(Kind.BAD_ANSWER, f"an event is larger than {self._limit:,} bytes")


def _is_whole(data: bytes) -> bool:
    if data == DONE_DATA:
        return True
    try:
        return isinstance(orjson.loads(data), dict)
    except ValueError:
        return False
