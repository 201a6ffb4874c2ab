"""What was spent in one window: what every counter answers, and the two plain ones. No limits, those are the pool's.

A counter has `used`; `edge`, the Unix time from which `expire` has to be called before anything else is; and `begun`,
since when what is spent counts as spent now. Amounts are in the quota's unit, moments are Unix seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Protocol, TypeAlias

from freellm.ledger.burning import Burn, Burnt
from freellm.ledger.calendars import Calendar

BUCKETS: Final = 120
"""Whole buckets that a rolling window is divided into; the bucket being filled comes on top."""

CONCURRENCY_RETRY: Final = 1.0
"""Seconds after which a full concurrency limit is worth another look: nobody can say when a request will end."""

NEGLIGIBLE: Final = 1e-9
"""Amounts below this are rounding, not spending."""

Spending: TypeAlias = tuple[float, float]
"""A moment, and the amount that was spent at it."""


class Counter(Protocol):
    """What a pool asks of its window."""

    used: float
    edge: float
    begun: float

    def expire(self, now: float) -> None:
        """Forget what no longer counts at `now`, and set the next `edge`."""

    def spend(self, amount: float) -> None:
        """Add an amount now. The same as `book` at the present moment, and faster."""

    def book(self, at: float, amount: float) -> None:
        """Add an amount at a moment, or take back a part of what was booked at it when the amount is negative."""

    def move(self, old: float, amount: float) -> None:
        """Let an amount that was booked at a moment before `begun` count from now."""

    def opening(self, needed: float, now: float) -> float:
        """Return the moment at which at least `needed` will have expired."""

    def reset(self, now: float) -> float:
        """Return the moment from which a pool that the service calls exhausted is worth another try."""

    def spent(self, but: Iterable[Spending]) -> list[Spending]:
        """Return what counts now, less what is given; booking the result on a new counter restores it."""

    def burn_rate(self, now: float) -> float:
        """Return what is spent a second; see `freellm.ledger.burning`."""


class Fixed:
    """A window that starts over for everyone at once, such as a day or a month.

    :param calendar: says which period a moment lies in
    :param window: how long a period is, about, in seconds
    :ivar burn: how fast it is spent
    """

    __slots__ = ("_calendar", "_end", "_looked", "begun", "burn", "edge", "used")

    def __init__(self, calendar: Calendar, window: float) -> None:
        self.used = 0.0
        self.edge = 0.0
        self.begun = 0.0
        self._end = 0.0
        self._calendar = calendar
        self._looked = 0.0
        self.burn = Burn(window)

    def expire(self, now: float) -> None:
        """Start a new period if the current one is over."""
        if now >= self.edge:
            self.begun, self._end = self._calendar(now)
            self.used, self.edge = 0.0, self._end

    def spend(self, amount: float) -> None:
        """Add an amount to the current period."""
        self.used += amount

    def book(self, at: float, amount: float) -> None:
        """Add an amount; what belongs to a period that is over is not counted.

        A moment after the current period, which only a clock that was set back can bring, makes the period last
        longer, by the length of that moment's own period: by then the true clock is past its end.
        """
        if at >= self.begun:
            self.used += amount
        if at >= self.edge:
            start, end = self._calendar(at)
            self.edge = max(self.edge, self._end + end - start)

    def move(self, old: float, amount: float) -> None:
        """Count an amount that was booked before the current period began."""
        self.used += amount

    def opening(self, needed: float, now: float) -> float:
        """Return the end of the period."""
        return self.edge

    def reset(self, now: float) -> float:
        """Return the end of the period."""
        return self.edge

    def spent(self, but: Iterable[Spending]) -> list[Spending]:
        """Return the period's amount with its last second."""
        amount = self.used - sum(amount for at, amount in but if at >= self.begun)
        return [(self.edge - 1, amount)] if amount > NEGLIGIBLE else []

    def look(self, at: float) -> None:
        """Note how much was used by a moment, for the burn rate."""
        self.burn.see(self.used, at, anew=self.begun > self._looked)
        self._looked = at

    def resume(self, burnt: Burnt | None, now: float, ahead: float) -> None:
        """Go on from what an earlier process saw of the burn rate; what is used by now was seen then.

        :param ahead: seconds that the clock was set back
        """
        self.burn.recall(burnt, self.used, ahead)
        self._looked = now

    def burn_rate(self, now: float) -> float:
        """Return what is spent a second."""
        return self.burn.rate(now)


class Concurrent:
    """How many requests are under way. It does not outlive the process, and neither do they."""

    __slots__ = ("begun", "edge", "used")

    def __init__(self) -> None:
        self.used = 0.0
        self.edge = math.inf
        self.begun = -math.inf

    def expire(self, now: float) -> None:
        """Forget nothing: only the end of a request frees its place."""

    def spend(self, amount: float) -> None:
        """Add requests."""
        self.used += amount

    def book(self, at: float, amount: float) -> None:
        """Add requests, or take them off when the amount is negative."""
        self.used += amount

    def move(self, old: float, amount: float) -> None:
        """Change nothing: a request under way counts whenever it began."""

    def opening(self, needed: float, now: float) -> float:
        """Return a moment worth another look."""
        return now + CONCURRENCY_RETRY

    def reset(self, now: float) -> float:
        """Return a moment worth another look."""
        return now + CONCURRENCY_RETRY

    def spent(self, but: Iterable[Spending]) -> list[Spending]:
        """Return nothing."""
        return []

    def burn_rate(self, now: float) -> float:
        """Return 0: what is under way is given back."""
        return 0.0
