"""What refusals teach about pools: which pool is meant, how large it is, what was spent elsewhere.

A limit that is stated is believed as it is. One that is not is found out (`discover`), in the pool that most probably
refused.

Nothing here ever lowers what is known to be spent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from freellm.declarations import DAY
from freellm.ledger.counters import NEGLIGIBLE
from freellm.ledger.demands import Demand, Share
from freellm.ledger.guesses import CLOSE
from freellm.ledger.pools import Pool
from freellm.ledger.rolling import Rolling
from freellm.types import Scope

REFUSALS_HOLD: Final = DAY
"""Seconds for which a limit that a refusal stated is believed: refusals may speak of a moment, not of the plan."""

TOLD_HOLDS: Final = DAY
"""Seconds for which nothing is found out about a limit that answers state."""

SUSPICIOUS: Final = 0.8
"""The share of its limit from which a pool is more suspicious than one whose limit is unknown."""

AS_GOOD_AS_FULL: Final = 0.9
"""The share of its limit from which a pool is full as far as a refusal can tell: books and service differ by a few
requests that are under way, and by the width of a bucket."""

SHORT: Final = DAY
"""Seconds: a rate limit that names no window is of a shorter one, if there is any."""


def _breadth(pool: Pool) -> float:
    return len(pool.quota.members) or math.inf


def chosen(pools: list[Pool], scope: Scope) -> list[Pool]:
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
    return chosen(pools, scope)


def foresaw(
    shares: Sequence[Share],
    demand: Demand,
    now: float,
    *,
    unit: str | None,
    window: float | None,
    scope: Scope,
) -> bool:
    """Tell whether our own bookings fill the quotas that a refusal speaks of, before the books learn from it.

    They do when they are as good as full, and also when their limit was unknown so far and the refused request is so little
    beside what we used ourselves that the guess made from this refusal is that use. Then the books know when there is room
    again: when our own bookings expire. That is of use for rolling windows: others are full until they start over.

    :param demand: what the refused request had reserved
    :param unit: the unit that the refusal names; None: any but `concurrent`
    :param window: seconds; None: the longest window there is
    :param scope: how much it speaks for
    """
    pools = meant(shares, unit=unit, window=window, scope=scope)
    spoken_of = [share for share in shares if share.pool in pools]
    for share in spoken_of:
        if now >= share.pool.edge:
            share.pool.advance(now)
    return bool(spoken_of) and all(
        not share.unlimited and not share.pool.starts_over and _fills(share, demand) for share in spoken_of
    )


def _fills(share: Share, demand: Demand) -> bool:
    """Tell whether our own bookings and a request fill a pool, as far as its limit is known."""
    pool, asked = share.pool, share.amount(demand)
    if math.isinf(pool.limit):
        return asked <= pool.counter.used * CLOSE
    return pool.counter.used + asked >= pool.limit * AS_GOOD_AS_FULL


def count(
    shares: Sequence[Share],
    demand: Demand,
    now: float,
    *,
    unit: str,
    window: float | None,
    scope: Scope,
    used: float,
    until: float,
) -> list[Pool]:
    """Book what a refusal says is used, so that nothing as large as the refused request fits until it may come again.

    What our own books do not know of expires then; smaller requests still get the room that is left.

    :param demand: what the refused request had reserved
    :param unit: the unit that the refusal names
    :param window: seconds; None: the longest window there is
    :param scope: how much it speaks for
    :param used: what it says is used
    :param until: Unix time from which it admits the request
    :return: the pools that are meant; none when one of them does not roll: what is booked there is not forgotten by then
    """
    pools = meant(shares, unit=unit, window=window, scope=scope)
    if any(not isinstance(pool.counter, Rolling) for pool in pools):
        return []
    for share in shares:
        pool, length = share.pool, share.pool.quota.window
        if pool not in pools or length is None:
            continue
        pool.advance(now)
        pool.doubts = None  # the service has counted as much as is booked now
        elsewhere = max(used, pool.limit - share.amount(demand) + 1.0) - pool.counter.used
        if elsewhere > 0 and math.isfinite(elsewhere):
            pool.counter.book(min(now, until - length), elsewhere)
            pool.changed = now
    return pools


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


def believe(
    shares: Sequence[Share], now: float, *, unit: str | None, window: float | None, scope: Scope
) -> None:
    """Take everything for spent that is booked of the quotas a refusal may speak of: the service said that it is.

    The request that was refused stays in doubt.

    :param unit: the unit that the refusal names; None: any
    :param window: seconds, if it names one
    :param scope: how much it speaks for
    """
    for share in shares:
        if _may_mean(share, unit, window, scope):
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
