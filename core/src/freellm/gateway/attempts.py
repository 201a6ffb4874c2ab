"""The attempt loop: the router's next route, until one answers. The only place that retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.errors import RequestError
from freellm.explanations import Explanation
from freellm.gateway.asking import Asker, Outcome
from freellm.gateway.calls import Call, Served, Tried
from freellm.gateway.consequences import RULES, Consequences, Step
from freellm.gateway.exhaustion import refusal
from freellm.gateway.explaining import Explainer
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


class _SoFar:
    """What the attempts for one call have taught about where to go on."""

    __slots__ = ("avoided", "doubted", "refused_windows", "tried")

    def __init__(self) -> None:
        self.tried: set[Route] = set()
        self.avoided: set[str] = set()
        self.refused_windows: list[int] = []
        self.doubted: Tried | None = None

    def doubts(self, route: Route) -> bool:
        """Tell whether a route's provider has refused the request as bad: a second opinion comes from another."""
        return self.doubted is not None and route.provider is self.doubted.route.provider

    def take(self, last: Tried) -> Tried | None:
        """Learn from a failed attempt; return the attempt whose refusal is the client's to hear, if it is."""
        step = RULES[last.kind].step
        if step is Step.STOP or (step is Step.SECOND_OPINION and self.doubted is not None):
            return self.doubted or last
        if step is Step.SECOND_OPINION:
            self.doubted = last
        if step in (Step.SECOND_OPINION, Step.NEXT_PROVIDER):
            self.avoided.add(last.route.provider.name)
        if last.kind is Kind.CONTEXT_EXCEEDED and last.failure.limit is not None:
            self.refused_windows.append(last.failure.limit)
        return None


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

        A part of a request is not recorded: that is for whoever puts the parts together.

        :raises RequestError: when no route can answer, listing each with its reason
        """
        if call.answered is None:
            self._recorder.activity.began(call)
        try:
            return await self._serve(call)
        except RequestError as error:
            if call.answered is None:
                self._recorder.refused(call, error)
            raise
        except asyncio.CancelledError:
            if call.answered is None:
                self._recorder.refused(call, None)
            raise
        except BaseException:
            self._recorder.activity.ended(call)
            raise

    def explain(self, call: Call) -> Explanation:
        """Return what would become of a call; nothing is sent, booked or changed, and no key's turn is taken."""
        now, most = self._clock.now(), self._limits.max_attempts
        return Explainer(self._router, self._asker, call, self._sticky(call), now, most).explain()

    async def _serve(self, call: Call) -> Served:
        so_far = _SoFar()
        candidates = self._router.candidates(
            call.order,
            call.needs,
            self._clock.now,
            sticky=self._sticky(call),
            tried=so_far.tried,
            avoided=so_far.avoided,
            largest_refused=so_far.refused_windows,
            passed_over=call.passed_over,
        )
        for route, demand in candidates:
            if so_far.doubts(route):
                continue
            outcome = await self._asker.ask(call, route, demand, None)
            if not isinstance(outcome, Served):
                outcome = await self._follow_up(call, route, demand, outcome)
            if isinstance(outcome, Served):
                if call.session is not None:
                    self._sessions.remember(call.session, route.name, self._clock.now())
                return outcome
            so_far.tried.add(route)
            if isinstance(outcome, PassedOver):
                call.passed_over.append(outcome)
                so_far.tried.update(route.entry.routes)  # another key changes nothing about it
            elif outcome is None:
                call.passed_over.append(self._taken(route, demand))
            else:
                if (final := so_far.take(outcome)) is not None:
                    raise refusal(call, self._clock.now(), final)
                if self._is_over(call):
                    break
        raise refusal(call, self._clock.now(), so_far.doubted)

    def _taken(self, route: Route, demand: Demand) -> PassedOver:
        now = self._clock.now()
        taken = PassedOver(route.entry.name, "quota", "its quota was taken meanwhile", now + 1.0)
        return self._router.closed(route, demand, now) or taken

    def _is_over(self, call: Call) -> bool:
        return len(call.tried) >= self._limits.max_attempts or self._clock.now() >= call.needs.deadline

    def _sticky(self, call: Call) -> Route | None:
        if call.earlier is None:
            return None
        name = self._sessions.find(call.earlier, self._clock.now())
        return None if name is None else call.order.route(name)

    async def _follow_up(self, call: Call, route: Route, demand: Demand, outcome: Outcome) -> Outcome:
        """Ask a route that failed once more with the request its provider amended, once more if it was overloaded."""
        amended = retried = False
        request: ChatRequest | None = None
        while isinstance(outcome, Tried):
            self._note(call, route, demand, outcome)
            if outcome.failure.amend is not None and not amended:
                amended, request = True, outcome.failure.amend
            elif outcome.kind is Kind.OVERLOADED and not retried and self._may_retry(call, route):
                retried = True
                await asyncio.sleep(random.uniform(*RETRY_AFTER))  # noqa: S311 - spreads retries, guards nothing
            else:
                return outcome
            again = await self._asker.ask(call, route, demand, request)
            if again is None:  # its quota was taken meanwhile: what it said first stands
                return outcome
            outcome = again
        return outcome

    def _may_retry(self, call: Call, route: Route) -> bool:
        now = self._clock.now()
        open_ = all(standing.closed_until <= now for standing in route.standings())
        return open_ and len(call.tried) < self._limits.max_attempts and now + 1.0 < call.needs.deadline

    def _note(self, call: Call, route: Route, demand: Demand, tried: Tried) -> None:
        call.tried.append(tried)
        if tried.failure.amend is None:
            self._consequences.draw(route, tried.failure, demand, self._clock.now(), tried.started)
        self._recorder.attempt_failed(call, tried)
        if tried.kind is Kind.BAD_KEY:
            self._suspect_key(route)
