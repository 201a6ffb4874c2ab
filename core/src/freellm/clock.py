"""Time that never runs backward: the wall clock at start plus the monotonic clock since."""

from __future__ import annotations

import time
from collections.abc import Callable


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
