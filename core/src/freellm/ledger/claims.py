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
        self._sums: list[float] = []
        """What the first claims are together with those ahead of each; as far as it was asked for since a change."""

    def put(self, ticket: int, claim: _Claim) -> None:
        """Add a claim, or change the one there is."""
        place = bisect_left(self.tickets, ticket)
        if place < len(self.tickets) and self.tickets[place] == ticket:
            if self.claims[place].amount != claim.amount:
                del self._sums[place:]
            self.claims[place] = claim
        else:
            self.tickets.insert(place, ticket)
            self.claims.insert(place, claim)
            del self._sums[place:]

    def remove(self, ticket: int) -> None:
        """Remove a claim, if it is there."""
        place = bisect_left(self.tickets, ticket)
        if place < len(self.tickets) and self.tickets[place] == ticket:
            del self.tickets[place], self.claims[place]
            del self._sums[place:]

    def ahead(self, ticket: float) -> int:
        """Return how many claims are ahead of a ticket's."""
        return bisect_left(self.tickets, ticket)

    def sums(self, count: int) -> Sequence[float]:
        """Return for each of the first claims what it and those ahead of it are together."""
        sums = self._sums
        for claim in self.claims[len(sums) : count]:
            sums.append(sums[-1] + claim.amount if sums else claim.amount)
        return sums


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

    def is_first(self, shares: Sequence[Share], ticket: float) -> bool:
        """Tell whether nobody ahead has a claim on any of the pools.

        :param ticket: who asks; infinity is somebody who has just come
        """
        queues = (self._pools.get(share.pool) for share in shares)
        return not any(queue.ahead(ticket) for queue in queues if queue is not None)

    def turn(self, shares: Sequence[Share], demand: Demand, now: float, ticket: float) -> Turn:
        """Return when a demand fits into all pools without anybody ahead being served later for it.

        :param ticket: who asks; infinity is somebody who has just come
        """
        at, ends_first = now, False
        for share in shares:
            pool = share.pool
            if now >= pool.edge:
                pool.advance(now)
            amount = share.amount(demand) if share.metered else share.per_request
            queue = self._pools.get(pool)
            ahead = 0 if queue is None else queue.ahead(ticket)
            before = queue.sums(ahead)[ahead - 1] if queue is not None and ahead else 0.0
            if pool.counter.used + (before + amount) <= pool.room:
                continue  # there is room for everybody
            opens = _opening(share, amount, now, queue if ahead else None, ahead)
            if share.concurrent and now < opens < math.inf:
                ends_first = True
            else:
                at = max(at, opens)
        return Turn(at, ends_first)


def _opening(share: Share, amount: float, now: float, queue: _Queue | None, ahead: int) -> float:
    """Return when there is room for an amount, and for those ahead by the time they were promised it."""
    pool = share.pool
    alone = pool.opening(amount, now, share.unlimited)
    if queue is None or share.unlimited or math.isinf(alone):
        return alone
    together = pool.holds(queue.sums(ahead)[ahead - 1] + amount, now, unlimited=False)
    if together <= alone or _harms_nobody(share, amount, queue, ahead, now):
        return alone
    # all of them are more than the pool holds at once: some have to be served and forgotten before
    return max(alone, now + (pool.quota.window or 1.0)) if math.isinf(together) else together


def _harms_nobody(share: Share, amount: float, queue: _Queue, ahead: int, now: float) -> bool:
    """Tell whether an amount may be taken as soon as there is room for it: everybody ahead gets theirs in time."""
    pool = share.pool
    for claim, before in zip(queue.claims[:ahead], queue.sums(ahead), strict=False):
        latest = now if share.concurrent else max(claim.at, now)
        if pool.holds(before + amount, now, unlimited=False) > latest:
            return False
    return True
