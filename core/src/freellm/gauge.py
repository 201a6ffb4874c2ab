"""The gauge: what is known of a provider's model at the moment, for strategies. Pure; the clock is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from freellm.catalogue import Catalogue, Entry
from freellm.declarations import Model
from freellm.ledger import Share
from freellm.measurements import Measured

NOTHING = Measured()
"""What is known of a model that nobody has a key for."""


class Gauge:
    """Say what was measured of a model at a provider, and how much of its quota is left.

    :param now: returns Unix time
    """

    __slots__ = ("_entries", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: Mapping[str, Entry] = {}

    def watch(self, catalogue: Catalogue) -> None:
        """Speak of the entries of a snapshot from now on."""
        self._entries = {entry.name: entry for entry in catalogue.chain}

    def __call__(self, provider: str, model: Model) -> Measured:
        """Return what is known."""
        entry = self._entries.get(f"{provider}/{model.id}")
        if entry is None:
            return NOTHING
        now = self._now()
        return entry.track.measured(now, partial(quota_left, entry, now))


def quota_left(entry: Entry, now: float) -> float:
    """Return the share of an entry's scarcest quota that is left, 0 to 1, with the key that has most."""
    return max(
        (min((_left(share, now) for share in route.shares), default=1.0) for route in entry.routes),
        default=0.0,
    )


def _left(share: Share, now: float) -> float:
    pool = share.pool
    if now >= pool.edge:
        pool.advance(now)
    if pool.closed_until:
        return 0.0
    if share.unlimited or math.isinf(pool.limit):
        return 1.0
    return max(0.0, 1.0 - pool.counter.used / pool.limit) if pool.limit > 0 else 0.0
