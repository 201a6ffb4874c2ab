"""Whether a demand fits into every quota it touches, and if not, when it will and what keeps it out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from freellm.ledger.demands import Cause, Demand, Obstacle, Share
from freellm.ledger.pools import Pool


def fits(shares: Sequence[Share], demand: Demand, now: float) -> bool:
    """Tell whether a demand fits; cheaper than `opening`, because nobody works out when it will."""
    for share in shares:
        pool = share.pool
        if now >= pool.edge:
            pool.advance(now)
        amount = share.amount(demand) if share.metered else share.per_request
        if pool.counter.used + amount > pool.room and (not share.unlimited or pool.closed_until):
            return False
    return True


def opening(shares: Sequence[Share], demand: Demand, now: float) -> float:
    """Return when a demand fits: `now` if it does, a later Unix time, or infinity if it never will."""
    opens = now
    for share in shares:
        pool = share.pool
        if now >= pool.edge:
            pool.advance(now)
        amount = share.amount(demand) if share.metered else share.per_request
        if pool.counter.used + amount > pool.room and (not share.unlimited or pool.closed_until):
            moment = pool.opening(amount, now, share.unlimited)
            if moment > opens:
                opens = moment
    return opens


def obstacle(shares: Sequence[Share], demand: Demand, now: float) -> Obstacle | None:
    """Return what keeps a demand from fitting for the longest time; None when it fits."""
    longest, opens = None, opening(shares, demand, now)
    for share in shares:
        moment = share.pool.opening(share.amount(demand), now, share.unlimited)
        if moment > now and moment == opens:
            longest = share.pool
    return _obstacle(longest, opens) if longest else None


def _obstacle(pool: Pool, opens: float) -> Obstacle:
    cause: Cause = "concurrency" if pool.quota.unit == "concurrent" else "quota"
    if math.isinf(opens):
        cause = "too_large"
    elif pool.closed_until == opens:
        cause = "closed"
    return Obstacle(
        pool=pool.identity,
        unit=pool.quota.unit,
        window=pool.quota.window,
        used=pool.counter.used,
        limit=None if math.isinf(pool.limit) else pool.limit,
        opens_at=opens,
        cause=cause,
    )
