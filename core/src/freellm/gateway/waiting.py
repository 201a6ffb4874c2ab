"""The line: requests that wait for a route to open, served first come, first served, instead of being refused.

Nobody looks again and again. The line knows for everybody which route opens first, and when; it wakes them one by one,
at that moment or when a request that ends leaves room before. What they are promised is in `freellm.ledger.claims`.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from freellm.catalogue import Route
from freellm.clock import Alarm, Clock
from freellm.gateway.calls import Call
from freellm.ledger import CONCURRENCY_RETRY, Claims, Demand, Ledger, Pool, Turn
from freellm.routing import Needs, PassedOver, Router


class Limits(Protocol):
    """The settings the line reads."""

    @property
    def max_waiting(self) -> int:
        """Requests that wait at the same time, at most."""


class _Hope(NamedTuple):
    """A route that may open for a request.

    :param route: the route
    :param demand: what the request takes from it
    """

    route: Route
    demand: Demand


class _Place:
    """A request's place in the line, which it keeps until it has taken a route or left.

    :param ticket: its number
    :param hopes: the routes that may open for it
    :param until: Unix time at which its patience is over
    :ivar look_at: Unix time at which it is its turn, or to be told that it is not
    :ivar target: the route that opens first, on whose pools it has a claim
    :ivar turn: when that is
    :ivar woken: what the request waits for: whether a route has opened, or none will in time
    """

    __slots__ = ("hopes", "hopes_at", "look_at", "target", "ticket", "turn", "until", "woken")

    def __init__(self, ticket: int, hopes: Sequence[_Hope], until: float) -> None:
        self.ticket = ticket
        self.hopes = hopes
        self.until = until
        self.look_at = until
        self.target: _Hope | None = None
        self.turn = Turn(until)
        self.woken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.hopes_at: defaultdict[Pool, list[_Hope]] = defaultdict(list)
        for hope in hopes:
            for share in hope.route.shares:
                self.hopes_at[share.pool].append(hope)

    def touched(self, pools: Collection[Pool]) -> Collection[_Hope]:
        """Return the hopes that a change of pools may bring nearer, the present one among them."""
        hopes = {hope for pool in pools for hope in self.hopes_at.get(pool, ())}
        if hopes and self.target is not None:
            hopes.add(self.target)
        return hopes


class Line:
    """Let requests wait for their turn.

    :param router: knows what a request takes from a route
    :param ledger: knows when there is room
    :param clock: tells the time and rings
    :param limits: `max_waiting`
    """

    def __init__(self, router: Router, ledger: Ledger, clock: Clock, limits: Limits) -> None:
        self._router = router
        self._ledger = ledger
        self._clock = clock
        self._limits = limits
        self._claims = Claims()
        self._places: dict[int, _Place] = {}
        self._tickets = itertools.count(1)
        self._changed: set[Pool] = set()
        self._alarm: Alarm | None = None
        self._alarm_at = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits."""
        return not self._places

    async def wait(self, call: Call, passed_over: Iterable[PassedOver]) -> bool:
        """Hold a call until a route opens for it; what it waited is added to `call.waited`.

        :param passed_over: the routes that are closed, and may open
        :return: whether it was held, and is to look again; False at once when none will open within its patience, or
            too many wait
        """
        now = self._clock.now()
        until = min(now + call.max_wait - call.waited, call.needs.deadline)
        soon = {note.route: None for note in passed_over if note.route is not None and note.opens_at <= until}
        full = len(self._places) - (call.ticket in self._places) >= self._limits.max_waiting
        if until <= now or not soon or full:
            return False
        call.ticket = call.ticket or next(self._tickets)
        self.leave(call)
        place = _Place(call.ticket, [_Hope(route, self._demand(call.needs, route)) for route in soon], until)
        self._judge(place, place.hopes, now)
        if place.woken.done() and not place.woken.result():
            return False
        self._places[place.ticket] = place
        self._ledger.watcher = self._look_soon
        self._set_alarm()
        try:
            await asyncio.sleep(
                0
            )  # if a route is open already, others have their turn before it is looked at
            await place.woken
        finally:
            call.waited += self._clock.now() - now
        return True

    def take(self, call: Call, route: Route) -> Demand | PassedOver:
        """Return what a call may take from a route, and give up its place; when it is not its turn, why and until when."""
        now = self._clock.now()
        demand = self._demand(call.needs, route)
        turn = self._claims.turn(route.shares, demand, now, call.ticket or math.inf)
        if turn.at > now or turn.ends_first:
            ahead = sum(place.ticket != call.ticket for place in self._places.values())
            said = f"{ahead} request{'s' * (ahead != 1)} waiting for quota came first"
            opens_at = turn.at if turn.at > now else now + CONCURRENCY_RETRY
            return PassedOver(route.entry.name, "quota", said, opens_at, route=route)
        self.leave(call)
        return demand

    def leave(self, call: Call) -> None:
        """Give up a call's place, if it has one, and what it has claimed."""
        place = self._places.pop(call.ticket, None)
        if place is not None:
            self._look_soon(self._give_up(place))
        if not self._places:
            self._ledger.watcher = None

    def wake_all(self) -> None:
        """Wake everybody, because keys or models have changed: what each hopes for may be something else now."""
        for place in self._in_turn():
            if not place.woken.done():
                place.woken.set_result(True)

    def _demand(self, needs: Needs, route: Route) -> Demand:
        return self._router.demand(route.entry, needs)

    def _in_turn(self) -> Sequence[_Place]:
        return [self._places[ticket] for ticket in sorted(self._places)]

    def _turn(self, hope: _Hope, now: float, ticket: int) -> Turn:
        route = hope.route
        quota = self._claims.turn(route.shares, hope.demand, now, ticket)
        closed_until = max(standing.closed_until for standing in route.standings())
        return quota if closed_until <= quota.at else Turn(closed_until, quota.ends_first)

    def _judge(self, place: _Place, hopes: Collection[_Hope], now: float) -> Collection[Pool]:
        """Find out which of some hopes comes true first; wake the request if one has, or if none will in time.

        :return: the pools on which it claims less than before
        """
        turns: Mapping[_Hope, Turn] = {hope: self._turn(hope, now, place.ticket) for hope in hopes}
        target = min(turns, key=lambda hope: (turns[hope].at, turns[hope].ends_first))
        turn = turns[target]
        if place.target is not None and turn.at > place.turn.at and hopes is not place.hopes:
            return self._judge(place, place.hopes, now)  # the promise does not hold: look at all of them
        given_up = self._give_up(place)
        if turn.at <= now and not turn.ends_first:
            place.woken.set_result(True)
        elif turn.at > place.until or now >= place.until:
            place.woken.set_result(False)
            self._places.pop(place.ticket, None)
            return given_up
        place.target, place.turn = target, turn
        place.look_at = turn.at if turn.at > now else place.until
        self._claims.make(place.ticket, target.route.shares, target.demand, turn.at)
        return given_up

    def _give_up(self, place: _Place) -> Collection[Pool]:
        if place.target is None:
            return ()
        shares = place.target.route.shares
        place.target = None
        self._claims.drop(place.ticket, shares)
        return {share.pool for share in shares}

    def _look_soon(self, pools: Iterable[Pool]) -> None:
        """Look again at those who wait for some pools, once what is going on at the moment is over."""
        self._changed.update(pools)
        if self._places and self._changed:
            self._ring_at(self._clock.now())

    def _look(self) -> None:
        """Wake those whose turn it is, in the order in which they came."""
        self._alarm = None
        now = self._clock.now()
        changed, self._changed = self._changed, set()
        for place in self._in_turn():
            if place.woken.done():
                continue
            hopes = place.hopes if place.look_at <= now else place.touched(changed)
            if hopes:
                changed.update(self._judge(place, hopes, now))
        if not self._places:
            self._ledger.watcher = None
        self._set_alarm()

    def _set_alarm(self) -> None:
        waiting = [place.look_at for place in self._places.values() if not place.woken.done()]
        if waiting:
            self._ring_at(min(waiting))

    def _ring_at(self, when: float) -> None:
        if self._alarm is not None:
            if self._alarm_at <= when:
                return
            self._alarm.cancel()
        self._alarm = self._clock.call_at(when, self._look)
        self._alarm_at = when
