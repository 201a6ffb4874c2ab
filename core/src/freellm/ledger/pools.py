"""A pool: one quota of one provider instance, for one key, account or address, and what was spent from it."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import msgspec

from freellm.declarations import DAY, Quota
from freellm.ledger import guesses
from freellm.ledger.calendars import calendar_of
from freellm.ledger.counters import Concurrent, Counter, Fixed
from freellm.ledger.guesses import Learned
from freellm.ledger.rolling import Rolling

ROUNDING: Final = 1e-12
"""The share of a limit that sums of fractions may go over it; far below one request or token."""

_READINGS: Final = 7
"""Readings that are remembered beside the last one: more than come while a request is under way that is not long."""


class PoolView(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as people see it.

    :param identity: provider instance, quota and fingerprint
    :param quota: the declaration, with its source
    :param used: what is spent of the window
    :param limit: what the window holds; None is unknown
    :param learned: the evidence for a limit that is not the declared one
    :param closed_until: Unix time until which the service said that the pool is exhausted; 0 when it did not
    :param edge: Unix time at which the next part of what was spent expires, at the latest
    """

    identity: str
    quota: Quota
    used: float
    limit: float | None
    learned: Learned | None
    closed_until: float
    edge: float


class Elsewhere(NamedTuple):
    """What a reading showed to be spent and the books did not know of.

    :param amount: how much
    :param at: Unix time at which it was booked
    :param read_at: Unix time of the reading
    """

    amount: float
    at: float
    read_at: float


def _counter(quota: Quota) -> Counter:
    if quota.window is None:
        return Concurrent()
    calendar = calendar_of(quota)
    return Fixed(calendar, quota.window) if calendar else Rolling(quota.window)


class Pool:
    """What was spent from one quota, and how much may be.

    `counter.used` is right and `room` is what it may reach, once `advance` was called if now is not before `edge`.

    :param identity: provider instance, quota name and fingerprint, stable across restarts
    :param quota: the declaration
    """

    __slots__ = (
        "ceiling",
        "changed",
        "closed_until",
        "counter",
        "doubts",
        "edge",
        "elsewhere",
        "identity",
        "learned",
        "limit",
        "override",
        "quota",
        "room",
        "told",
    )

    def __init__(self, identity: str, quota: Quota) -> None:
        self.identity = identity
        self.counter = _counter(quota)
        self.learned: Learned | None = None
        self.doubts: Counter | None = None
        """The part of what was spent that the service may never have counted; made on first use."""
        self.elsewhere: list[Elsewhere] = []
        """What was taken for spent by somebody else, as far back as requests that are under way may explain it."""
        self.told = -math.inf
        """When an answer last stated the limit itself."""
        self.closed_until = 0.0
        self.edge = 0.0
        self.changed = -math.inf
        """When something was last changed that a restart must not lose."""
        self.declare(quota, None)

    def declare(self, quota: Quota, override: float | None) -> None:
        """Take a quota as it is declared now.

        :param override: a limit from the settings, which replaces the declared one; a learned limit can only
            lower it
        """
        self.quota = quota
        self.override = override
        self.refresh()

    @property
    def starts_over(self) -> bool:
        """Whether its window starts over at once, as a day or a month does; else it frees bit by bit."""
        return isinstance(self.counter, Fixed)

    @property
    def declared(self) -> float:
        """The limit that holds when nothing is learned; infinite if there is none."""
        stated = self.quota.limit if self.override is None else self.override
        return math.inf if stated is None else stated

    def advance(self, now: float) -> None:
        """Let time pass: forget what has left the window, what was closed and what was learned."""
        self.counter.expire(now)
        closed_until, learned = self.closed_until, self.learned
        if not closed_until and learned is None:  # most pools, and all that time changes is what is used
            self.edge = self.counter.edge
            return
        if now >= closed_until:
            self.closed_until = 0.0
        if learned and now >= learned.expires:
            self.learned = None
        self.refresh()

    def refresh(self) -> None:
        """Work out limit, room and the next edge after something else has changed."""
        learned = self.learned
        limit = self.declared
        if learned:
            limit = learned.limit if self.override is None else min(limit, learned.limit)
        self.limit = limit
        self.ceiling = limit * (1 + ROUNDING)
        self.room = -math.inf if self.closed_until else self.ceiling
        self.edge = min(
            self.counter.edge,
            self.closed_until or math.inf,
            learned.expires if learned else math.inf,
        )

    def opening(self, amount: float, now: float, unlimited: bool) -> float:
        """Return when the pool admits an amount: `now` if it does, infinity if it never will.

        A limit that was found out from refusals is raised here when it is due: only a request that it keeps out can
        put it to the test.

        :param now: the last moment given to `advance`, or a later one before `edge`
        :param unlimited: whether only a statement of the service keeps it closed
        """
        if self.learned and not unlimited and self.counter.used + amount > self.ceiling:
            self._raise(amount, now)
        return self.holds(amount, now, unlimited)

    def holds(self, amount: float, now: float, unlimited: bool) -> float:
        """Return when the pool admits an amount as its limit stands, for what nobody asks at once; see `opening`."""
        excess, closed_until = self.counter.used + amount - self.ceiling, self.closed_until
        if excess <= 0 or unlimited:
            return closed_until or now
        if amount > self.ceiling:
            return math.inf
        return max(closed_until, self.counter.opening(excess, now))

    def _raise(self, amount: float, now: float) -> None:
        learned = self.learned
        if self.closed_until or learned is None or learned.guess is None or now < learned.guess.raise_at:
            return
        needed = self.counter.used + amount
        self.learned = guesses.raised(learned, self.quota, self.declared, needed=needed, now=now)
        self.changed = now
        self.refresh()

    def spend_elsewhere(self, amount: float, at: float, now: float) -> None:
        """Book what a reading shows to be spent beside our own, as far as that is known.

        :param at: Unix time from which it counts
        """
        self.counter.book(at, amount)
        self.elsewhere = [*self.elsewhere[-_READINGS:], Elsewhere(amount, at, now)]
        self.changed = now

    def take_back(self, amount: float, begun: float) -> None:
        """Take back what was taken for somebody else's, as far as it turns out to be our own, which is booked by itself.

        A reading since the request was sent showed it, most probably. If it did not, the next one shows it again.

        :param amount: what a request took more than had been reserved for it
        :param begun: Unix time at which it was sent
        """
        for place, known in enumerate(self.elsewhere):
            if begun <= known.read_at:
                own = min(amount, known.amount)
                self.counter.book(known.at, -own)
                self.elsewhere[place] = known._replace(amount=known.amount - own)
                amount -= own

    def close(self, until: float, now: float) -> None:
        """Admit nothing until a moment; a pool that is closed for longer stays so."""
        if until > max(now, self.closed_until):
            self.closed_until = until
            self.changed = now
            self.refresh()

    def reopen(self, now: float) -> None:
        """Forget that the service called the pool exhausted; what was spent stays."""
        self.closed_until = 0.0
        self.changed = now
        self.refresh()

    def learn(self, limit: float, evidence: str, expires: float, now: float) -> None:
        """Believe the service about the limit; what is declared already needs no learning."""
        known = self.learned
        if limit == (self.quota.limit if self.override is None else self.override):
            if known is None:
                return
            self.learned = None
        elif known and known.limit == limit and known.expires > expires - DAY / 2 and known.guess is None:
            # Every answer repeats its limits: one is written down twice a day, not per request.
            return
        else:
            self.learned = Learned(limit, evidence, expires)
        self.changed = now
        self.refresh()

    def discover(self, *, asked: float, kept: float, dispatched: float, now: float) -> None:
        """Find the limit out from a refusal that states none; see `freellm.ledger.guesses.lowered`."""
        found = guesses.lowered(
            self.learned,
            self.quota,
            self.limit,
            seen=self.counter.used,
            asked=asked,
            kept=kept,
            dispatched=dispatched,
            now=now,
        )
        if found is not None:
            self.learned = found
            self.changed = now
            self.refresh()

    def inherit(self, limit: float, whose: str, now: float) -> None:
        """Take the limit that was stated for a like model for a first guess, unless something is known already.

        :param whose: the model's name
        """
        self.advance(now)
        if math.isinf(self.limit):
            self.learned = guesses.inherited(limit, self.quota, whose, now)
            self.changed = now
            self.refresh()

    def doubt(self, at: float, amount: float, now: float) -> None:
        """Note that the service may not have counted an amount that is booked."""
        if self.quota.window is not None and amount > 0:
            if self.doubts is None:
                self.doubts = _counter(self.quota)
            self.doubts.expire(now)
            self.doubts.book(at, amount)

    def doubted(self, now: float) -> float:
        """Return how much of what is booked the service may not have counted."""
        if self.doubts is None:
            return 0.0
        if now >= self.doubts.edge:
            self.doubts.expire(now)
        return min(self.doubts.used, self.counter.used)

    def view(self, now: float) -> PoolView:
        """Return the pool as it is at a moment."""
        if now >= self.edge:
            self.advance(now)
        return PoolView(
            identity=self.identity,
            quota=self.quota,
            used=self.counter.used,
            limit=None if math.isinf(self.limit) else self.limit,
            learned=self.learned,
            closed_until=self.closed_until,
            edge=self.edge,
        )
