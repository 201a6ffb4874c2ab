"""How often open pages are told: at once while little happens, and no faster than a person reads while much does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from freellm_dashboard.shapes.system import Kind, Notice

FEW: Final = 4
"""Requests that may end between two looks at the proxy without it being called busy: ten a second."""

READING: Final[Mapping[Kind, float]] = {"activity": 1.0}
"""Seconds between two notices of a kind while the proxy is busy. Each but `activity` makes pages ask for figures."""

_OTHERS: Final = 3.0

MOST_IDS: Final = 50
"""Ids that a notice names, at most: the last ones."""


class Pacing:
    """What is to be told, and whether it is time to.

    A notice is told at once unless the proxy is busy and one of its kind was told shortly before. It then waits, and
    the next of its kind takes its place; the last one is always told.
    """

    def __init__(self) -> None:
        self._due: dict[Kind, Notice] = {}
        self._told: dict[Kind, float] = {}

    def add(self, notice: Notice) -> None:
        """Note something to tell."""
        waiting = self._due.get(notice.kind)
        if waiting is not None and waiting.ids:
            notice = msgspec.structs.replace(notice, ids=[*waiting.ids, *notice.ids][-MOST_IDS:])
        self._due[notice.kind] = notice

    def ready(self, now: float, *, busy: bool) -> Sequence[Notice]:
        """Return what is to be told now.

        :param now: seconds of a clock that never goes back
        :param busy: whether much is happening
        """
        kinds = [kind for kind in self._due if not busy or self._is_time(kind, now)]
        self._told |= dict.fromkeys(kinds, now)
        return [self._due.pop(kind) for kind in kinds]

    def _is_time(self, kind: Kind, now: float) -> bool:
        told = self._told.get(kind)
        return told is None or now - told >= READING.get(kind, _OTHERS)
