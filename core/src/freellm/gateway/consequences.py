"""What follows from a failure: the table of docs/failures.md as data, and the state it changes. Pure; `now` is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

import msgspec

from freellm.catalogue import Route
from freellm.gateway.undeclared import undeclared
from freellm.health import Health, Standing
from freellm.ledger import Demand, Ledger, Pool
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


class _Refused(msgspec.Struct, frozen=True):
    """A failed attempt as its consequences see it.

    :param wait: seconds the service stated, within reason
    :param dispatched: Unix time at which the attempt began
    """

    route: Route
    failure: Failure
    demand: Demand
    wait: float | None
    now: float
    dispatched: float

    def closes(self, standing: Standing, seconds: float, *, stated: bool = True) -> None:
        standing.close(self.now + seconds, self.failure.kind, stated=stated, at=self.now)

    def waits(self, guess: float) -> None:
        """Close what the refusal speaks for: as long as is stated, else for a guess."""
        seconds = guess if self.wait is None else self.wait
        self.closes(self.meant, seconds, stated=self.wait is not None)

    @property
    def meant(self) -> Standing:
        """What the refusal speaks for."""
        route, scope = self.route, self.failure.scope
        scopes: Mapping[str, Standing] = {
            "model": route.entry.standing,
            "key": route.key_standing,
            "account": route.key_standing,
            "ip": route.provider_standing,
            "provider": route.provider_standing,
        }
        return scopes.get(scope, route.standing)

    @property
    def unit(self) -> str | None:
        """The unit it names."""
        return "concurrent" if self.failure.kind is Kind.CONCURRENCY else self.failure.unit


class Consequences:
    """Change what is known after an attempt has failed.

    :param ledger: the quotas
    :param health: the standings
    :param found: called when a quota was found that no provider declares, so that routes are made anew
    """

    __slots__ = ("_effects", "_found", "_health", "_ledger")

    def __init__(self, ledger: Ledger, health: Health, found: Callable[[], None] = lambda: None) -> None:
        self._ledger = ledger
        self._health = health
        self._found = found
        self._effects: Mapping[Kind, Callable[[_Refused], None]] = {
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
            effect(_Refused(route, failure, demand, _wait(failure, now), now, dispatched))

    def _rate_limited(self, refused: _Refused) -> None:
        failure, now = refused.failure, refused.now
        self._health.penalize(refused.route.entry.standing, now)
        self._learn(refused)
        if refused.wait is not None and failure.unit is not None and failure.window is not None:
            self._close_pools(refused)
        self._health.cool(refused.meant, failure.kind, refused.wait, now)

    def _quota_exhausted(self, refused: _Refused) -> None:
        self._health.penalize(refused.route.entry.standing, refused.now)
        self._learn(refused)
        closed = self._close_pools(refused)
        if not closed or refused.failure.scope in ("model", "key", "provider"):
            refused.waits(HOUR)

    def _concurrency(self, refused: _Refused) -> None:
        self._learn(refused)
        refused.waits(BUSY)

    def _too_large(self, refused: _Refused) -> None:
        size = refused.demand.input + refused.demand.ceiling
        self._health.refused_size(refused.route.standing, size, refused.now)

    def _bad_key(self, refused: _Refused) -> None:
        refused.closes(refused.route.key_standing, 600.0)

    def _forbidden(self, refused: _Refused) -> None:
        refused.closes(refused.meant, 6 * HOUR)

    def _payment_required(self, refused: _Refused) -> None:
        refused.closes(refused.meant, DAY)

    def _model_gone(self, refused: _Refused) -> None:
        self._health.missing(refused.route.entry.standing, refused.route.key.id, refused.now)

    def _failed(self, refused: _Refused) -> None:
        model = refused.route.entry.standing
        if refused.wait is not None:
            refused.closes(model, refused.wait)
        self._health.failed(model, refused.failure.kind, refused.now)

    def _bad_answer(self, refused: _Refused) -> None:
        self._health.answered_badly(refused.route.entry.standing, refused.now)

    def _close_pools(self, refused: _Refused) -> Sequence[Pool]:
        failure, now = refused.failure, refused.now
        return self._ledger.close(
            refused.route.shares,
            now,
            until=None if refused.wait is None else now + refused.wait,
            unit=failure.unit,
            window=failure.window,
            limit=failure.limit,
            scope=failure.scope,
        )

    def _learn(self, refused: _Refused) -> None:
        if refused.failure.limit is None:
            # What speaks for a model with every key is no quota of ours: the service is full.
            if refused.failure.scope != "model":
                self._discover(refused)
        elif refused.unit is not None and refused.failure.kind is not Kind.QUOTA_EXHAUSTED:
            self._ledger.learn(
                refused.route.shares,
                refused.now,
                unit=refused.unit,
                window=refused.failure.window,
                limit=refused.failure.limit,
                evidence=f"{refused.route.entry.name} answered {refused.failure.kind}",
                scope=refused.failure.scope,
            )
        self._ledger.believe(refused.route.shares, refused.now)

    def _discover(self, refused: _Refused) -> None:
        route, failure, unit = refused.route, refused.failure, refused.unit
        suspect = self._ledger.discover(
            route.shares,
            refused.demand,
            refused.now,
            unit=unit,
            window=failure.window,
            wait=refused.wait,
            scope=failure.scope,
            long=failure.kind is Kind.QUOTA_EXHAUSTED,
            dispatched=refused.dispatched,
        )
        if suspect is None:
            quota = undeclared(route.model, failure, unit, refused.wait, refused.now)
            if self._ledger.find(route.provider.name, quota):
                self._found()


def _wait(failure: Failure, now: float) -> float | None:
    """Return the seconds the service stated, within a second and a day; a reset time may be a month away."""
    if failure.resets_at is not None:
        return min(max(failure.resets_at - now, 1.0), 32 * DAY)
    if failure.retry_after is not None:
        return min(max(failure.retry_after, 1.0), DAY)
    return None
