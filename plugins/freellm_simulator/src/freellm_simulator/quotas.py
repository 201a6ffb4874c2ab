"""Quotas, counted the slow and obvious way: every spending stays in a list with its time until it has aged out.

Nothing here is shared with freellm's ledger, so the one can judge the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
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


class Booking:
    """What one admitted request has spent so far; `settle` puts the true figures in."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Sequence[tuple[Limit, _Spending]]) -> None:
        self._entries = entries

    def settle(self, spent: Mapping[str, float]) -> None:
        """Replace what the door counted by what was used; the time of spending stays.

        :param spent: the amount by unit: tokens of input and output, and the units of the model's prices; quotas that
            count the prompt alone keep what they counted
        """
        for limit, entry in self._entries:
            if limit.unit == "concurrent":
                entry.amount = 0.0
            elif limit.unit in spent and limit.charge != "input":
                entry.amount = spent[limit.unit]


class Quotas:
    """Everything every account has spent from every quota."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, str, Limit], list[_Spending]] = {}

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
        exceeded = tuple(
            verdict
            for limit in limits
            if (verdict := self._check(provider, account, limit, charges[limit.charge], now))
        )
        if exceeded:
            return exceeded
        booked = []
        for limit in limits:
            entry = _Spending(now, charges[limit.charge])
            self._spent.setdefault((provider, account, limit), []).append(entry)
            booked.append((limit, entry))
        return Booking(booked)

    def standings(self, provider: str, account: str, limits: Sequence[Limit], now: float) -> list[Standing]:
        """Say how an account stands with some quotas."""
        return [self._standing(provider, account, limit, now) for limit in limits]

    def all_standings(self, now: float) -> list[tuple[str, Standing]]:
        """Say how every account stands that has spent anything; provider first."""
        return [(key[0], self._standing(*key, now)) for key in sorted(self._spent, key=str)]

    def _check(
        self, provider: str, account: str, limit: Limit, requested: float, now: float
    ) -> Exceeded | None:
        live = self._live(provider, account, limit, now)
        used = sum(entry.amount for entry in live)
        if used + requested <= limit.limit and used < limit.limit:
            return None
        return Exceeded(limit, used, requested, _wait(limit, live, used, requested, now), now)

    def _standing(self, provider: str, account: str, limit: Limit, now: float) -> Standing:
        live = self._live(provider, account, limit, now)
        resets_in = _free_at(limit, live[-1].at) - now if live else 0.0
        return Standing(account, limit, sum(entry.amount for entry in live), resets_in)

    def _live(self, provider: str, account: str, limit: Limit, now: float) -> list[_Spending]:
        entries = self._spent.get((provider, account, limit), [])
        since = _counts_since(limit, now)
        entries[:] = [
            entry for entry in entries if entry.at > since and (entry.amount or limit.unit != "concurrent")
        ]
        return entries


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


def _period(reset: Reset, moment: float) -> tuple[float, float]:
    """Return the Unix times at which the calendar period of a moment begins and ends."""
    if reset == "hour":
        begun = moment // HOUR * HOUR
        return begun, begun + HOUR
    zone = _ZONES[reset]
    first = datetime.fromtimestamp(moment, zone).date()
    following = first + timedelta(days=1)
    if reset == "month":
        first = first.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
    begins, ends = (datetime.combine(day, time(), zone).timestamp() for day in (first, following))
    return begins, ends


def _wait(limit: Limit, live: Sequence[_Spending], used: float, requested: float, now: float) -> float:
    if requested > limit.limit:
        return math.inf
    for entry in live:
        used -= entry.amount
        if used + requested <= limit.limit and used < limit.limit:
            return _free_at(limit, entry.at) - now
    return math.inf
