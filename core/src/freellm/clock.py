"""Time that never runs backward: the wall clock at start plus the monotonic clock since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """A call to come."""

    def cancel(self) -> None:
        """Let it not come."""


class Clock:
    """Tell Unix time in a way that a step of the wall clock cannot free quota.

    :param wall: returns Unix time; asked once
    :param monotonic: returns seconds since any fixed moment
    :param not_before: Unix time that is known to have passed, such as the last one persisted
    """

    __slots__ = ("_monotonic", "_offset")

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        not_before: float = 0.0,
    ) -> None:
        self._monotonic = monotonic
        self._offset = max(wall(), not_before) - monotonic()

    def now(self) -> float:
        """Return Unix time in seconds."""
        return self._monotonic() + self._offset

    def call_at(self, when: float, callback: Callable[[], None]) -> Alarm:
        """Call something at a moment, soon if it has passed; inside a running event loop.

        :param when: Unix time
        """
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), callback)
