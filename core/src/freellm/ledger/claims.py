"""What waiting requests are promised: room in pools, first come, first served. Pure; the caller says what time it is.

A request that waits claims, on every pool of the route that opens for it first, what it needs. Others take from such a
pool only what nobody ahead of them is served later for. So whoever came first is served first where two want the same
room, a small request may go ahead of a large one when that costs the large one nothing, and a large one gets its turn
however many small ones keep coming.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from freellm.ledger.demands import Demand, Share
from freellm.ledger.pools import Pool


class Turn(msgspec.Struct, frozen=True):
    """When a route is a request's to take, as far as quota goes.

    :param at: Unix time, with all that is known now; infinity is never
    :param ends_first: whether a request under way has to end before, and nobody knows when that will be
    """

    at: float
    ends_first: bool = False


class _Claim(msgspec.Struct, frozen=True):
    """What one request waits for in one pool.

    :param amount: how much
    :param at: Unix time at which it is promised
    """

    amount: float
    at: float


class _Queue:
    """The claims on one pool in the order of their tickets."""

    __slots__ = ("_sums", "claims", "tickets")

    def __init__(self) -> None:
        self.tickets: list[int] = []
        self.claims: list[_Claim] = []
        self._sums: list[float] | None = None

    def put(self, ticket: int, claim: _Claim) -> None:
        """Add a claim, or change the one there is."""
        place = bisect_left(self.tickets, ticket)
        if place < len(self.tickets) and self.tickets[place] == ticket:
            self.claims[place] = claim
        else:
            self.tickets.insert(place, ticket)
            self.claims.insert(place, claim)
        self._sums = None

    def remove(self, ticket: int) -> None:
        """Remove a claim, if it is there."""
        place = bisect_left(self.tickets, ticket)
        if place < len(self.tickets) and self.tickets[place] == ticket:
            del self.tickets[place], self.claims[place]
            self._sums = None

    def sums(self) -> Sequence[float]:
        """Return for each claim what it and those ahead of it are together."""
        if self._sums is None:
            self._sums = list(accumulate(claim.amount for claim in self.claims))
        return self._sums


class Claims:
    """Claims of requests on pools. Tickets say who came first: the lower one is ahead."""

    __slots__ = ("_pools",)

    def __init__(self) -> None:
        self._pools: defaultdict[Pool, _Queue] = defaultdict(_Queue)

    def make(self, ticket: int, shares: Sequence[Share], demand: Demand, at: float) -> None:
        """Claim what a demand needs of every pool.

        :param at: Unix time at which the request was told that it is served
        """
        for share in shares:
            if not share.unlimited:
                self._pools[share.pool].put(ticket, _Claim(share.amount(demand), at))

    def drop(self, ticket: int, shares: Sequence[Share]) -> None:
        """Give up what was claimed."""
        for share in shares:
            queue = self._pools.get(share.pool)
            if queue is not None:
                queue.remove(ticket)
                if not queue.tickets:
                    del self._pools[share.pool]

    def turn(self, shares: Sequence[Share], demand: Demand, now: float, ticket: float) -> Turn:
        """Return when a demand fits into all pools without anybody ahead being served later for it.

        :param ticket: who asks; infinity is somebody who has just come
        """
        at, ends_first = now, False
        for share in shares:
            pool = share.pool
            if now >= pool.edge:
                pool.advance(now)
            opens = self._opening(share, share.amount(demand), now, ticket)
            if share.concurrent and now < opens < math.inf:
                ends_first = True
            else:
                at = max(at, opens)
        return Turn(at, ends_first)

    def _opening(self, share: Share, amount: float, now: float, ticket: float) -> float:
        pool = share.pool
        alone = pool.opening(amount, now, share.unlimited)
        queue = self._pools.get(pool)
        if queue is None or share.unlimited or math.isinf(alone):
            return alone
        ahead = bisect_left(queue.tickets, ticket)
        if not ahead:
            return alone
        together = pool.holds(queue.sums()[ahead - 1] + amount, now, unlimited=False)
        if together <= alone or _harms_nobody(share, amount, queue, ahead, now):
            return alone
        # all of them are more than the pool holds at once: some have to be served and forgotten before
        return max(alone, now + (pool.quota.window or 1.0)) if math.isinf(together) else together


def _harms_nobody(share: Share, amount: float, queue: _Queue, ahead: int, now: float) -> bool:
    """Tell whether an amount may be taken as soon as there is room for it: everybody ahead gets theirs in time."""
    pool = share.pool
    for claim, before in zip(queue.claims[:ahead], queue.sums(), strict=False):
        latest = now if share.concurrent else max(claim.at, now)
        if pool.holds(before + amount, now, unlimited=False) > latest:
            return False
    return True
