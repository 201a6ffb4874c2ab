"""First-byte limits: one timer for all requests under way, because a timer of its own costs each request more."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

TICK: Final = 0.05
"""Seconds between two looks: by so much a limit may ring late."""


class FirstByteLimit:
    """Cancels the task that made it when its time is up, as `asyncio.timeout` does.

    :param due: when that is, on the event loop's clock
    """

    __slots__ = ("_before", "_rang", "_task", "due")

    def __init__(self, due: float) -> None:
        self.due = due
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._before = self._task.cancelling()
        self._rang = False

    def ring(self) -> None:
        """Cancel the task."""
        self._rang = True
        self._task.cancel()

    def was_the_cause(self) -> bool:
        """Take the cancellation back, if it was ours; return whether nobody else asked for it too."""
        return self._rang and self._task.uncancel() <= self._before


class FirstByteLimits:
    """The limits of one event loop.

    :param loop: the running event loop
    """

    __slots__ = ("_limits", "_loop", "_ticking")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._limits: set[FirstByteLimit] = set()
        self._ticking = False

    def start(self, seconds: float) -> FirstByteLimit:
        """Give the current task so many seconds, until `stop`."""
        limit = FirstByteLimit(self._loop.time() + seconds)
        self._limits.add(limit)
        if not self._ticking:
            self._ticking = True
            self._loop.call_later(TICK, self._tick)
        return limit

    def stop(self, limit: FirstByteLimit) -> None:
        """Let the task go on."""
        self._limits.discard(limit)

    def _tick(self) -> None:
        now = self._loop.time()
        for limit in [limit for limit in self._limits if limit.due <= now]:
            self._limits.discard(limit)
            limit.ring()
        self._ticking = bool(self._limits)
        if self._ticking:
            self._loop.call_later(TICK, self._tick)
