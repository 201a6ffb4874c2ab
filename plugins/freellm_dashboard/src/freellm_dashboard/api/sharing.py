"""Answers that are made once for all open pages.

All pages are told of a change at the same moment, and so all ask at the same moment. What was read after that is as new as
any of them knows of; it is told again until the next notice. While the proxy is busy, what took long to make is told for
longer: making it takes one percent of the time at most, and the last notice, when it is quiet again, brings it up to date.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from freellm_dashboard.answers import answer

if TYPE_CHECKING:
    from freellm_dashboard.live import Live

LONGEST: Final = 5.0
"""Seconds that an answer is told while nothing changes: quotas come back by themselves."""

LONGEST_BUSY: Final = 30.0
"""Seconds that it is told while the proxy is busy, however long it took to make."""

SHARE: Final = 0.01
"""The part of the time that making one answer again and again may take, while the proxy is busy."""

MOST: Final = 64
"""Answers that are kept, at most."""

_encode = msgspec.json.Encoder().encode


class Made:
    """An answer, as it was made.

    :param version: which notice was the last when it was begun
    :param changes: how often pages or other processes had changed something by then
    :param at: seconds of the clock of the event loop when it was begun
    :param told: the answer, when it is made
    """

    __slots__ = ("at", "changes", "lasted", "told", "version")

    def __init__(self, version: int, changes: int, at: float, told: asyncio.Future[bytes]) -> None:
        self.version = version
        self.changes = changes
        self.at = at
        self.told = told
        self.lasted = 0.0


class Shared:
    """The answers that open pages share. While no page is open, each is made anew.

    :param live: the open pages
    :param now: returns seconds of a clock that never goes back; None is the event loop's
    """

    def __init__(self, live: Live, now: Callable[[], float] | None = None) -> None:
        self._live = live
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._made: dict[str, Made] = {}

    async def told(self, name: str, make: Callable[[], Awaitable[Any]]) -> web.Response:
        """Return an answer: the one that is there, if it will do.

        :param name: what is asked for, the query included
        :param make: makes what is told
        """
        made = self._made.get(name)
        if made is None or not self._will_do(made):
            made = self._begin(name, make)
        # a page that leaves must not take the answer from the others
        return answer(msgspec.Raw(await asyncio.shield(made.told)))

    def _will_do(self, made: Made) -> bool:
        if not self._live.looks or made.changes != self._live.changes:
            return False
        if made.told.done() and made.told.exception() is not None:
            return False
        age = self._now() - made.at
        if self._live.busy and age < min(made.lasted / SHARE, LONGEST_BUSY):
            return True
        return made.version == self._live.version and age < LONGEST

    def _begin(self, name: str, make: Callable[[], Awaitable[Any]]) -> Made:
        if len(self._made) >= MOST:
            self._made.clear()
        at = self._now()

        async def making() -> bytes:
            told = _encode(await make())
            made.lasted = self._now() - at
            return told

        made = self._made[name] = Made(
            self._live.version, self._live.changes, at, asyncio.ensure_future(making())
        )
        return made
