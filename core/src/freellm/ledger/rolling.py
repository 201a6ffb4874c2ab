"""What was spent in a sliding window, to within a small part of its length and never too little."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from freellm.ledger.burning import rate
from freellm.ledger.counters import BUCKETS, NEGLIGIBLE, Spending

_SLOTS: Final = BUCKETS + 2
"""The current bucket, and one ahead of it for what a clock that was set back says lies in the future."""

_GRAIN: Final = 2.0**20
"""Bucket widths are multiples of 2**-20 s, so that index * width and moment / width are exact until 2038."""


class Rolling:
    """A sliding window: 120 buckets plus the current one, and a running total.

    A bucket is forgotten when all of it is older than the window, so an amount counts too long by one bucket at
    most and never too short. The ring is made by the first booking: most windows of a catalogue are never used.

    :param window: seconds
    """

    __slots__ = ("_freed", "_head", "_ring", "_slot", "_width", "_window", "begun", "edge", "used")

    def __init__(self, window: float) -> None:
        self.used = 0.0
        self.edge = 0.0
        self._window = window
        self._width = math.ceil(window / BUCKETS * _GRAIN) / _GRAIN
        self._head = -1
        self._slot = 0
        self.begun = 0.0
        self._ring: list[float] | None = None
        self._freed: Sequence[float] | None = None

    def expire(self, now: float) -> None:
        """Forget the buckets that have left the window."""
        head, index = self._head, int(now / self._width)
        if index <= head:
            return
        self._head, self._slot = index, index % _SLOTS
        self.begun, self.edge = index * self._width, (index + 1) * self._width
        ring = self._ring
        if ring is None:
            return
        self._freed = None
        if index - head >= _SLOTS:
            self._ring, self.used = None, 0.0
            return
        for bucket in range(head + 2, index + 2):
            ring[bucket % _SLOTS] = 0.0
        # Summed afresh, or rounding would pile up in the running total of a unit that is counted in fractions.
        self.used = sum(ring)

    def spend(self, amount: float) -> None:
        """Add an amount to the current bucket."""
        ring = self._ring
        if ring is None:
            ring = self._ring = [0.0] * _SLOTS
        ring[self._slot] += amount
        self.used += amount
        self._freed = None

    def book(self, at: float, amount: float) -> None:
        """Add an amount to the bucket of its moment; what has left the window already is not counted.

        A moment in the future, which only a clock that was set back can bring, counts as the next bucket.
        """
        index = int(at / self._width)
        ahead = index - self._head
        if ahead > 1:
            index = self._head + 1
        elif ahead < -BUCKETS:
            return
        ring = self._ring
        if ring is None:
            ring = self._ring = [0.0] * _SLOTS
        ring[index % _SLOTS] += amount
        self.used += amount
        self._freed = None

    def move(self, old: float, amount: float) -> None:
        """Move an amount to the current bucket, back into the window if it had left it."""
        self.book(old, -amount)
        self.spend(amount)

    def opening(self, needed: float, now: float) -> float:
        """Return the edge at which the buckets forgotten by then will have held at least `needed`."""
        freed = self._freed
        if freed is None:
            oldest = (self._head + 2) % _SLOTS
            ring = self._ring or [0.0] * _SLOTS
            freed = self._freed = tuple(accumulate(ring[oldest:] + ring[:oldest]))
        steps = min(bisect_left(freed, needed), _SLOTS - 1)
        return (self._head + 1 + steps) * self._width

    def reset(self, now: float) -> float:
        """Return when the first of our own bookings expires, but not before 1/24 of the window has passed.

        A rolling window frees what was spent bit by bit, and what was spent elsewhere is not known here.
        """
        soonest = now + self._window / 24
        if self.used < NEGLIGIBLE:
            return soonest
        return max(soonest, min(self.opening(NEGLIGIBLE, now), now + self._window))

    def spent(self, but: Iterable[Spending]) -> list[Spending]:
        """Return the amount of each bucket with a moment near its end."""
        if self._ring is None:
            return []
        ring, first = self._ring[:], self._head - BUCKETS
        for at, amount in but:
            if (index := int(at / self._width)) >= first:
                ring[min(index, self._head + 1) % _SLOTS] -= amount
        return [
            ((bucket + 0.999) * self._width, amount)
            for bucket in range(first, first + _SLOTS)
            if (amount := ring[bucket % _SLOTS]) > NEGLIGIBLE
        ]

    def burn_rate(self, now: float) -> float:
        """Return what is spent a second, each bucket counting from its middle."""
        half = self._width / 2
        return rate([(at - half, amount) for at, amount in self.spent(())], self._window, now)
