"""What waiting requests are promised: room in pools, first come, first served. Pure; the caller says what time it is.

A request that waits claims, on every pool of the route that opens for it first, what it needs. Others take from such a
pool only what nobody ahead of them is served later for. So whoever came first is served first where two want the same
room, a small request may go ahead of a large one when that costs the large one nothing, and a large one gets its turn
however many small ones keep coming.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
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


class Claims:
    """Claims of requests on pools. Tickets say who came first: the lower one is ahead."""

    __slots__ = ("_pools",)

    def __init__(self) -> None:
        self._pools: defaultdict[Pool, dict[int, _Claim]] = defaultdict(dict)

    def make(self, ticket: int, shares: Sequence[Share], demand: Demand, at: float) -> None:
        """Claim what a demand needs of every pool.

        :param at: Unix time at which the request was told that it is served
        """
        for share in shares:
            if not share.unlimited:
                self._pools[share.pool][ticket] = _Claim(share.amount(demand), at)

    def drop(self, ticket: int, shares: Sequence[Share]) -> None:
        """Give up what was claimed."""
        for share in shares:
            claims = self._pools.get(share.pool)
            if claims is not None and claims.pop(ticket, None) is not None and not claims:
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
        claims = self._pools.get(pool)
        if claims is None or share.unlimited or math.isinf(alone):
            return alone
        ahead = [claims[number] for number in sorted(claims) if number < ticket]
        if self._harms_nobody(share, amount, ahead, now):
            return alone
        together = pool.opening(sum(claim.amount for claim in ahead) + amount, now, unlimited=False)
        # all of them are more than the pool holds at once: some have to be served and forgotten before
        return max(alone, now + (pool.quota.window or 1.0)) if math.isinf(together) else together

    def _harms_nobody(self, share: Share, amount: float, ahead: Iterable[_Claim], now: float) -> bool:
        """Tell whether an amount may be taken as soon as there is room for it: everybody ahead gets theirs in time."""
        claims = list(ahead)
        sums = accumulate(claim.amount for claim in claims)
        return all(
            share.pool.opening(before + amount, now, unlimited=False)
            <= (now if share.concurrent else max(claim.at, now))
            for before, claim in zip(sums, claims, strict=True)
        )
