"""What answers and refusals teach about pools: which pool is meant, how large it is, what was spent elsewhere.

A limit that is stated is believed as it is. One that is not is found out (`discover`), in the pool that most probably
refused.

Nothing here ever lowers what is known to be spent. A service's `remaining` can only reveal spending that this ledger
did not see (another program with the same key), and that is booked on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from freellm.declarations import DAY
from freellm.ledger.counters import NEGLIGIBLE
from freellm.ledger.demands import Demand, Share
from freellm.ledger.pools import Pool
from freellm.types import Reading, Scope

ANSWERS_HOLD: Final = 7 * DAY
"""Seconds for which a limit that an answer stated is believed without being repeated."""

REFUSALS_HOLD: Final = DAY
"""Seconds for which a limit that a refusal stated is believed: refusals may speak of a moment, not of the plan."""

READ_EVIDENCE: Final = "stated by an answer's headers"

TOLD_HOLDS: Final = DAY
"""Seconds for which nothing is found out about a limit that answers state."""

SUSPICIOUS: Final = 0.8
"""The share of its limit from which a pool is more suspicious than one whose limit is unknown."""

SHORT: Final = DAY
"""Seconds: a rate limit that names no window is of a shorter one, if there is any."""


def _breadth(pool: Pool) -> float:
    return len(pool.quota.members) or math.inf


def _chosen(pools: list[Pool], scope: Scope) -> list[Pool]:
    """Keep the narrowest pools for a statement about one route or model, the widest for one about more.

    A pool of a single model is never meant by a statement about more than that.
    """
    if scope in ("route", "model"):
        breadth = min(map(_breadth, pools), default=0)
    else:
        breadth = max(map(_breadth, pools), default=0)
        if breadth == 1:
            return []
    return [pool for pool in pools if _breadth(pool) == breadth]


def meant(shares: Sequence[Share], *, unit: str | None, window: float | None, scope: Scope) -> list[Pool]:
    """Return the pools that a refusal speaks of.

    :param unit: the unit it names; None: any but `concurrent`
    :param window: seconds; None: the longest window of what is left, because the short ones are called rate limits
    :param scope: how much it speaks for
    """
    pools = [
        share.pool
        for share in shares
        if (share.pool.quota.unit == unit if unit else not share.concurrent)
        and (window is None or share.pool.quota.window == window)
    ]
    if window is None:
        longest = max((pool.quota.window or 0.0 for pool in pools), default=0.0)
        pools = [pool for pool in pools if (pool.quota.window or 0.0) == longest]
    return _chosen(pools, scope)


def read(shares: Sequence[Share], reading: Reading, now: float) -> None:
    """Believe what an answer says about a quota.

    A limit replaces the declared one for a week. What remains reveals spending elsewhere, which is booked so that
    it expires when the answer says that the quota is full again. Nothing left of an unknown limit closes the pool
    until then. A reading without a matching pool is not about a quota that the provider declared.
    """
    unit, window = reading.unit, reading.window
    pools = [
        share.pool for share in shares if share.pool.quota.unit == unit and share.pool.quota.window == window
    ]
    for pool in _chosen(pools, reading.scope):
        if now >= pool.edge:
            pool.advance(now)
        if reading.limit is not None:
            pool.told = now
            pool.learn(reading.limit, READ_EVIDENCE, now + ANSWERS_HOLD, now)
        if reading.remaining is not None and window is not None:
            _reconcile(pool, reading.remaining, window, reading.limit, reading.resets_in, now)


def _reconcile(
    pool: Pool, remaining: float, window: float, limit: float | None, resets_in: float | None, now: float
) -> None:
    size = pool.limit if limit is None else limit
    if math.isinf(size):
        if remaining <= 0 and resets_in is not None:
            pool.close(now + resets_in, now)
        return
    elsewhere = size - remaining - pool.counter.used
    if elsewhere > 0:
        pool.counter.book(now if resets_in is None else min(now, now + resets_in - window), elsewhere)
        pool.changed = now


def learn(
    shares: Sequence[Share],
    now: float,
    *,
    unit: str | None,
    window: float | None,
    limit: float,
    evidence: str,
    scope: Scope = "route",
) -> list[Pool]:
    """Believe a refusal about a limit for a day.

    :return: the pools that learned
    """
    pools = meant(shares, unit=unit, window=window, scope=scope)
    for pool in pools:
        pool.learn(limit, evidence, now + REFUSALS_HOLD, now)
    return pools


def discover(
    shares: Sequence[Share],
    demand: Demand,
    now: float,
    *,
    unit: str | None,
    window: float | None,
    wait: float | None,
    scope: Scope,
    long: bool,
    dispatched: float,
) -> Pool | None:
    """Find out a limit from a refusal that states none, in the pool that most probably refused.

    :param demand: what the refused request had reserved; its request is still booked, its tokens are not
    :param unit: the unit it names; None: any but `concurrent`
    :param window: seconds, if it names one
    :param wait: seconds after which it asks to come back, if it states them
    :param scope: how much it speaks for
    :param long: whether it calls a quota exhausted, which is one of a long window
    :param dispatched: Unix time at which the refused request was sent
    :return: the pool, whether there was anything to learn or not; None when no declared quota fits
    """
    shares = [share for share in shares if _may_mean(share, unit, window, scope)]
    if window is None:
        shares = _of_length(shares, wait, long)
    for share in shares:
        if now >= share.pool.edge:
            share.pool.advance(now)
    suspect = max(shares, key=lambda share: _fullness(share.pool), default=None)
    if suspect is None:
        return None
    pool = suspect.pool
    if now - pool.told > TOLD_HOLDS:
        asked = suspect.amount(demand) - suspect.refusal_costs if suspect.metered else 0.0
        pool.discover(asked=asked, kept=suspect.refusal_costs, dispatched=dispatched, now=now)
    return pool


def _may_mean(share: Share, unit: str | None, window: float | None, scope: Scope) -> bool:
    quota = share.pool.quota
    if not (quota.unit == unit if unit else not share.concurrent):
        return False
    if window is not None and quota.window != window:
        return False
    return scope == "route" or _breadth(share.pool) > 1


def _of_length(shares: list[Share], wait: float | None, long: bool) -> list[Share]:
    """Keep the shares whose windows go with the kind of refusal and are not shorter than the wait it states."""
    if long:
        longest = max((share.pool.quota.window or 0.0 for share in shares), default=0.0)
        return [share for share in shares if (share.pool.quota.window or 0.0) == longest]
    fitting = [share for share in shares if wait is None or (share.pool.quota.window or math.inf) >= wait]
    return [share for share in fitting if (share.pool.quota.window or 0.0) < SHORT] or fitting


def _fullness(pool: Pool) -> float:
    return SUSPICIOUS if math.isinf(pool.limit) else pool.counter.used / max(pool.limit, NEGLIGIBLE)


def believe(shares: Sequence[Share], now: float) -> None:
    """Take everything that is booked for spent, but for the request that was refused: the service said that it is."""
    for share in shares:
        share.pool.doubts = None
        share.pool.doubt(now, share.refusal_costs, now)


def close(
    shares: Sequence[Share],
    now: float,
    *,
    until: float | None,
    unit: str | None,
    window: float | None,
    limit: float | None,
    scope: Scope = "route",
) -> list[Pool]:
    """Close the pools that a refusal calls exhausted until they reset.

    :param until: Unix time at which they reset; None: as the pool's clock says, for a rolling window when the
        first of our own bookings expires, at least 1/24 of the window from now
    :param unit: the unit that the refusal names; None: any but `concurrent`
    :param window: seconds; None: the longest window there is
    :param limit: the limit it states
    :param scope: how much it speaks for: `route` and `model` close the narrowest pools, the others the widest
    :return: the pools that are closed now; empty when no declared quota is meant
    """
    pools = meant(shares, unit=unit, window=window, scope=scope)
    for pool in pools:
        pool.advance(now)
        if limit is not None and len(pools) == 1:
            pool.learn(limit, "stated by a refusal", now + REFUSALS_HOLD, now)
        pool.close(pool.counter.reset(now) if until is None else until, now)
    return pools
