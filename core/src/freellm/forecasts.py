"""What is left of every pool, and until when that lasts. Pure; `now` is given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from freellm.catalogue import Route
from freellm.ledger import Pool, Share
from freellm.ledger.counters import NEGLIGIBLE
from freellm.reasons import span

Stated: TypeAlias = Literal["declared", "learned", "settings", "unknown"]
"""Where a limit is from: the provider's package, the service itself, or the user's settings."""


class PoolForecast(msgspec.Struct, frozen=True, kw_only=True):
    """One pool as it is now, and what becomes of it. All moments are Unix times.

    :param pool: its identity: provider instance, quota and whose it is
    :param provider: the provider instance
    :param unit: what is counted
    :param window: seconds; None for `concurrent`
    :param clock: when the window starts over
    :param scope: whose it is: a key's, an account's or an address's
    :param members: the models that share it; empty is all of the provider's
    :param keys: the labels of the keys that draw on it
    :param used: what is spent, reservations of requests under way included
    :param limit: what it holds; None is unknown
    :param left: what it holds less what is used; None is unknown
    :param unlimited: whether it is counted and never refused, because every key that draws on it is on a paid plan
    :param stated: where the limit is from
    :param evidence: what says so, in words or as an address
    :param checked: for a declared limit, the day it was read
    :param believed_until: for a learned limit, when the declared one counts again
    :param closed_until: until when the service said that it is exhausted
    :param resets_at: when all of it is there again if nothing more is spent; None: nothing is spent, or nobody can say
    :param burn_rate: what is spent a second, see `freellm.ledger.burning`
    :param exhausted_at: when nothing is left at this rate; None: not before it resets
    """

    pool: str
    provider: str
    unit: str
    window: float | None
    clock: str
    scope: str
    members: Sequence[str]
    keys: Sequence[str]
    used: float
    limit: float | None
    left: float | None
    unlimited: bool
    stated: Stated
    evidence: str
    checked: str | None
    believed_until: float | None
    closed_until: float | None
    resets_at: float | None
    burn_rate: float
    exhausted_at: float | None


def forecast(pool: Pool, now: float, *, keys: Sequence[str] = (), unlimited: bool = False) -> PoolForecast:
    """Return a pool as it is now, and what becomes of it.

    :param keys: the labels of the keys that draw on it
    :param unlimited: whether all of them are on a paid plan
    """
    if now >= pool.edge:
        pool.advance(now)
    quota, used = pool.quota, pool.counter.used
    used = 0.0 if used < NEGLIGIBLE else used
    limit = None if math.isinf(pool.limit) else pool.limit
    burn_rate = pool.counter.burn_rate(now)
    stated, evidence = _source(pool)
    return PoolForecast(
        pool=pool.identity,
        provider=pool.identity.partition("|")[0],
        unit=quota.unit,
        window=quota.window,
        clock=quota.clock,
        scope=quota.scope,
        members=quota.members,
        keys=keys,
        used=used,
        limit=limit,
        left=None if limit is None else max(limit - used, 0.0),
        unlimited=unlimited,
        stated=stated,
        evidence=evidence,
        checked=quota.checked if stated == "declared" else None,
        believed_until=pool.learned.expires if pool.learned else None,
        closed_until=pool.closed_until or None,
        resets_at=_resets_at(pool, used, now),
        burn_rate=burn_rate,
        exhausted_at=None if unlimited else _exhausted_at(pool, used, burn_rate, now),
    )


def forecasts(routes: Iterable[Route], now: float) -> list[PoolForecast]:
    """Return every pool that routes draw on, each once, in the order in which they come to it."""
    return list(each_forecast(routes, now))


def each_forecast(routes: Iterable[Route], now: float) -> Iterator[PoolForecast]:
    """Iterate over what `forecasts` returns, for those who let others work in between."""
    drawing: dict[Pool, list[Route]] = {}
    refusing: set[Pool] = set()
    for route in routes:
        for share in route.shares:
            drawing.setdefault(share.pool, []).append(route)
            if not share.unlimited:
                refusing.add(share.pool)
    for pool, drawn in drawing.items():
        keys = list(dict.fromkeys(route.key.label or route.key.id for route in drawn))
        yield forecast(pool, now, keys=keys, unlimited=pool not in refusing)


def _source(pool: Pool) -> tuple[Stated, str]:
    if pool.learned and pool.limit == pool.learned.limit:
        return "learned", pool.learned.evidence
    if pool.override is not None:
        return "settings", "limits in config.toml"
    return ("unknown" if pool.quota.limit is None else "declared"), pool.quota.source


def _resets_at(pool: Pool, used: float, now: float) -> float | None:
    if pool.quota.window is None or not used:
        return None
    return pool.counter.opening(used, now)


def _exhausted_at(pool: Pool, used: float, burn_rate: float, now: float) -> float | None:
    """Return when nothing is left at a rate; None: not before the window starts over, or never.

    A rolling window gives back what it took a window ago, so only what is spent faster than that uses it up.
    """
    window, left = pool.quota.window, pool.limit - used
    if window is None or math.isinf(left):
        return None
    if left <= 0:
        return now
    if pool.starts_over:
        at = now + left / burn_rate if burn_rate else math.inf
        return at if at < pool.counter.edge else None
    faster = burn_rate - used / window
    return now + left / faster if burn_rate * window > pool.limit and faster > 0 else None


def in_words(shares: Iterable[Share], now: float) -> str:
    """Return what is used of the pools of a route, such as `28 of 30 requests per minute`."""
    said = []
    for share in shares:
        pool = share.pool
        if now >= pool.edge:
            pool.advance(now)
        limit = "?" if math.isinf(pool.limit) else f"{pool.limit:,.10g}"
        said.append(f"{pool.counter.used:,.10g} of {limit} {pool.quota.unit} {span(pool.quota.window)}")
    return "; ".join(said)
