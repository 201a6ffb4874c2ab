"""An event loop in whose time minutes pass in a moment, while its sockets are real."""

from __future__ import annotations

import asyncio
import selectors


class _Selector(selectors.DefaultSelector):
    """Waits for no timer: when no socket has anything, the time that would have been waited has passed.

    :ivar passed: seconds that have passed like this
    """

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None:
            return super().select(None)
        self.passed += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Lets time pass when there is nothing else to do: timers fire in their order, and nobody waits for them.

    Servers, clients, timeouts and delays that run in the loop live in this time; what happens, and in which order, is what
    happens on a machine that computes in no time, because what one socket of the loop sends another one has at once.
    Threads have no place in it: time passes while they work.
    """

    def __init__(self) -> None:
        self._waits = _Selector()
        super().__init__(self._waits)

    def time(self) -> float:
        """Return the seconds that have passed in this loop."""
        return self._waits.passed
