"""What the gateway is doing: the requests under way, and the last that are over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from freellm.gateway.calls import Call
from freellm.store import RequestRecord

LAST: Final = 50
"""Requests that are over and remembered, at most."""

MOST: Final = 10_000
"""Requests under way that are known, at most: one that is never recorded must not be kept for ever."""


class Activity:
    """The requests under way and the last ones.

    :ivar last: the records of the last requests, the latest at the end
    :ivar logged: the ids of the last requests that the log has by now, the latest at the end
    """

    __slots__ = ("_under_way", "last", "logged")

    def __init__(self) -> None:
        self._under_way: dict[int, Call] = {}
        self.last: deque[RequestRecord] = deque(maxlen=LAST)
        self.logged: deque[str] = deque(maxlen=LAST)

    @property
    def under_way(self) -> Sequence[Call]:
        """The requests under way, the first that came in front."""
        return list(self._under_way.values())

    def began(self, call: Call) -> None:
        """Note that a request is being served."""
        if len(self._under_way) >= MOST:
            del self._under_way[next(iter(self._under_way))]
        self._under_way[id(call)] = call

    def ended(self, call: Call, record: RequestRecord | None = None) -> None:
        """Note that a request is over.

        :param record: what came of it; None when it broke off by a mistake of ours
        """
        self._under_way.pop(id(call), None)
        if record is not None:
            self.last.append(record)

    def written(self, records: Iterable[RequestRecord]) -> None:
        """Note that the log has these requests now."""
        self.logged.extend(record.id for record in records)
