"""What the client is told when no route answered: every route with its reason, and exactly when to come back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from freellm.errors import RequestError
from freellm.gateway.calls import LIMITS, Call, Tried
from freellm.gateway.consequences import RULES, Rule
from freellm.ledger import Demand, Ledger
from freellm.routing import PassedOver
from freellm.types import Json, Kind

ROUTES_TOLD = 20
"""Routes an error lists at most."""

_KIND_OF_CAUSE = {
    "context": Kind.CONTEXT_EXCEEDED,
    "too_large": Kind.TOO_LARGE,
    "quota": Kind.RATE_LIMITED,
}


def refusal(call: Call, now: float, last: Tried | None = None) -> RequestError:
    """Return the error for a call that no route could answer.

    :param now: Unix time
    :param last: the attempt whose refusal is the client's own, if one was
    """
    if last is not None:
        rule = RULES[last.kind]
        return _error(
            call, now, rule, f"{last.route.entry.name} refused the request: {last.failure.message}", last
        )
    if not call.tried and not call.passed_over:
        return RequestError(
            "no provider has a key yet; add one: freellm keys add PROVIDER (freellm plugins lists the providers)",
            status=503,
            type_="service_unavailable",
            code="no_providers_configured",
        )
    rule = _rule(call)
    return _error(call, now, rule, _sentence(call, now, rule), None)


def _rule(call: Call) -> Rule:
    """Choose the row that says most: a limit that passes, then what all routes agree on, then a failed gateway."""
    kinds = {tried.kind for tried in call.tried}
    kinds |= {kind for note in call.passed_over if (kind := note.kind or _KIND_OF_CAUSE.get(note.cause))}
    if kinds & LIMITS:
        return RULES[Kind.RATE_LIMITED]
    if not kinds:
        return Rule(RULES[Kind.BAD_REQUEST].step, 400, "invalid_request_error", "no_capable_model")
    if len(kinds) == 1:
        return RULES[kinds.pop()]
    for kind in (Kind.CONTEXT_EXCEEDED, Kind.TOO_LARGE):
        if kinds <= {Kind.CONTEXT_EXCEEDED, Kind.TOO_LARGE} and kind in kinds:
            return RULES[kind]
    return RULES[Kind.NETWORK]


def _error(call: Call, now: float, rule: Rule, message: str, last: Tried | None) -> RequestError:
    wait = _wait(call, now) if rule.status == 429 else None
    return RequestError(
        message,
        status=rule.status,
        type_=rule.type,
        code=rule.code,
        param=last.failure.param if last is not None else _param(call, rule),
        retry_after=wait,
        details={
            "attempts": [
                {
                    "route": tried.route.entry.name,
                    "class": str(tried.kind),
                    "status": tried.status,
                    "ms": round(tried.ms),
                    "message": tried.failure.message,
                }
                for tried in call.tried
            ],
            "routes": list(_routes(call.passed_over, now)),
            "retry_after_ms": None if wait is None else math.ceil(wait * 1000),
            "queue_ms": round(call.waited * 1000),
        },
    )


def _param(call: Call, rule: Rule) -> str | None:
    return {"context_length_exceeded": call.content_field, "model_not_found": "model"}.get(rule.code)


def _openings(call: Call, now: float) -> Iterable[float]:
    yield from (note.opens_at for note in call.passed_over)
    for tried in call.tried:
        yield max(tried.route.closed_until, Ledger.opening(tried.route.shares, _again(call, tried), now))


def _again(call: Call, tried: Tried) -> Demand:
    """Return what the same request would reserve if it came again: a ceiling that nobody stated is the usual length then."""
    demand = tried.demand
    if demand is None:
        return Demand(call.needs.tokens, 1, 1, call.needs.inputs)
    if call.needs.stated is not None:
        return demand
    return Demand(demand.input, demand.output, min(demand.output, demand.ceiling), demand.requests)


def _wait(call: Call, now: float) -> float:
    """Return the seconds until the first route opens; at least one, when none says."""
    return max(min((at for at in _openings(call, now) if now < at < math.inf), default=now) - now, 1.0)


def _routes(passed_over: Sequence[PassedOver], now: float) -> Iterable[Json]:
    soonest = sorted(passed_over, key=lambda note: note.opens_at)
    for note in soonest[:ROUTES_TOLD]:
        waits = math.isfinite(note.opens_at)
        yield {
            "route": note.name,
            "reason": note.cause,
            "detail": note.detail,
            "available_in_ms": max(0, math.ceil((note.opens_at - now) * 1000)) if waits else None,
        }


def _sentence(call: Call, now: float, rule: Rule) -> str:
    parts = [f"{tried.route.entry.name}: {_said(tried)}" for tried in call.tried[:5]]
    parts += [f"{note.name}: {note.detail}" for note in _distinct(call.passed_over)[: 5 - min(len(parts), 4)]]
    hidden = len(call.tried) + len(call.passed_over) - len(parts)
    more = f" and {hidden} more routes (see error.x_freellm)" if hidden > 0 else ""
    when = f"; the first route opens in {_wait(call, now):.1f} s" if rule.status == 429 else ""
    after = f" within {call.waited:.1f} s in the queue" if call.waited else ""
    return f"no route could answer {call.model!r}{after}{when}. {'; '.join(parts)}{more}"


def _said(tried: Tried) -> str:
    """Say why an attempt failed: in our own words where there are some, else by its kind."""
    if tried.kind is Kind.BAD_KEY:
        return f"its key is refused; replace it: freellm keys add {tried.route.provider.name}"
    return tried.failure.message if tried.status == 0 and tried.failure.message else str(tried.kind)


def _distinct(passed_over: Sequence[PassedOver]) -> list[PassedOver]:
    return list({(note.name, note.cause): note for note in reversed(passed_over)}.values())[::-1]
