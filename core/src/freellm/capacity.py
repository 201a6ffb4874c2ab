"""How many requests all quotas together still take until a moment. Pure; `now` is given.

Routes are filled in the order they are given, each as far as the pools it draws on let it; what one takes from a shared
pool is not there for the next. The figure is for requests of one size, because a limit in requests, one in tokens and
one in a unit of the provider's own only compare by what a request takes of each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from freellm.catalogue import Route
from freellm.declarations import DAY
from freellm.forecasts import PoolForecast, forecasts
from freellm.ledger import Demand, Pool
from freellm.ledger.calendars import utc_day, utc_month

TYPICAL: Final = Demand(1_000, 500, 500)
"""The request that totals are counted in: 1,000 tokens in, 500 out."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left until a moment.

    :param until: Unix time
    :param requests: typical requests
    :param tokens: the tokens of these
    """

    until: float
    requests: int
    tokens: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What is left over all providers.

    :param input_tokens: of a typical request
    :param output_tokens: of a typical request
    :param today: until midnight UTC
    :param month: until the end of the month, UTC
    :param routes: how many routes that is
    :param uncounted: how many more there are whose limits nobody knows, or which have none
    """

    input_tokens: int
    output_tokens: int
    today: Left
    month: Left
    routes: int
    uncounted: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All quotas.

    :param at: Unix time this is true of
    :param pools: every pool
    :param totals: what is left over all of them, for chats
    """

    at: float
    pools: Sequence[PoolForecast]
    totals: Totals


def overview(routes: Sequence[Route], now: float) -> Overview:
    """Return every pool that routes draw on, and what is left over all of them for what `auto` may ask."""
    chats = [route for route in routes if route.model.task == "chat" and not route.model.classifier]
    return Overview(at=now, pools=forecasts(routes, now), totals=totals(chats, now))


def totals(routes: Iterable[Route], now: float) -> Totals:
    """Return what is left today and this month over routes, in their order."""
    every = list(routes)
    counted = [route for route in every if _is_limited(route)]
    return Totals(
        input_tokens=TYPICAL.input,
        output_tokens=TYPICAL.output,
        today=_left(counted, now, utc_day(now)[1]),
        month=_left(counted, now, utc_month(now)[1]),
        routes=len(counted),
        uncounted=len(every) - len(counted),
    )


def a_day(routes: Iterable[Route], now: float) -> int | None:
    """Return the tokens of typical requests that fresh quotas take within a day; None: nobody knows a limit."""
    counted = [route for route in routes if _is_limited(route)]
    return _left(counted, now, now + DAY).tokens if counted else None


def capacity(routes: Iterable[Route], now: float, until: float) -> int:
    """Return how many typical requests routes take until a moment.

    :param routes: each with at least one limit that is known and counts
    :param until: Unix time
    """
    rooms: dict[Pool, float] = {}
    total = 0
    for route in routes:
        begins = max(now, route.closed_until)
        amounts = _amounts(route)
        for pool in amounts:
            if pool not in rooms:
                rooms[pool] = room(pool, now, until)
        fits = min(rooms[pool] / amount for pool, amount in amounts.items())
        taken = int(fits) if begins <= now else int(fits * max(until - begins, 0.0) / (until - now))
        for pool, amount in amounts.items():
            rooms[pool] -= taken * amount
        total += taken
    return total


def room(pool: Pool, now: float, until: float) -> float:
    """Return how much a pool gives until a moment: what is left of it, and what comes back by then.

    :param pool: one with a window and a limit
    """
    if now >= pool.edge:
        pool.advance(now)
    window, limit, used = pool.quota.window or math.inf, pool.limit, pool.counter.used
    begins = max(now, pool.closed_until)
    lasts = until - begins
    if lasts <= 0:
        return 0.0
    if pool.starts_over:
        later = math.ceil((until - pool.counter.edge) / window) if until > pool.counter.edge else 0
        return (0.0 if pool.closed_until else max(limit - used, 0.0)) + later * limit
    freed = limit * lasts / window if lasts >= window else used * lasts / window
    return max(limit - used, 0.0) + freed


def _amounts(route: Route) -> dict[Pool, float]:
    """Return what a typical request takes of the route's pools that can run out."""
    return {
        share.pool: amount
        for share in route.shares
        if not share.unlimited and not share.concurrent and share.pool.limit != math.inf
        if (amount := share.amount(TYPICAL)) > 0
    }


def _is_limited(route: Route) -> bool:
    return bool(_amounts(route))


def _left(routes: list[Route], now: float, until: float) -> Left:
    requests = capacity(routes, now, until)
    return Left(until=until, requests=requests, tokens=requests * (TYPICAL.input + TYPICAL.output))
