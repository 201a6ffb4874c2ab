"""Whether a demand fits into every quota it touches, and if not, when it will and what keeps it out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from freellm.ledger.demands import Cause, Demand, Obstacle, Share


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
    found = obstacle(shares, demand, now)
    return now if found is None else found.opens_at


def obstacle(shares: Sequence[Share], demand: Demand, now: float) -> Obstacle | None:
    """Return what keeps a demand from fitting for the longest time, as it is now; None when it fits."""
    longest, opens = None, now
    for share in shares:
        pool = share.pool
        if now >= pool.edge:
            pool.advance(now)
        amount = share.amount(demand) if share.metered else share.per_request
        if pool.counter.used + amount > pool.room and (not share.unlimited or pool.closed_until):
            moment = pool.opening(amount, now, share.unlimited)
            if moment > opens:
                longest, opens = share, moment
    return None if longest is None else _obstacle(longest, opens)


def may_fit(shares: Sequence[Share], demand: Demand, now: float) -> bool:
    """Tell whether what a demand takes for certain fits beside what is booked for certain.

    In doubt are bookings that the service may never have counted (requests whose fate is unknown, refused ones, those of a
    process that was killed) and how long the answer gets. Everything else is never put to the test: requests that were
    answered or are under way, the request's input, its ceiling where that is charged, known limits, and what the service
    itself stated.
    """
    for share in shares:
        pool = share.pool
        if now >= pool.edge:
            pool.advance(now)
        if pool.closed_until:
            return False
        needed = pool.counter.used - pool.doubted(now) + share.least(demand)
        if needed > pool.ceiling and not share.unlimited:
            return False
    return True


def is_guessed(shares: Sequence[Share]) -> bool:
    """Tell whether a limit is a guess, which may be raised for a request that it keeps out."""
    for share in shares:
        learned = share.pool.learned
        if learned is not None and learned.guess is not None:
            return True
    return False


def left(shares: Sequence[Share], now: float) -> dict[str, float]:
    """Return how much is left of what shares draw on, by unit, each in the pool that has least.

    Nothing is said of pools without a known limit, of keys without limits, and of requests at once, which come back by
    themselves.
    """
    least: dict[str, float] = {}
    for share in shares:
        pool = share.pool
        if share.unlimited or share.concurrent or pool.limit == math.inf:
            continue
        if now >= pool.edge:
            pool.advance(now)
        unit = pool.quota.unit
        remaining = 0.0 if pool.closed_until else max(pool.limit - pool.counter.used, 0.0) // 1
        least[unit] = min(remaining, least.get(unit, remaining))
    return least


def _obstacle(share: Share, opens: float) -> Obstacle:
    pool = share.pool
    cause: Cause = "concurrency" if pool.quota.unit == "concurrent" else "quota"
    if math.isinf(opens):
        cause = "too_large"
    elif pool.closed_until == opens:
        cause = "closed"
    limit = None if math.isinf(pool.limit) else pool.limit
    return Obstacle(share, pool.counter.used, limit, opens, cause)


def is_ample(shares: Sequence[Share], now: float) -> bool:
    """Tell whether more than half of every pool is left, so that what is spent for speed is not missed."""
    for share in shares:
        pool = share.pool
        if now >= pool.edge:
            pool.advance(now)
        if pool.closed_until or (not share.unlimited and pool.counter.used * 2 >= pool.limit):
            return False
    return True
