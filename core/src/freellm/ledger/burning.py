"""How fast a pool is being spent: a mean of its own recent spending, in which the latest counts most. Pure.

An amount counts with `exp(-age / constant)`, the constant being an eighth of the window: what was spent a window ago
counts next to nothing. The mean is taken over the time since the first spending that is known, so that a pool which is
new is not taken for one that was idle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, TypeAlias

CONSTANTS: Final = 8.0
"""How many time constants a window has."""

SHORTEST: Final = (1 / 16, 10.0)
"""Over what the first spending is spread, at least: a part of the time constant, and seconds."""

Burnt: TypeAlias = tuple[float, float, float]
"""A `Burn` as plain data: the weighted amount, the moment it is of, and that of the first spending."""


def rate(spent: Iterable[tuple[float, float]], window: float, now: float) -> float:
    """Return what is spent a second, from moments and the amounts that were spent at them.

    :param spent: none of it older than the window
    :param window: seconds
    """
    constant = window / CONSTANTS
    weighted, first = 0.0, now
    for at, amount in spent:
        weighted += amount * math.exp(min(at - now, 0.0) / constant)
        first = min(first, at)
    return _mean(weighted, now - first, constant)


def _mean(weighted: float, known: float, constant: float) -> float:
    known = max(known, constant * SHORTEST[0], SHORTEST[1])
    weight = constant * -math.expm1(-known / constant)
    return max(weighted, 0.0) / weight


class Burn:
    """The same for a window that keeps its total only: it is told the total now and then.

    :param window: seconds
    """

    __slots__ = ("_at", "_constant", "_first", "_seen", "_weighted")

    def __init__(self, window: float) -> None:
        self._constant = window / CONSTANTS
        self._weighted = 0.0
        self._at = 0.0
        self._first = math.inf
        self._seen = 0.0

    def see(self, used: float, at: float, *, anew: bool) -> None:
        """Take a total.

        :param anew: whether the window has started over since the last one
        """
        spent = used if anew else used - self._seen
        self._seen = used
        if not spent:
            return
        at = max(at, self._at)
        self._weighted = self._weighted * math.exp((self._at - at) / self._constant) + spent
        self._at = at
        self._first = min(self._first, at)

    def rate(self, now: float) -> float:
        """Return what is spent a second."""
        if self._first > now:
            return 0.0
        weighted = self._weighted * math.exp(min(self._at - now, 0.0) / self._constant)
        return _mean(weighted, now - self._first, self._constant)

    def state(self) -> Burnt | None:
        """Return it as plain data; None when nothing was spent yet."""
        return None if math.isinf(self._first) else (self._weighted, self._at, self._first)

    def recall(self, burnt: Burnt | None, used: float, ahead: float) -> None:
        """Go on from an earlier state, if there is one.

        :param used: the total that is known now
        :param ahead: seconds that the clock was set back
        """
        self._seen = used
        if burnt:
            self._weighted, self._at, self._first = burnt[0], burnt[1] - ahead, burnt[2] - ahead
