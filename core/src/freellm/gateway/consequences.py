"""What follows from a failure: the table of docs/failures.md as data, and the state it changes. Pure; `now` is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

import msgspec

from freellm.catalogue import Route
from freellm.gateway.lessons import Lessons
from freellm.gateway.refused import Refused, stated_wait
from freellm.health import Health
from freellm.ledger import Demand, Ledger
from freellm.measurements import FAULTS
from freellm.types import Failure, Kind

DAY, HOUR = 86_400.0, 3_600.0

BUSY = 2.0
"""Seconds that a service which was asked too much at once is left alone when it does not say how long."""


class Step(Enum):
    """What the gateway does next."""

    NEXT = "the next route"
    NEXT_PROVIDER = "the next route, this provider's others last"
    RETRY = "the same route once more, then the next"
    STOP = "nothing: the client gets the refusal"
    SECOND_OPINION = "one other provider; the same refusal twice is the client's"


class Rule(msgspec.Struct, frozen=True):
    """One row of the failure table.

    :param step: what the gateway does next
    :param status: the client's HTTP status if nothing else answers
    :param type: OpenAI's `error.type`
    :param code: OpenAI's `error.code`
    :param settle: whether the provider may have spent tokens on it
    """

    step: Step
    status: int
    type: str
    code: str
    settle: bool = False


_LIMIT = ("rate_limit_error", "all_routes_exhausted")
_UPSTREAM = ("upstream_error", "all_routes_failed")

RULES: Mapping[Kind, Rule] = {
    Kind.RATE_LIMITED: Rule(Step.NEXT, 429, *_LIMIT),
    Kind.QUOTA_EXHAUSTED: Rule(Step.NEXT, 429, *_LIMIT),
    Kind.CONCURRENCY: Rule(Step.NEXT, 429, *_LIMIT),
    Kind.TOO_LARGE: Rule(Step.NEXT, 413, "invalid_request_error", "request_too_large"),
    Kind.CONTEXT_EXCEEDED: Rule(Step.NEXT, 400, "invalid_request_error", "context_length_exceeded"),
    Kind.BAD_KEY: Rule(Step.NEXT, 502, *_UPSTREAM),
    Kind.FORBIDDEN: Rule(Step.NEXT, 502, *_UPSTREAM),
    Kind.PAYMENT_REQUIRED: Rule(Step.NEXT, 502, *_UPSTREAM),
    Kind.MODEL_GONE: Rule(Step.NEXT, 404, "invalid_request_error", "model_not_found"),
    Kind.CONTENT_FILTERED: Rule(
        Step.STOP, 400, "invalid_request_error", "content_policy_violation", settle=True
    ),
    Kind.BAD_REQUEST: Rule(Step.SECOND_OPINION, 400, "invalid_request_error", "invalid_request"),
    Kind.OVERLOADED: Rule(Step.RETRY, 502, *_UPSTREAM),
    Kind.TIMEOUT: Rule(Step.NEXT_PROVIDER, 504, "timeout_error", "deadline_exceeded", settle=True),
    Kind.NETWORK: Rule(Step.NEXT_PROVIDER, 502, *_UPSTREAM, settle=True),
    Kind.BAD_ANSWER: Rule(Step.NEXT, 502, *_UPSTREAM, settle=True),
    Kind.CANCELLED: Rule(Step.STOP, 499, "invalid_request_error", "client_closed_request", settle=True),
}


class Consequences:
    """Change what is known after an attempt has failed.

    :param ledger: the quotas
    :param health: the standings
    :param found: called when a quota was found that no provider declares, so that routes are made anew
    """

    __slots__ = ("_effects", "_health", "_lessons")

    def __init__(self, ledger: Ledger, health: Health, found: Callable[[], None] = lambda: None) -> None:
        self._health = health
        self._lessons = Lessons(ledger, found)
        self._effects: Mapping[Kind, Callable[[Refused], None]] = {
            Kind.RATE_LIMITED: self._rate_limited,
            Kind.QUOTA_EXHAUSTED: self._quota_exhausted,
            Kind.CONCURRENCY: self._concurrency,
            Kind.TOO_LARGE: self._too_large,
            Kind.BAD_KEY: self._bad_key,
            Kind.FORBIDDEN: self._forbidden,
            Kind.PAYMENT_REQUIRED: self._payment_required,
            Kind.MODEL_GONE: self._model_gone,
            Kind.OVERLOADED: self._failed,
            Kind.TIMEOUT: self._failed,
            Kind.NETWORK: self._failed,
            Kind.BAD_ANSWER: self._bad_answer,
        }

    def draw(
        self, route: Route, failure: Failure, demand: Demand, now: float, started: float | None = None
    ) -> None:
        """Apply what a failure says about a route to quotas, standings and measurements.

        :param demand: what the attempt had reserved
        :param started: Unix time at which the attempt began; now unless stated
        """
        if failure.kind in FAULTS:
            route.entry.track.failed(now)
        effect = self._effects.get(failure.kind)
        if effect is not None:
            dispatched = now if started is None else started
            effect(Refused(route, failure, demand, stated_wait(failure, now), now, dispatched))

    def _rate_limited(self, refused: Refused) -> None:
        failure, now = refused.failure, refused.now
        self._health.penalize(refused.route.entry.standing, now)
        self._lessons.learn(refused)
        if self._lessons.count(refused):
            return
        if refused.wait is not None and failure.unit is not None and failure.window is not None:
            self._lessons.close(refused)
        self._health.cool(refused.meant, failure.kind, refused.wait, now)

    def _quota_exhausted(self, refused: Refused) -> None:
        self._health.penalize(refused.route.entry.standing, refused.now)
        foreseen = refused.wait is None and self._lessons.foresaw(refused)
        self._lessons.learn(refused)
        if self._lessons.count(refused):
            return
        if foreseen:  # the books know when there is room again, give or take: a pause lets them come to agree
            self._health.cool(refused.meant, refused.failure.kind, None, refused.now)
            return
        closed = self._lessons.close(refused)
        if not closed or refused.failure.scope in ("model", "key", "provider"):
            refused.waits(HOUR)

    def _concurrency(self, refused: Refused) -> None:
        self._lessons.learn(refused)
        refused.waits(BUSY)

    def _too_large(self, refused: Refused) -> None:
        size = refused.demand.input + refused.demand.ceiling
        self._health.refused_size(refused.route.standing, size, refused.now)

    def _bad_key(self, refused: Refused) -> None:
        refused.closes(refused.route.key_standing, 600.0)

    def _forbidden(self, refused: Refused) -> None:
        refused.closes(refused.meant, 6 * HOUR)

    def _payment_required(self, refused: Refused) -> None:
        refused.closes(refused.meant, DAY)

    def _model_gone(self, refused: Refused) -> None:
        self._health.missing(refused.route.entry.standing, refused.route.key.id, refused.now)

    def _failed(self, refused: Refused) -> None:
        model = refused.route.entry.standing
        if refused.wait is not None:
            refused.closes(model, refused.wait)
        self._health.failed(model, refused.failure.kind, refused.now)

    def _bad_answer(self, refused: Refused) -> None:
        self._health.answered_badly(refused.route.entry.standing, refused.now)
