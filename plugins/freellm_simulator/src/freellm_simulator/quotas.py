"""Quotas, counted the obvious way: every spending stays in a queue with its time until it has aged out.

Nothing here is shared with freellm's ledger, so the one can judge the other.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

Reset: TypeAlias = Literal["rolling", "hour", "utc-midnight", "pacific-midnight", "month"]
Charge: TypeAlias = Literal["request", "input", "input+max", "after"]
"""What the check at the door counts: one request, the prompt, the prompt and `max_tokens`, or nothing yet."""

_ZONES: Mapping[str, tzinfo] = {
    "utc-midnight": UTC,
    "month": UTC,
    "pacific-midnight": ZoneInfo("America/Los_Angeles"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One quota.

    :param unit: `requests`, `tokens`, `concurrent`, or a unit that the models' prices are in
    :param limit: how much a window holds
    :param window: seconds; what is `concurrent` lasts until it is settled
    :param reset: whether spendings age out one by one, all at the full hour, all at a midnight, or all on the first of a
        month (UTC)
    :param charge: what the check at the door counts
    :param pool: the model it belongs to, `*` for one over all models of the account
    """

    unit: str
    limit: float
    window: float
    reset: Reset = "rolling"
    charge: Charge = "request"
    pool: str = "*"


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A quota that cannot take a request.

    :param wait: seconds until it can; infinite when it never can
    :param at: Unix time of the refusal; None when a fault has made it up
    """

    limit: Limit
    used: float
    requested: float
    wait: float
    at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a quota stands. `resets_in` is in seconds, until all of it is there again."""

    account: str
    limit: Limit
    used: float
    resets_in: float


@dataclass(slots=True)
class _Spending:
    at: float
    amount: float
    counts: bool = True


class _Book:
    """What one account has spent from one quota: every spending until it has aged out, and their sum."""

    __slots__ = ("_lately", "_limit", "entries", "spent_from", "used")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._lately: deque[_Spending] = deque()
        self.entries: deque[_Spending] = deque()
        self.spent_from = False
        self.used = 0.0

    def spend(self, amount: float, now: float) -> _Spending:
        entry = _Spending(now, amount)
        self.spent_from = True
        self.entries.append(entry)
        self.used += amount
        return entry

    def correct(self, entry: _Spending, amount: float) -> None:
        """Replace what was counted for a spending."""
        if entry.counts:
            self.used += amount - entry.amount
        entry.amount = amount

    def age(self, now: float) -> None:
        """Let spendings go that no longer count."""
        since = _counts_since(self._limit, now)
        while self.entries and self.entries[0].at <= since:
            entry = self.entries.popleft()
            entry.counts = False
            self.used -= entry.amount
            self._lately.append(entry)
        if not self.entries:
            self.used = 0.0  # sums of fractions leave a trace

    def used_lately(self, seconds: float, now: float) -> float:
        """Return what is spent together with what aged out within the last seconds."""
        since = _counts_since(self._limit, now) - seconds
        while self._lately and self._lately[0].at <= since:
            self._lately.popleft()
        return self.used + sum(entry.amount for entry in self._lately)

    def end(self, entry: _Spending) -> None:
        """Let a spending go that lasted as long as its request."""
        self.entries.remove(entry)
        entry.counts = False
        self.used -= entry.amount


class Booking:
    """What one admitted request has spent so far; `settle` puts the true figures in."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Sequence[tuple[Limit, _Book, _Spending]]) -> None:
        self._entries = entries

    def settle(self, spent: Mapping[str, float]) -> None:
        """Replace what the door counted by what was used; the time of spending stays.

        :param spent: the amount by unit: tokens of input and output, and the units of the model's prices; quotas that
            count the prompt alone keep what they counted
        """
        for limit, book, entry in self._entries:
            if limit.unit == "concurrent":
                book.end(entry)
            elif limit.unit in spent and limit.charge != "input":
                book.correct(entry, spent[limit.unit])


class Quotas:
    """Everything every account has spent from every quota."""

    def __init__(self) -> None:
        self._books: dict[tuple[str, str, Limit], _Book] = {}

    def admit(
        self,
        provider: str,
        account: str,
        limits: Sequence[Limit],
        charges: Mapping[str, float],
        now: float,
    ) -> Booking | tuple[Exceeded, ...]:
        """Book a request on all its quotas, or say which of them are spent and book nothing.

        :param limits: the quotas it spends from
        :param charges: the amount by kind of charge
        :param now: Unix time
        """
        books = [(limit, self._book(provider, account, limit, now)) for limit in limits]
        exceeded = tuple(
            Exceeded(limit, book.used, charge, _wait(limit, book.entries, book.used, charge, now), now)
            for limit, book in books
            for charge in (charges[limit.charge],)
            if not _has_room(limit, book.used, charge)
        )
        if exceeded:
            return exceeded
        return Booking([(limit, book, book.spend(charges[limit.charge], now)) for limit, book in books])

    def fits(
        self,
        provider: str,
        account: str,
        limits: Sequence[Limit],
        spent: Mapping[str, float],
        now: float,
        *,
        latency: float = 0.0,
        at_once: bool = False,
    ) -> bool:
        """Tell whether a request would fit whole into all its quotas, and would have fitted a moment ago; books nothing.

        A moment is the latency, a hundredth of a window and a second: that soon nobody can know at a distance what has aged
        out.

        :param spent: what it would spend, by unit
        :param latency: seconds from a request to its answer's headers, at most: no service says when in between it counts
        :param at_once: whether room counts that has only just come about
        """
        for limit in limits:
            book = self._book(provider, account, limit, now)
            rolls = limit.reset == "rolling" and limit.window < math.inf
            used = (
                book.used
                if at_once or not rolls
                else book.used_lately(latency + limit.window / 100 + 1.0, now)
            )
            if used + spent.get(limit.unit, 0.0) > limit.limit:
                return False
        return True

    def standings(self, provider: str, account: str, limits: Sequence[Limit], now: float) -> list[Standing]:
        """Say how an account stands with some quotas."""
        return [self._standing(provider, account, limit, now) for limit in limits]

    def all_standings(self, now: float) -> list[tuple[str, Standing]]:
        """Say how every account stands that has spent anything; provider first."""
        spent = (key for key, book in self._books.items() if book.spent_from)
        return [(key[0], self._standing(*key, now)) for key in sorted(spent, key=str)]

    def _book(self, provider: str, account: str, limit: Limit, now: float) -> _Book:
        book = self._books.get((provider, account, limit))
        if book is None:
            book = self._books[provider, account, limit] = _Book(limit)
        book.age(now)
        return book

    def _standing(self, provider: str, account: str, limit: Limit, now: float) -> Standing:
        book = self._book(provider, account, limit, now)
        resets_in = _free_at(limit, book.entries[-1].at) - now if book.entries else 0.0
        return Standing(account, limit, book.used, resets_in)


def _has_room(limit: Limit, used: float, requested: float) -> bool:
    return used + requested <= limit.limit and used < limit.limit


def _counts_since(limit: Limit, now: float) -> float:
    """Return the Unix time after which a spending still counts now."""
    if limit.reset == "rolling":
        return now - limit.window
    return math.nextafter(_period(limit.reset, now)[0], 0)


def _free_at(limit: Limit, spent_at: float) -> float:
    """Return the Unix time at which a spending no longer counts."""
    if limit.reset == "rolling":
        return spent_at + limit.window
    return _period(limit.reset, spent_at)[1]


def next_reset(limit: Limit, moment: float) -> float:
    """Return the Unix time at which a quota with a calendar starts over after a moment."""
    return _period(limit.reset, moment)[1]


def _period(reset: Reset, moment: float) -> tuple[float, float]:
    """Return the Unix times at which the calendar period of a moment begins and ends."""
    return _period_of_hour(reset, moment // HOUR * HOUR)


@lru_cache(maxsize=256)
def _period_of_hour(reset: Reset, moment: float) -> tuple[float, float]:
    """Return the same for every moment of an hour: all periods begin with one."""
    if reset == "hour":
        return moment, moment + HOUR
    zone = _ZONES[reset]
    first = datetime.fromtimestamp(moment, zone).date()
    following = first + timedelta(days=1)
    if reset == "month":
        first = first.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
    begins, ends = (datetime.combine(day, time(), zone).timestamp() for day in (first, following))
    return begins, ends


def _wait(limit: Limit, live: Iterable[_Spending], used: float, requested: float, now: float) -> float:
    if requested > limit.limit:
        return math.inf
    for entry in live:
        used -= entry.amount
        if used + requested <= limit.limit and used < limit.limit:
            return _free_at(limit, entry.at) - now
    return math.inf
