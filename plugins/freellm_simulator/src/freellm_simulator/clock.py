"""A clock that can be pushed forward."""

from __future__ import annotations

import time
from collections.abc import Callable


class VirtualClock:
    """Tells Unix time, plus what it was advanced by.

    :param wall: returns Unix time
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._ahead = 0.0

    def now(self) -> float:
        """Return Unix time in seconds."""
        return self._wall() + self._ahead

    def advance(self, seconds: float) -> None:
        """Push the clock forward.

        :raises ValueError: when it would go backward
        """
        if seconds < 0:
            raise ValueError("a clock is only ever advanced forward")
        self._ahead += seconds

    def reset(self) -> None:
        """Return to the wall clock."""
        self._ahead = 0.0
