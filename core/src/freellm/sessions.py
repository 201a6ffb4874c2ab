"""Sticky sessions: a conversation stays with the model that answered it. Pure; `now` is given.

When that model cannot answer, another one takes over and keeps the conversation: models do not take turns in it. It
goes back to where it began only after a rest, when the providers' prompt caches have forgotten it anyway.

A client may name its session. Else the conversation names itself: the messages before the last answer are, word for
word, the whole of the request that got that answer, so their SHA-1 finds it. Two conversations that merely begin alike
differ there. Nothing but digests is kept.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from freellm.types import Json

TTL = 1800.0
"""Seconds a session is remembered after its last answer."""

REST = 300.0
"""Seconds without an answer after which a conversation that was handed over may go back to the model it began with.

Prompt caches keep an unused prefix for about as long: OpenAI says 5 to 10 minutes (its guide to prompt caching, 2026-03).
"""

MOST = 10_000
"""Sessions remembered at most; the least recently used one goes first."""


def named(session: str) -> bytes:
    """Return the digest of a session the client named."""
    return hashlib.sha1(session.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()


def digests(messages: Sequence[Json]) -> tuple[bytes, bytes | None]:
    """Return the digest of a conversation, and the one that it had when its last answer was asked for.

    The latter is None if it has no answer yet.
    """
    for index in range(len(messages) - 1, 0, -1):
        if messages[index]["role"] == "assistant":
            begun = hashlib.sha1(orjson.dumps(messages[:index])[:-1], usedforsecurity=False)
            whole = begun.copy()
            begun.update(b"]")
            whole.update(b"," + orjson.dumps(messages[index:])[1:])
            return whole.digest(), begun.digest()
    return hashlib.sha1(orjson.dumps(messages), usedforsecurity=False).digest(), None


class Place(NamedTuple):
    """Where a conversation is.

    :param route: the name of the route that answered last
    :param home: the name of the route that answered first
    :param at: Unix time of the last answer
    """

    route: str
    home: str
    at: float

    def may_return(self, now: float) -> bool:
        """Tell whether the conversation was handed over and has rested for long enough to go back."""
        return self.home != self.route and now - self.at >= REST


class Sessions:
    """Which model, and with which key, answered a conversation last."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: OrderedDict[bytes, Place] = OrderedDict()

    def find(self, session: bytes, now: float) -> Place | None:
        """Return where a conversation is, if it was answered within the last half hour."""
        place = self._places.get(session)
        return place if place is not None and now < place.at + TTL else None

    def remember(self, session: bytes, route: str, now: float, home: str | None = None) -> None:
        """Note which route answered.

        :param home: the route that answered the conversation first; None: this one
        """
        self._places[session] = Place(route, home or route, now)
        self._places.move_to_end(session)
        if len(self._places) > MOST:
            self._places.popitem(last=False)

    def __len__(self) -> int:
        return len(self._places)
