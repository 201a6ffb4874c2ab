"""First-byte limits: one timer for all requests under way, because a timer of its own costs each request more."""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeAlias, cast

TICK: Final = 0.05
"""Seconds between two looks: by so much a limit may ring late."""

AnyTask: TypeAlias = "asyncio.Task[Any]"


class FirstByteLimits:
    """Cancel tasks whose time is up, as `asyncio.timeout` does. A task has one limit at a time.

    :param loop: the running event loop
    """

    __slots__ = ("_due", "_loop", "_rung", "_ticking")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[AnyTask, float] = {}
        self._rung: dict[AnyTask, int] = {}
        self._ticking = False

    def start(self, seconds: float) -> AnyTask:
        """Give the current task so many seconds, until `stop`; return it."""
        task = cast(AnyTask, asyncio.current_task(self._loop))
        self._due[task] = self._loop.time() + seconds
        if not self._ticking:
            self._ticking = True
            self._loop.call_later(TICK, self._tick)
        return task

    def stop(self, task: AnyTask) -> None:
        """Let a task go on."""
        self._due.pop(task, None)

    def was_the_cause(self, task: AnyTask) -> bool:
        """Take the cancellation back, if it was ours; return whether nobody else asked for it too."""
        before = self._rung.pop(task, None)
        return before is not None and task.uncancel() <= before

    def _tick(self) -> None:
        now = self._loop.time()
        for task in [task for task, due in self._due.items() if due <= now]:
            del self._due[task]
            self._rung[task] = task.cancelling()
            task.cancel()
        self._ticking = bool(self._due)
        if self._ticking:
            self._loop.call_later(TICK, self._tick)
