"""The attempt loop: the router's next route, until one answers. The only place that retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.errors import RequestError
from freellm.gateway.asking import Asker
from freellm.gateway.calls import Call, Served, Tried
from freellm.gateway.consequences import RULES, Consequences, Step
from freellm.gateway.exhaustion import refusal
from freellm.gateway.records import Recorder
from freellm.ledger import Demand
from freellm.routing import PassedOver, Router
from freellm.sessions import Sessions
from freellm.types import ChatRequest, Kind

RETRY_AFTER = (0.2, 0.5)
"""Seconds, between which the wait before the one retry on the same route is drawn."""


class Limits(Protocol):
    """The settings the loop reads."""

    @property
    def max_attempts(self) -> int:
        """Routes tried for one request, at most."""


class Gateway:
    """Serve calls.

    :param router: finds routes
    :param asker: asks one route once
    :param consequences: draws them from failures
    :param sessions: knows who answered a conversation last
    :param recorder: logs attempts and requests
    :param clock: tells the time
    :param limits: `max_attempts`
    :param suspect_key: called with the route of a key that was refused, to have it probed
    """

    def __init__(
        self,
        router: Router,
        asker: Asker,
        consequences: Consequences,
        sessions: Sessions,
        recorder: Recorder,
        clock: Clock,
        limits: Limits,
        suspect_key: Callable[[Route], None],
    ) -> None:
        self._router = router
        self._asker = asker
        self._consequences = consequences
        self._sessions = sessions
        self._recorder = recorder
        self._clock = clock
        self._limits = limits
        self._suspect_key = suspect_key

    async def serve(self, call: Call) -> Served:
        """Return the first answer; for a stream, once its first meaningful delta is there.

        :raises RequestError: when no route can answer, listing each with its reason
        """
        try:
            return await self._serve(call)
        except RequestError as error:
            self._recorder.refused(call, error)
            raise
        except asyncio.CancelledError:
            self._recorder.refused(call, None)
            raise

    async def _serve(self, call: Call) -> Served:
        tried: set[Route] = set()
        avoided: set[str] = set()
        refused_windows: list[int] = []
        doubted: Tried | None = None
        candidates = self._router.candidates(
            call.order,
            call.needs,
            self._clock.now,
            sticky=self._sticky(call),
            tried=tried,
            avoided=avoided,
            largest_refused=refused_windows,
            passed_over=call.passed_over,
        )
        for route, demand in candidates:
            if doubted is not None and route.provider is doubted.route.provider:
                continue
            before = len(call.tried)
            served = await self._ask_route(call, route, demand, tried)
            if served is not None:
                return served
            tried.add(route)
            if len(call.tried) == before:
                continue
            last = call.tried[-1]
            step = RULES[last.kind].step
            if step is Step.STOP or (step is Step.SECOND_OPINION and doubted is not None):
                raise refusal(call, self._clock.now(), doubted or last)
            if step is Step.SECOND_OPINION:
                doubted = last
                avoided.add(route.provider.name)
            elif step is Step.NEXT_PROVIDER:
                avoided.add(route.provider.name)
            if last.kind is Kind.CONTEXT_EXCEEDED and last.failure.limit is not None:
                refused_windows.append(last.failure.limit)
            if len(call.tried) >= self._limits.max_attempts or self._clock.now() >= call.needs.deadline:
                break
        raise refusal(call, self._clock.now(), doubted)

    def _sticky(self, call: Call) -> Route | None:
        session = call.earlier or call.session
        name = None if session is None else self._sessions.find(session, self._clock.now())
        return None if name is None else call.order.route(name)

    async def _ask_route(self, call: Call, route: Route, demand: Demand, tried: set[Route]) -> Served | None:
        """Ask one route: once, once more with the request its provider amended, once more if it was overloaded."""
        request: ChatRequest | None = None
        amended = retried = False
        while True:
            outcome = await self._asker.ask(call, route, demand, request)
            if outcome is None:
                return None
            if isinstance(outcome, PassedOver):
                call.passed_over.append(outcome)
                tried.update(route.entry.routes)  # another key changes nothing about it
                return None
            if isinstance(outcome, Served):
                if call.session is not None:
                    self._sessions.remember(call.session, route.name, self._clock.now())
                return outcome
            self._note(call, route, demand, outcome)
            failure = outcome.failure
            if failure.amend is not None and not amended:
                amended, request = True, failure.amend
            elif failure.kind is Kind.OVERLOADED and not retried and self._may_retry(call, route):
                retried = True
                await asyncio.sleep(random.uniform(*RETRY_AFTER))  # noqa: S311 - spreads retries, guards nothing
            else:
                return None

    def _may_retry(self, call: Call, route: Route) -> bool:
        now = self._clock.now()
        open_ = all(standing.closed_until <= now for standing in route.standings())
        return open_ and len(call.tried) < self._limits.max_attempts and now + 1.0 < call.needs.deadline

    def _note(self, call: Call, route: Route, demand: Demand, tried: Tried) -> None:
        call.tried.append(tried)
        if tried.failure.amend is None:
            self._consequences.draw(route, tried.failure, demand, self._clock.now())
        self._recorder.attempt_failed(call, tried)
        if tried.kind is Kind.BAD_KEY:
            self._suspect_key(route)
