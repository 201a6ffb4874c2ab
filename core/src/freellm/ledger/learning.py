"""What answers and refusals teach about pools: which pool is meant, how large it is, what was spent elsewhere.

Nothing here ever lowers what is known to be spent. A service's `remaining` can only reveal spending that this ledger
did not see (another program with the same key), and that is booked on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from freellm.declarations import DAY
from freellm.ledger.demands import Share
from freellm.ledger.pools import Pool
from freellm.types import Reading, Scope

ANSWERS_HOLD: Final = 7 * DAY
"""Seconds for which a limit that an answer stated is believed without being repeated."""

REFUSALS_HOLD: Final = DAY
"""Seconds for which a limit that a refusal stated is believed: refusals may speak of a moment, not of the plan."""

READ_EVIDENCE: Final = "stated by an answer's headers"


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
    limit: float | None,
    evidence: str,
    scope: Scope = "route",
) -> list[Pool]:
    """Believe a refusal about a limit for a day.

    :param limit: the limit it states; None is accepted for `concurrent` and means one less than are under way now
    :return: the pools that learned
    """
    pools = meant(shares, unit=unit, window=window, scope=scope)
    for pool in pools:
        figure = max(1.0, pool.counter.used - 1) if limit is None and unit == "concurrent" else limit
        if figure is not None:
            pool.learn(figure, evidence, now + REFUSALS_HOLD, now)
    return pools


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
