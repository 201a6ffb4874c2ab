"""What follows from a failure: the table of docs/failures.md as data, and the state it changes. Pure; `now` is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

import msgspec

from freellm.catalogue import Route
from freellm.health import Health, Standing
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
    """

    __slots__ = ("_effects", "_health", "_ledger")

    def __init__(self, ledger: Ledger, health: Health) -> None:
        self._ledger = ledger
        self._health = health
        self._effects: Mapping[Kind, Callable[[Route, Failure, Demand, float], None]] = {
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

    def draw(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        """Apply what a failure says about a route to quotas, standings and measurements.

        :param demand: what the attempt had reserved
        """
        if failure.kind in FAULTS:
            route.entry.track.failed(now)
        effect = self._effects.get(failure.kind)
        if effect is not None:
            effect(route, failure, demand, now)

    def _rate_limited(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        self._health.penalize(route.entry.standing, now)
        self._health.cool(_closed_by(route, failure), failure.kind, _wait(failure, now), now)
        self._learn(route, failure, now)

    def _quota_exhausted(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        self._health.penalize(route.entry.standing, now)
        wait = _wait(failure, now)
        closed = self._ledger.close(
            route.shares,
            now,
            until=None if wait is None else now + wait,
            unit=failure.unit,
            window=failure.window,
            limit=failure.limit,
            scope=failure.scope,
        )
        if not closed or failure.scope in ("model", "key", "provider"):
            until = now + (HOUR if wait is None else wait)
            _closed_by(route, failure).close(until, failure.kind, stated=wait is not None)

    def _concurrency(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        self._learn(route, failure, now)
        wait = _wait(failure, now)
        until = now + (BUSY if wait is None else wait)
        _closed_by(route, failure).close(until, failure.kind, stated=wait is not None)

    def _too_large(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        self._health.refused_size(route.standing, demand.input + demand.ceiling, now)

    def _bad_key(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        route.key_standing.close(now + 600.0, failure.kind, stated=True)

    def _forbidden(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        _closed_by(route, failure).close(now + 6 * HOUR, failure.kind, stated=True)

    def _payment_required(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        _closed_by(route, failure).close(now + DAY, failure.kind, stated=True)

    def _model_gone(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        self._health.missing(route.entry.standing, route.key.id, now)

    def _failed(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        if (wait := _wait(failure, now)) is not None:
            route.entry.standing.close(now + wait, failure.kind, stated=True)
        self._health.failed(route.entry.standing, failure.kind, now)

    def _bad_answer(self, route: Route, failure: Failure, demand: Demand, now: float) -> None:
        self._health.answered_badly(route.entry.standing, now)

    def _learn(self, route: Route, failure: Failure, now: float) -> None:
        if failure.limit is not None and failure.unit is not None:
            self._ledger.learn(
                route.shares,
                now,
                unit=failure.unit,
                window=failure.window,
                limit=failure.limit,
                evidence=f"{route.entry.name} answered {failure.kind}",
                scope=failure.scope,
            )


def _closed_by(route: Route, failure: Failure) -> Standing:
    scopes: Mapping[str, Standing] = {
        "model": route.entry.standing,
        "key": route.key_standing,
        "account": route.key_standing,
        "ip": route.provider_standing,
        "provider": route.provider_standing,
    }
    return scopes.get(failure.scope, route.standing)


def _wait(failure: Failure, now: float) -> float | None:
    """Return the seconds the service stated, within a second and a day; a reset time may be a month away."""
    if failure.resets_at is not None:
        return min(max(failure.resets_at - now, 1.0), 32 * DAY)
    if failure.retry_after is not None:
        return min(max(failure.retry_after, 1.0), DAY)
    return None
