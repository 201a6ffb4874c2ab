"""One timer for the whole of a body: it is set once and looks again, instead of being set for every read."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Final

_TOLERANCE: Final = 0.002
"""Seconds by which an event loop may call early; uvloop counts whole milliseconds."""


class Watch:
    """Aborts a body that makes no progress, or that never ends. Time the reader spends elsewhere is no stall.

    :param loop: the running event loop
    :param stall: seconds without progress at most
    :param total: seconds for everything
    :param abort: called once, when either is over; `verdict` then says which
    """

    __slots__ = ("_abort", "_end", "_handle", "_loop", "_moved", "_stall", "_total", "_waiting", "verdict")

    def __init__(
        self, loop: AbstractEventLoop, stall: float, total: float, abort: Callable[[], None]
    ) -> None:
        self.verdict = ""
        self._loop = loop
        self._stall = stall
        self._total = total
        self._abort = abort
        self._moved = loop.time()
        self._end = self._moved + total
        self._waiting = True
        self._handle = loop.call_at(min(self._moved + stall, self._end), self._look)

    def pause(self) -> None:
        """Note progress; the reader is busy with it from now on."""
        self._waiting = False

    def resume(self) -> None:
        """Note that the reader waits again."""
        self._moved = self._loop.time()
        self._waiting = True

    def stop(self) -> None:
        """Stop watching."""
        self._handle.cancel()

    def _look(self) -> None:
        now = self._loop.time() + _TOLERANCE
        due = self._moved + self._stall if self._waiting else now + self._stall
        if now >= self._end:
            self.verdict = f"did not finish within {self._total:g} s"
        elif now >= due:
            self.verdict = f"sent nothing of use for {self._stall:g} s"
        if self.verdict:
            self._abort()
        else:
            self._handle = self._loop.call_at(min(due, self._end), self._look)
