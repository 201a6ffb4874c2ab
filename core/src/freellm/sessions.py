"""Sticky sessions: a conversation stays with the model that answered it. Pure; `now` is given.

A client may name its session. Else the conversation names itself: the messages before the last answer are, word for
word, the whole of the request that got that answer, so their SHA-1 finds it. Two conversations that merely begin alike
differ there. Nothing but digests is kept.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import orjson

from freellm.types import Json

TTL = 1800.0
"""Seconds a session is remembered after its last answer."""

MOST = 10_000
"""Sessions remembered at most; the least recently used one goes first."""


def named(session: str) -> bytes:
    """Return the digest of a session the client named."""
    return hashlib.sha1(session.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()


def digest(messages: Sequence[Json]) -> bytes:
    """Return the digest of a conversation."""
    return hashlib.sha1(orjson.dumps(messages), usedforsecurity=False).digest()


def earlier(messages: Sequence[Json]) -> bytes | None:
    """Return the digest that the conversation had when its last answer was asked for; None if it has none yet."""
    for index in range(len(messages) - 1, 0, -1):
        if messages[index]["role"] == "assistant":
            return digest(messages[:index])
    return None


class Sessions:
    """Which model, and with which key, answered a conversation last."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def find(self, session: bytes, now: float) -> str | None:
        """Return the name of the route that answered, if that was within the last half hour."""
        place = self._places.get(session)
        if place is None or place[1] <= now:
            return None
        return place[0]

    def remember(self, session: bytes, route: str, now: float) -> None:
        """Note which route answered."""
        self._places[session] = (route, now + TTL)
        self._places.move_to_end(session)
        if len(self._places) > MOST:
            self._places.popitem(last=False)

    def __len__(self) -> int:
        return len(self._places)
