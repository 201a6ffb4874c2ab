"""Bodies: undoing a compression nobody asked for, and making an `Answer` of bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from freellm.errors import UpstreamError
from freellm.types import Answer, Kind

TEXT_LIMIT: Final = 4096
"""Characters of a body that is not JSON that an `Answer` keeps."""

_PIECE: Final = 2**20
_ANY_ZLIB_HEADER: Final = 32 + zlib.MAX_WBITS
_WINDOW_BITS: Final[Mapping[str, int]] = {
    "gzip": _ANY_ZLIB_HEADER,
    "x-gzip": _ANY_ZLIB_HEADER,
    "deflate": _ANY_ZLIB_HEADER,
}


class Inflater:
    """Decompresses a body as it arrives, piece by piece: a megabyte at most, however little made it.

    :param coding: the answer's `Content-Encoding`, lower case
    :raises UpstreamError: `bad_answer`, when it is none that freellm can undo
    """

    __slots__ = ("_inner",)

    def __init__(self, coding: str) -> None:
        if coding not in _WINDOW_BITS:
            raise UpstreamError(Kind.BAD_ANSWER, "the answer is compressed in a way nobody asked for")
        self._inner = zlib.decompressobj(_WINDOW_BITS[coding])

    @property
    def left(self) -> bytes:
        """What of the last chunk has not been decompressed yet; the next to feed."""
        return self._inner.unconsumed_tail

    def feed(self, chunk: bytes) -> bytes:
        """Return the next piece.

        :raises UpstreamError: `bad_answer`, when the body is not what its header says
        """
        try:
            return self._inner.decompress(chunk, _PIECE)
        except zlib.error:
            pass
        raise UpstreamError(Kind.BAD_ANSWER, "the answer's compression is broken")

    def close(self) -> None:
        """Check that nothing is missing.

        :raises UpstreamError: `network`, when the body ended early
        """
        if not self._inner.eof:
            raise UpstreamError(Kind.NETWORK, "the compressed answer broke off")


def to_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Make an answer of a whole body. JSON is decoded whatever the content type says."""
    found, decoded = _decode(body)
    text = "" if found else body[: 4 * TEXT_LIMIT].decode("utf-8", "replace")[:TEXT_LIMIT]
    return Answer(status, headers, decoded, text)


def _decode(body: bytes) -> tuple[bool, Any]:
    try:
        return True, orjson.loads(body)
    except ValueError:  # broken, nested too deeply, or not UTF-8
        pass
    try:
        return True, orjson.loads(body.decode("utf-8-sig", "replace"))
    except ValueError:
        return False, None
