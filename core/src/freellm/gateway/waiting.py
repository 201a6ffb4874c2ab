"""The line: requests that wait for a route to open, served first come, first served, instead of being refused.

Nobody looks again and again. The line knows for everybody which route opens first, and when; it wakes them one by one,
at that moment or when a request that ends leaves room before. What they are promised is in `freellm.ledger.claims`.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Protocol

import msgspec

from freellm.catalogue import Route
from freellm.clock import Alarm, Clock
from freellm.gateway.calls import Call
from freellm.gateway.places import Place, Promise
from freellm.ledger import CONCURRENCY_RETRY, Claims, Demand, Ledger, Pool
from freellm.routing import PassedOver, Router


class Limits(Protocol):
    """The settings the line reads."""

    @property
    def max_waiting(self) -> int:
        """Requests that wait at the same time, at most."""


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
        self._places: dict[int, Place] = {}
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
        hopes = self._hopes(call, passed_over, now, until)
        full = len(self._places) - (call.ticket in self._places) >= self._limits.max_waiting
        if until <= now or not hopes or full:
            return False
        call.ticket = call.ticket or next(self._tickets)
        self.leave(call)
        place = Place(call.ticket, hopes, until, partial(self._router.demand, needs=call.needs))
        self._judge(place, now)
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

    def take(self, call: Call, route: Route, offered: Demand) -> Demand | PassedOver:
        """Return what a call may take from a route, and give up its place; when it is not its turn, why and until when.

        :param offered: what it would take if nobody waited; a ceiling made of spare quota is not given while others do
        """
        now = self._clock.now()
        usual = self._router.demand(route.entry, call.needs).ceiling
        demand = offered if offered.ceiling <= usual else msgspec.structs.replace(offered, ceiling=usual)
        ticket = call.ticket or math.inf
        turn = self._claims.turn(route.shares, demand, now, ticket)
        # What is put to the test has no room by the books, and is nobody's turn unless nobody ahead hopes for it.
        tests = demand.daring and self._claims.is_first(route.shares, ticket)
        if (turn.at > now or turn.ends_first) and not tests:
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
        """Wake everybody: keys or models have changed, or something was opened, and each may hope for something else."""
        for place in self._in_turn():
            if not place.woken.done():
                place.woken.set_result(True)

    def _hopes(
        self, call: Call, passed_over: Iterable[PassedOver], now: float, until: float
    ) -> dict[Route, float]:
        """Return the routes that may open in time, with a moment before which each does not open."""
        aged = call.asking is not None  # what was passed over before a route was asked may be nearer by now
        hopes = {
            note.route: note.opens_at
            for note in passed_over
            if note.route is not None and note.opens_at <= until
        }
        soon = now + CONCURRENCY_RETRY
        return {route: now if aged or at <= soon else at for route, at in hopes.items()}

    def _in_turn(self) -> Sequence[Place]:
        return [self._places[ticket] for ticket in sorted(self._places)]

    def _judge(self, place: Place, now: float) -> Collection[Pool]:
        """Find out what comes true first for a request; wake it if a route has opened, or if none will in time.

        :return: the pools of which it leaves more to those behind than before
        """
        promise = place.first(partial(self._claims.turn, now=now, ticket=place.ticket), now)
        is_open = promise is not None and promise.turn.at <= now and not promise.turn.ends_first
        if promise is None or (now >= place.until and not is_open):
            place.woken.set_result(False)
            self._places.pop(place.ticket, None)
            return self._give_up(place)
        if is_open:
            place.woken.set_result(True)
        return self._claim(place, promise, now)

    def _claim(self, place: Place, promise: Promise, now: float) -> Collection[Pool]:
        left: Collection[Pool] = ()
        before, route, at = place.promise, promise.route, promise.turn.at
        if before is None or before.route is not route:
            left = self._give_up(place)
        elif at > max(before.turn.at, now):  # what others take before then harms it no more
            left = _pools(route)
        place.promise = promise
        self._claims.make(place.ticket, route.shares, promise.demand, at)
        return left

    def _give_up(self, place: Place) -> Collection[Pool]:
        if place.promise is None:
            return ()
        route, place.promise = place.promise.route, None
        self._claims.drop(place.ticket, route.shares)
        return _pools(route)

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
            if not place.woken.done() and (place.touch(changed, now) or place.look_at <= now):
                changed.update(self._judge(place, now))
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


def _pools(route: Route) -> list[Pool]:
    return [share.pool for share in route.shares]
