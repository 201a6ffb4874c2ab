"""The ledger: every quota, what was spent from it, and what is reserved for the requests under way.

Pure: the caller says what time it is, and its clock never runs backward while the process lives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from freellm.ledger import admission, learning
from freellm.ledger.counters import Fixed, Spending
from freellm.ledger.demands import Demand, Lease, Share
from freellm.ledger.pools import Pool
from freellm.ledger.readings import read
from freellm.ledger.records import PoolState, state_of
from freellm.ledger.registry import Registry
from freellm.types import Reading

LEASE_AGE: Final = 1_800.0
"""Seconds after which a lease that nobody settled is taken for used up: no stream lasts longer."""


class Ledger(Registry):
    """Decide whether a request fits into every quota it touches, and keep the books."""

    __slots__ = ("_live",)

    def __init__(self) -> None:
        super().__init__()
        self._live: set[Lease] = set()

    fits = staticmethod(admission.fits)
    may_fit = staticmethod(admission.may_fit)
    opening = staticmethod(admission.opening)
    is_ample = staticmethod(admission.is_ample)
    is_guessed = staticmethod(admission.is_guessed)
    obstacle = staticmethod(admission.obstacle)
    left = staticmethod(admission.left)
    close = staticmethod(learning.close)
    learn = staticmethod(learning.learn)
    discover = staticmethod(learning.discover)
    believe = staticmethod(learning.believe)
    foresaw = staticmethod(learning.foresaw)
    count = staticmethod(learning.count)

    def reserve(self, shares: Sequence[Share], demand: Demand, now: float) -> Lease | None:
        """Book a demand on every pool if it fits into all of them, else on none.

        :return: None when it does not fit
        """
        amounts = []
        daring = demand.daring and admission.may_fit(shares, demand, now)
        for share in shares:
            pool = share.pool
            if now >= pool.edge:
                pool.advance(now)
            amount = share.amount(demand) if share.metered else share.per_request
            if (
                pool.counter.used + amount > pool.room
                and not daring
                and (not share.unlimited or pool.closed_until)
            ):
                return None
            amounts.append(amount)
        for place, share in enumerate(shares):
            share.pool.counter.spend(amounts[place])
        lease = Lease(shares, amounts, demand, now, now)
        self._live.add(lease)
        return lease

    def stamp(self, lease: Lease, now: float) -> None:
        """Let a booking count from now: the answer's headers arrived, so the service has counted it by now."""
        if lease not in self._live:
            return
        amounts, at = lease.amounts, lease.at
        for place, share in enumerate(lease.shares):
            pool = share.pool
            if now >= pool.edge:
                pool.advance(now)
            if at < pool.counter.begun:
                pool.counter.move(at, amounts[place])
        lease.at = now

    # The names `input` and `output` are those of `Demand` and of every provider's usage figures.
    def settle(
        self,
        lease: Lease,
        now: float,
        input: int | None,  # noqa: A002
        output: int | None,
        *,
        counted: bool = False,
    ) -> None:
        """Book actual less reserved and give back concurrency. A lease that is closed already is left alone.

        What was used beyond the reservation counts from now, because the service may have counted it only now.

        :param input: input tokens used; None is unknown, and that part of the reservation stands
        :param output: output tokens used; None is unknown, and that part of the reservation stands
        :param counted: whether the service has counted the request for certain though nobody knows what it used: then only
            the length of the answer is in doubt
        """
        if not self._closes(lease):
            return
        if input is None and output is None:
            _doubt(lease, _uncertain(lease) if counted else lease.amounts, now)
        more_input = 0 if input is None else input - lease.demand.input
        more_output = 0 if output is None else output - lease.demand.output
        under_ceiling = 0 if output is None else output - lease.demand.ceiling
        before = self._watched(lease.shares)
        for share in lease.shares:
            pool = share.pool
            if share.metered:
                more_out = under_ceiling if share.charges_ceiling else more_output
                more = share.per_input * more_input + share.per_output * more_out
                if now >= pool.edge:
                    pool.advance(now)
                if more_input > 0 and share.charges_ceiling:  # readings have shown it already
                    pool.take_back(share.per_input * more_input, lease.begun)
                if more > 0:
                    pool.counter.spend(more)
                elif more:
                    pool.counter.book(lease.at, more)
            elif share.concurrent:
                pool.counter.used -= share.per_request
            pool.changed = now
        self._tell(before)

    def refuse(self, lease: Lease, now: float) -> None:
        """Keep the request booked and give back everything else: it was refused before inference."""
        self._give_back(lease, now, refused=True)

    def cancel(self, lease: Lease, now: float) -> None:
        """Give back everything: the request was never dispatched."""
        self._give_back(lease, now, refused=False)

    def _give_back(self, lease: Lease, now: float, *, refused: bool) -> None:
        if not self._closes(lease):
            return
        before = self._watched(lease.shares)
        for share, amount in zip(lease.shares, lease.amounts, strict=True):
            pool = share.pool
            if now >= pool.edge:
                pool.advance(now)
            pool.counter.book(lease.at, (share.refusal_costs if refused else 0.0) - amount)
            pool.changed = now
        if refused:
            _doubt(lease, [share.refusal_costs for share in lease.shares], now)
        self._tell(before)

    def _watched(self, shares: Sequence[Share]) -> dict[Pool, float] | None:
        """Return what is left of pools, if somebody waits to be told that it is more."""
        if self.watcher is None:
            return None
        return {share.pool: share.pool.room - share.pool.counter.used for share in shares}

    def _tell(self, before: Mapping[Pool, float] | None) -> None:
        if self.watcher is None or before is None:
            return
        more = [pool for pool, left in before.items() if pool.room - pool.counter.used > left]
        if more:
            self.watcher(more)

    def _closes(self, lease: Lease) -> bool:
        if lease not in self._live:
            return False
        self._live.remove(lease)
        return True

    def age(self, now: float) -> list[Lease]:
        """Take leases that nobody settled for 30 minutes for used up.

        :return: those leases, so that the owner of a lease file can settle them there too
        """
        old = [lease for lease in self._live if lease.at + LEASE_AGE <= now]
        for lease in old:
            self.settle(lease, now, None, None)
        return old

    def restore(
        self,
        shares: Sequence[Share],
        input: int,  # noqa: A002
        output: int,
        stamped: float,
        now: float,
        ceiling: int | None = None,
        requests: int = 1,
    ) -> None:
        """Book a request of an earlier process, which is found in the lease file and not in the loaded states.

        :param stamped: the moment it counts from, Unix seconds
        :param ceiling: the `max_tokens` that was sent; None: the same as `output`
        :param requests: as how many requests the service counted it
        """
        demand = Demand(input, output, output if ceiling is None else ceiling, requests)
        for share in shares:
            if not share.concurrent:
                share.pool.advance(now)
                share.pool.counter.book(stamped, share.amount(demand))
                share.pool.changed = now
                share.pool.refresh()

    def read(
        self,
        shares: Sequence[Share],
        readings: Sequence[Reading],
        now: float,
        seen: Mapping[Pool, float] | None = None,
    ) -> None:
        """Believe what an answer says about quotas; see `freellm.ledger.readings.read`."""
        before = self._watched(shares)
        for reading in readings:
            read(shares, reading, now, seen or {})
        self._tell(before)

    def dump(self, since: float) -> list[PoolState]:
        """Return the pools that changed at or after a moment, without what is reserved for requests under way.

        Those are in the lease file until they are settled; so a state and the lease file's sequence number, both
        taken between the same two awaits, together hold every request exactly once.

        :param since: when the last dump was taken that is safely stored; at first, the moment given to `load`
        """
        changed = [pool for pool in self._pools.values() if pool.changed >= since]
        for pool in changed:
            if isinstance(pool.counter, Fixed):
                pool.counter.look(pool.changed)
        under_way: defaultdict[Pool, list[Spending]] = defaultdict(list)
        for lease in self._live:
            for share, amount in zip(lease.shares, lease.amounts, strict=True):
                under_way[share.pool].append((lease.at, amount))
        return [state_of(pool, under_way.get(pool, ())) for pool in changed]


def _uncertain(lease: Lease) -> list[float]:
    """Return what a request that was counted may not have used: the answer's length is an estimate."""
    return [
        amount - share.least(lease.demand) if share.metered else 0.0
        for share, amount in zip(lease.shares, lease.amounts, strict=True)
    ]


def _doubt(lease: Lease, amounts: Sequence[float], now: float) -> None:
    for share, amount in zip(lease.shares, amounts, strict=True):
        share.pool.doubt(lease.at, amount, now)
