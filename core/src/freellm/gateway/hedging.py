"""Hedging: when a route is slower than it usually is and quota is ample, a second one is asked; the faster one answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.gateway.asking import Outcome
from freellm.gateway.attempt import Attempt
from freellm.gateway.calls import Call, Served, Tried
from freellm.gateway.records import Recorder
from freellm.ledger import Demand, Ledger
from freellm.routing import Router
from freellm.types import Failure, Kind

Ask: TypeAlias = Callable[[Call, Route, Demand], Coroutine[None, None, Outcome]]
"""Asks a route for a call, and follows up on what it says."""


class Race:
    """Attempts for one call, of which the first that can answer does.

    :param call: the call
    :param recorder: logs the others
    :param clock: tells the time
    """

    def __init__(self, call: Call, recorder: Recorder, clock: Clock) -> None:
        self._call = call
        self._recorder = recorder
        self._clock = clock
        self._runners: dict[Route, float] = {}
        self._winner: Attempt | None = None

    def join(self, route: Route) -> None:
        """Note that a route is asked."""
        self._runners[route] = self._clock.now()

    def drop_out(self, route: Route) -> None:
        """Note that a route has failed."""
        self._runners.pop(route, None)

    def win(self, attempt: Attempt) -> None:
        """Let an attempt that can answer be the one that does; whoever is still under way was slower.

        :raises asyncio.CancelledError: when another one has won; it ends the attempt as if it were cancelled
        """
        if self._winner is None:
            self._winner = attempt
            self.drop_out(attempt.route)
            for route, started in self._runners.items():
                self._lost(route, started)
        elif self._winner is not attempt:
            raise asyncio.CancelledError

    def _lost(self, route: Route, started: float) -> None:
        failure = Failure(kind=Kind.CANCELLED, message="another route was faster")
        ms = (self._clock.now() - started) * 1000.0
        tried = Tried(route=route, failure=failure, status=0, started=started, ms=ms, hedged=True)
        self._call.tried.append(tried)
        self._recorder.attempt_failed(self._call, tried)


class Hedging:
    """Ask a second route when the first one is slow.

    :param router: finds the second one
    :param ledger: knows whether quota is ample
    :param recorder: logs who was slower
    :param clock: tells the time and rings
    """

    def __init__(self, router: Router, ledger: Ledger, recorder: Recorder, clock: Clock) -> None:
        self._router = router
        self._ledger = ledger
        self._recorder = recorder
        self._clock = clock

    async def ask(
        self, call: Call, route: Route, demand: Demand, ask: Ask, tried: AbstractSet[Route]
    ) -> Mapping[Route, Outcome]:
        """Ask a route, and a second one if it is slow.

        :param ask: asks one route
        :param tried: routes that have failed
        :return: what came of each route that was asked; when one has answered, that alone
        """
        after = route.entry.track.delays.slow(stream=call.request.stream)
        if after is None or not self._ledger.is_ample(route.shares, self._clock.now()):
            return {route: await ask(call, route, demand)}
        call.race = race = Race(call, self._recorder, self._clock)
        upstream_ms, began = call.upstream_ms, self._clock.now()
        tasks: dict[asyncio.Task[Outcome], Route] = {}

        def start(runner: Route, amount: Demand) -> asyncio.Task[Outcome]:
            race.join(runner)
            task = asyncio.create_task(ask(call, runner, amount))
            tasks[task] = runner
            return task

        try:
            first = start(route, demand)
            if await self._is_slow(first, began + after) and (second := self._second(call, route, tried)):
                start(*second)
            return await _outcomes(tasks, race)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)  # each settles what it has booked
            call.race = None
            call.upstream_ms = upstream_ms + (self._clock.now() - began) * 1000.0

    async def _is_slow(self, task: asyncio.Task[Outcome], when: float) -> bool:
        """Wait for a task until a moment; tell whether it is still under way then."""
        changed = asyncio.Event()
        alarm = self._clock.call_at(when, changed.set)
        task.add_done_callback(lambda _: changed.set())
        try:
            await changed.wait()
        finally:
            alarm.cancel()
        return not task.done()

    def _second(self, call: Call, first: Route, tried: AbstractSet[Route]) -> tuple[Route, Demand] | None:
        now = self._clock.now()
        if not self._ledger.is_ample(first.shares, now):
            return None
        for route, demand in self._router.candidates(
            call.order, call.needs, self._clock.now, tried=tried | {first}
        ):
            another = route.entry is not first.entry and not (
                call.remote_images and route.model.images == "inline"
            )
            if another and self._ledger.is_ample(route.shares, now):
                return route, demand
        return None


async def _outcomes(tasks: Mapping[asyncio.Task[Outcome], Route], race: Race) -> Mapping[Route, Outcome]:
    ended: dict[Route, Outcome] = {}
    under_way = set(tasks)
    while under_way:
        done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.cancelled():  # another one has won, and its task ends right after
                continue
            outcome, route = task.result(), tasks[task]
            if isinstance(outcome, Served):
                return {route: outcome}
            race.drop_out(route)
            ended[route] = outcome
    return ended
