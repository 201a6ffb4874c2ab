"""The attempt loop: the router's next route, until one answers. The only place that retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Protocol

from freellm.catalogue import ABILITY_BITS, Route
from freellm.clock import Clock
from freellm.errors import RequestError
from freellm.explanations import Explanation
from freellm.gateway.asking import Asker, Outcome
from freellm.gateway.calls import Call, Served, Tried
from freellm.gateway.consequences import Consequences
from freellm.gateway.conversations import Conversations
from freellm.gateway.exhaustion import refusal
from freellm.gateway.explaining import Explainer
from freellm.gateway.hedging import Hedging
from freellm.gateway.progress import SoFar
from freellm.gateway.records import Recorder
from freellm.gateway.waiting import Line
from freellm.ledger import Demand
from freellm.routing import Order, PassedOver, Router
from freellm.types import ChatRequest, Kind

RETRY_AFTER = (0.2, 0.5)
"""Seconds, between which the wait before the one retry on the same route is drawn."""

TOOLS = ABILITY_BITS["tools"]


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
    :param conversations: knows who answered a conversation last
    :param line: lets calls wait for a route to open
    :param hedging: asks a second route when the first is slow
    :param recorder: logs attempts and requests
    :param clock: tells the time
    :param limits: `max_attempts`
    :param suspect_key: called with the route of a key that was refused, to have it probed
    :param renewed: returns a call's order as it is now: keys and models may have changed while it waited
    """

    def __init__(
        self,
        router: Router,
        asker: Asker,
        consequences: Consequences,
        conversations: Conversations,
        line: Line,
        hedging: Hedging,
        recorder: Recorder,
        clock: Clock,
        limits: Limits,
        suspect_key: Callable[[Route], None],
        renewed: Callable[[Call], Order],
    ) -> None:
        self._router = router
        self._asker = asker
        self._consequences = consequences
        self._conversations = conversations
        self._line = line
        self._hedging = hedging
        self._recorder = recorder
        self._clock = clock
        self._limits = limits
        self._suspect_key = suspect_key
        self._renewed = renewed

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
        finally:
            if call.ticket:
                self._line.leave(call)

    def explain(self, call: Call) -> Explanation:
        """Return what would become of a call; nothing is sent, booked or changed, and no key's turn is taken."""
        now, most = self._clock.now(), self._limits.max_attempts
        sticky = self._conversations.route(call)
        return Explainer(self._router, self._asker, call, sticky, now, most).explain()

    async def _serve(self, call: Call) -> Served:
        so_far = SoFar()
        while (served := await self._walk(call, so_far)) is None:
            closed = self._closed(call)
            if so_far.doubted is not None or self._is_over(call) or not await self._line.wait(call, closed):
                raise refusal(call, self._clock.now(), so_far.doubted)
            call.order = self._renewed(call)
            call.passed_over[:] = [note for note in call.passed_over if note.cause == "request"]
            so_far.again(call.order, {note.route for note in closed if note.route is not None})
        return served

    async def _walk(self, call: Call, so_far: SoFar) -> Served | None:
        """Ask one route after the other until one answers; None when no other is open."""
        candidates = self._router.candidates(
            call.order,
            call.needs,
            self._clock.now,
            sticky=self._conversations.route(call),
            used=TOOLS if call.tool_call_ids else 0,
            tried=so_far.tried,
            avoided=so_far.avoided,
            largest_refused=so_far.refused_windows,
            passed_over=call.passed_over,
        )
        for route, offered in candidates:
            if so_far.doubts(route):
                continue
            demand = offered if self._line.is_empty else self._turn(call, route, offered)
            if demand is None:
                continue
            if call.hedge and not call.tried and self._line.is_empty:
                outcomes = await self._hedging.ask(call, route, demand, self._ask, so_far.tried)
            else:
                outcomes = {route: await self._ask(call, route, demand)}
            for asked, outcome in outcomes.items():
                if isinstance(outcome, Served):
                    self._conversations.answered(call, asked)
                    return outcome
                self._learn(call, so_far, asked, outcome)
            if self._is_over(call):
                break
        return None

    def _turn(self, call: Call, route: Route, offered: Demand) -> Demand | None:
        """Return what a call may take from a route while others wait; None, with a note, when they came first."""
        taken = self._line.take(call, route, offered)
        if isinstance(taken, Demand):
            return taken
        call.passed_over.append(taken)
        return None

    def _learn(self, call: Call, so_far: SoFar, route: Route, outcome: Tried | PassedOver | None) -> None:
        if outcome is None:
            call.passed_over.append(self._taken(call, route))
        elif isinstance(outcome, PassedOver):
            call.passed_over.append(outcome)
            so_far.tried.update(route.entry.routes)  # another key changes nothing about it
        elif (final := so_far.take(outcome)) is not None:
            raise refusal(call, self._clock.now(), final)

    def _taken(self, call: Call, route: Route) -> PassedOver:
        now = self._clock.now()
        taken = PassedOver(route.entry.name, "quota", "its quota was taken meanwhile", now + 1.0, route=route)
        return self._router.closed(route, self._router.demand(route.entry, call.needs), now) or taken

    def _closed(self, call: Call) -> Sequence[PassedOver]:
        """Return the routes that may open: those passed over, and those tried that a limit has closed."""
        now = self._clock.now()
        passing = (
            last.route for last in {tried.route: tried for tried in call.tried}.values() if last.passes
        )
        notes = (
            self._router.closed(route, self._router.demand(route.entry, call.needs), now) for route in passing
        )
        return [*call.passed_over, *(note for note in notes if note is not None)]

    def _is_over(self, call: Call) -> bool:
        return len(call.tried) >= self._limits.max_attempts or self._clock.now() >= call.needs.deadline

    async def _ask(self, call: Call, route: Route, demand: Demand) -> Outcome:
        outcome = await self._asker.ask(call, route, demand, None)
        return outcome if isinstance(outcome, Served) else await self._follow_up(call, route, demand, outcome)

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
        open_ = route.closed_until <= now
        return open_ and len(call.tried) < self._limits.max_attempts and now + 1.0 < call.needs.deadline

    def _note(self, call: Call, route: Route, demand: Demand, tried: Tried) -> None:
        call.tried.append(tried)
        if tried.failure.amend is None:
            self._consequences.draw(route, tried.failure, demand, self._clock.now(), tried.started)
        self._recorder.attempt_failed(call, tried)
        if tried.kind is Kind.BAD_KEY:
            self._suspect_key(route)
