"""An event loop whose time jumps to whatever is due next, so that a day of waiting takes no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

LOOKS_EVERY = 20
"""Turns of a busy loop between two looks at its sockets."""


class _Jumping(selectors.DefaultSelector):
    """Never waits: tells the loop how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0.0
        self._passed = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, and let the time pass if nothing is.

        While the loop has something to do at once, sockets are looked at only now and then: most days have none.
        """
        self._passed += 1
        if timeout == 0 and self._passed % LOOKS_EVERY:
            return []
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None and timeout > 0:
            self.waited += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time begins at 0 and jumps from timer to timer.

    It is no Unix time: of that, a float cannot tell moments apart as finely as asyncio expects (1 ns).
    """

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that have passed in the loop."""
        return self._jumping.waited


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
