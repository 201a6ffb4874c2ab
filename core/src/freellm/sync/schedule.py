"""When a running server asks for lists: once in a while for each provider, one after the other. Pure; `now` is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from zlib import crc32

from freellm.store.listings import ListedAt

DAY: Final = 86_400.0

SETTLE: Final = 120.0
"""Seconds after the start until the first list is asked for."""

APART: Final = 60.0
"""Seconds between two lists."""

SPREAD: Final = 0.1
"""By which part of the time between two lists of a provider it may come later, so that not all come on one day."""


def due(
    names: Sequence[str],
    asked: Mapping[str, ListedAt],
    doubtful: Collection[str],
    *,
    every: float,
    started: float,
    last: float,
) -> tuple[float, str] | None:
    """Return when the next list is due, and whose; None when there is nobody to ask.

    :param names: whom to ask
    :param asked: when each was last asked
    :param doubtful: those that are looked at again after a day: a list that lacked a model wants to be confirmed
    :param every: seconds between two lists of one provider
    :param started: Unix time of the server's start
    :param last: Unix time of the last list that this server asked for
    """
    return min(
        (
            (max(_due(name, asked.get(name), name in doubtful, every), started + SETTLE, last + APART), name)
            for name in names
        ),
        default=None,
    )


def _due(name: str, before: ListedAt | None, doubtful: bool, every: float) -> float:
    if before is None:
        return 0.0
    soon = doubtful or bool(before.problem)
    wait = min(every, DAY) if soon else every
    return before.asked + wait * (1.0 + SPREAD * crc32(name.encode()) / 2**32)
