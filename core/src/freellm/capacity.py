"""How many requests all quotas together still take until a moment. Pure; `now` is given.

Routes are filled in the order they are given, each as far as the pools it draws on let it; what one takes from a shared
pool is not there for the next. The figure is for requests of one size, because a limit in requests, one in tokens and
one in a unit of the provider's own only compare by what a request takes of each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
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
    return Overview(at=now, pools=forecasts(routes, now), totals=totals(chats(routes), now))


def chats(routes: Iterable[Route]) -> list[Route]:
    """Return the routes that `auto` may ask."""
    return [route for route in routes if route.model.task == "chat" and not route.model.classifier]


def totals(routes: Iterable[Route], now: float) -> Totals:
    """Return what is left today and this month over routes, in their order."""
    summing = Summing(now)
    for route in routes:
        summing.add(route)
    return summing.totals


def a_day(routes: Iterable[Route], now: float) -> int | None:
    """Return the tokens of typical requests that fresh quotas take within a day; None: nobody knows a limit."""
    filling, limited = Filling(now, now + DAY), False
    for route in routes:
        if amounts := _amounts(route):
            limited = True
            filling.add(route, amounts)
    return filling.left.tokens if limited else None


def capacity(routes: Iterable[Route], now: float, until: float) -> int:
    """Return how many typical requests routes take until a moment.

    :param routes: each with at least one limit that is known and counts
    :param until: Unix time
    """
    filling = Filling(now, until)
    for route in routes:
        filling.add(route, _amounts(route))
    return filling.requests


class Filling:
    """Fills routes with typical requests, one route after the other.

    :param now: Unix time
    :param until: Unix time
    :ivar requests: how many requests the routes so far take
    """

    def __init__(self, now: float, until: float) -> None:
        self.requests = 0
        self._now = now
        self._until = until
        self._rooms: dict[Pool, float] = {}

    def add(self, route: Route, amounts: Mapping[Pool, float]) -> None:
        """Fill one more route.

        :param amounts: what a request takes of its pools that can run out; of one at least
        """
        now, until, rooms = self._now, self._until, self._rooms
        for pool in amounts:
            if pool not in rooms:
                rooms[pool] = room(pool, now, until)
        fits = min(rooms[pool] / amount for pool, amount in amounts.items())
        begins = route.closed_until
        taken = int(fits) if begins <= now else int(fits * max(until - begins, 0.0) / (until - now))
        for pool, amount in amounts.items():
            rooms[pool] -= taken * amount
        self.requests += taken

    @property
    def left(self) -> Left:
        """What the routes so far take."""
        tokens = self.requests * (TYPICAL.input + TYPICAL.output)
        return Left(until=self._until, requests=self.requests, tokens=tokens)


class Summing:
    """Adds up what is left today and this month, one route after the other: whoever has other work does it in between.

    :param now: Unix time
    """

    def __init__(self, now: float) -> None:
        self._today, self._month = Filling(now, utc_day(now)[1]), Filling(now, utc_month(now)[1])
        self._counted = 0
        self._uncounted = 0

    def add(self, route: Route) -> None:
        """Add one more route."""
        amounts = _amounts(route)
        if not amounts:
            self._uncounted += 1
            return
        self._counted += 1
        for filling in (self._today, self._month):
            filling.add(route, amounts)

    @property
    def totals(self) -> Totals:
        """What is left over the routes so far."""
        return Totals(
            input_tokens=TYPICAL.input,
            output_tokens=TYPICAL.output,
            today=self._today.left,
            month=self._month.left,
            routes=self._counted,
            uncounted=self._uncounted,
        )


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
