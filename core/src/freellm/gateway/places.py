"""A request's place in the line: the routes it hopes for, and which of them opens first."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from freellm.catalogue import Entry, Route
from freellm.ledger import Demand, Pool, Share, Turn

TurnOf: TypeAlias = Callable[[Sequence[Share], Demand], Turn]
"""Returns when the quotas behind some shares open for a demand."""


class Promise(NamedTuple):
    """What a request waits for.

    :param route: the route that opens first
    :param demand: what the request takes from it
    :param turn: when it is the request's to take, with all that is known now
    """

    route: Route
    demand: Demand
    turn: Turn


class _Hope(NamedTuple):
    """Routes of which a request takes the same from the same pools, so that quotas open all of them or none.

    :param demand: what it takes
    :param routes: the routes, the best first
    """

    demand: Demand
    routes: list[Route]

    def promise(self, turn_of: TurnOf) -> Promise:
        """Return which of the routes opens first, and when."""
        turn = turn_of(self.routes[0].shares, self.demand)
        for route in self.routes:
            if route.closed_until <= turn.at:
                return Promise(route, self.demand, turn)
        route = min(self.routes, key=lambda route: route.closed_until)
        return Promise(route, self.demand, Turn(route.closed_until, turn.ends_first))


class Place:
    """A request's place in the line, which it keeps until it has taken a route or left.

    Of each hope it remembers a moment before which it does not come true. One is examined only when no other may come
    true before it, or when something has changed about it.

    :param ticket: its number
    :param routes: the routes that may open for it, the best first, with a moment before which each does not open
    :param until: Unix time at which its patience is over
    :param demand_of: returns what it takes from an entry's routes
    :ivar look_at: Unix time at which a route may open, or its patience is over
    :ivar promise: what it has a claim on
    :ivar woken: what the request waits for: whether a route has opened, or none will in time
    """

    __slots__ = (
        "_busy",
        "_chosen",
        "_hopes",
        "_hopes_at",
        "_not_before",
        "look_at",
        "promise",
        "ticket",
        "until",
        "woken",
    )

    def __init__(
        self,
        ticket: int,
        routes: Mapping[Route, float],
        until: float,
        demand_of: Callable[[Entry], Demand],
    ) -> None:
        self.ticket = ticket
        self.until = until
        self.look_at = until
        self.promise: Promise | None = None
        self.woken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._hopes = _hopes(routes, demand_of)
        self._not_before = [min(routes[route] for route in hope.routes) for hope in self._hopes]
        self._busy: set[int] = set()
        """Those that come true when a request ends: nobody knows when, and time changes nothing about them."""
        self._chosen = 0
        self._hopes_at: defaultdict[Pool, list[int]] = defaultdict(list)
        for number, hope in enumerate(self._hopes):
            for share in hope.routes[0].shares:
                self._hopes_at[share.pool].append(number)

    def touch(self, pools: Iterable[Pool], now: float) -> bool:
        """Take note that pools may have more room than before; tell whether it hopes for something in one of them."""
        touched = {number for pool in pools for number in self._hopes_at.get(pool, ())}
        for number in touched:
            self._not_before[number] = now
        self._busy -= touched
        return bool(touched)

    def first(self, turn_of: TurnOf, now: float) -> Promise | None:
        """Return which hope comes true first; None when none does while it has patience.

        Of equals it is the one that was waited for before, so that nobody moves up for nothing, else the best. One that
        is waiting only for another request to end may come true at any moment, and so before all others that are not
        true already. It is waited for, but `look_at` is when the next one comes true whoever ends.
        """
        not_before, latest = self._not_before, max(now, self.until)
        examined: dict[int, Promise] = {}
        while (at := min(not_before)) <= latest:
            number = self._chosen if not_before[self._chosen] == at else not_before.index(at)
            if number in examined:
                break
            turn = (promise := self._hopes[number].promise(turn_of)).turn
            if turn.ends_first and turn.at <= now:
                self._busy.add(number)
                not_before[number] = math.inf
            else:
                examined[number] = promise
                not_before[number] = turn.at
        self.look_at = min(at, self.until)
        if self._busy and at > now:
            self._chosen = self._chosen if self._chosen in self._busy else min(self._busy)
            return self._hopes[self._chosen].promise(lambda shares, demand: Turn(now, ends_first=True))
        if at > latest:
            return None
        self._chosen = number
        return examined[number]


def _hopes(routes: Iterable[Route], demand_of: Callable[[Entry], Demand]) -> list[_Hope]:
    hopes: dict[tuple[object, ...], _Hope] = {}
    for route in routes:
        demand = demand_of(route.entry)
        alike = tuple([(share.pool, share.unlimited, share.amount(demand)) for share in route.shares])
        if alike in hopes:
            hopes[alike].routes.append(route)
        else:
            hopes[alike] = _Hope(demand, [route])
    return list(hopes.values())
