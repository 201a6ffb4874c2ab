"""Why a route would, or would not, serve a request: everything that decides it, as data. Pure; `now` is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from freellm.catalogue import ABILITY_BITS, Entry, Route
from freellm.forecasts import PoolForecast, forecast
from freellm.health import Health, Standing
from freellm.ledger import Demand, Share
from freellm.routing import Needs, PassedOver

Verdict: TypeAlias = Literal["serves", "next", "closed", "unable"]
"""`serves`: it is asked first. `next`: it is open, and asked when those before it fail. `closed`: not at the moment.
`unable`: not this request, whenever it comes."""

Breaker: TypeAlias = Literal["closed", "open", "half-open"]
"""As in electricity: `closed` lets requests pass, `half-open` lets them pass and opens at the first failure."""


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What a request would take from one of a route's pools.

    :param forecast: the pool
    :param reserves: what is booked when the request is sent
    :param fits: whether that much is left
    :param opens_at: Unix time at which it will be; None: it is now, or never
    """

    forecast: PoolForecast
    reserves: float
    fits: bool
    opens_at: float | None


class Cooldown(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a route closed.

    :param what: the route, the model, the key or the provider, such as `model lab/a`: the name by which it is cleared
    :param kind: the kind of failure that brought it
    :param stated: whether the service said for how long; else it is a guess
    :param until: Unix time
    """

    what: str
    kind: str | None
    stated: bool
    until: float


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One route, and why it would or would not serve the request.

    :param route: `provider/model`, as in `X-Routed-Via`
    :param provider: the provider instance
    :param model: the provider's own id of the model
    :param key: the key's id; None: the entry has no route of its own to show
    :param label: what the user calls the key
    :param verdict: whether it serves
    :param reason: for a route that is passed over, if only until guesses are put to the test, why, for programs
    :param detail: why, for people
    :param opens_at: Unix time at which it will do; None: now, or waiting does not help
    :param input_tokens: what is reserved for the input, as this model counts
    :param output_tokens: what is reserved for the output
    :param max_tokens: the ceiling that is reserved where the service charges one
    :param context: tokens of the model's window; None is unknown
    :param missing: the abilities that the request needs and the model lacks
    :param penalty: places it is sunk by
    :param breaker: the state of the model's breaker
    :param cooldowns: what keeps it closed
    :param refused_tokens: the size that it refused lately; it gets none as large
    :param quotas: its pools
    """

    route: str
    provider: str
    model: str
    key: str | None
    label: str | None
    verdict: Verdict
    reason: str | None
    detail: str
    opens_at: float | None
    input_tokens: int
    output_tokens: int
    max_tokens: int
    context: int | None
    missing: Sequence[str]
    penalty: float
    breaker: Breaker
    cooldowns: Sequence[Cooldown]
    refused_tokens: int | None
    quotas: Sequence[Quota]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of a request.

    :param requested: the `model` it asks for
    :param at: Unix time it is true of
    :param serves: the route that is asked first; None: none is open
    :param sticky: the route that answered the conversation last, if it is known
    :param refusal: when none is open, what the client is told
    :param routes: every route, in order
    """

    requested: str
    at: float
    serves: str | None
    sticky: str | None
    refusal: str | None
    routes: Sequence[Explained]


def explained(
    route: Route, demand: Demand, needs: Needs, now: float, note: PassedOver | str, verdict: Verdict
) -> Explained:
    """Return a route with everything that decides about it.

    :param note: why it is passed over; for one that is not, what is to be said of it
    """
    entry = route.entry
    said = note if isinstance(note, PassedOver) else None
    refused = route.standing.too_large_until > now
    return Explained(
        route=entry.name,
        provider=entry.provider.name,
        model=entry.model.id,
        key=route.key.id,
        label=route.key.label,
        verdict=verdict,
        reason=said.cause if said else None,
        detail=said.detail if said else str(note),
        opens_at=said.opens_at if said and math.isfinite(said.opens_at) else None,
        input_tokens=demand.input,
        output_tokens=demand.output,
        max_tokens=demand.ceiling,
        context=entry.model.context,
        missing=_missing(entry, needs),
        penalty=entry.standing.penalty(now),
        breaker=_breaker(entry.standing, now),
        cooldowns=[_cooldown(one) for one in route.standings() if one.closed_until > now],
        refused_tokens=route.standing.too_large if refused else None,
        quotas=[_quota(share, demand, now) for share in route.shares],
    )


def left_out(note: PassedOver) -> Explained:
    """Return an entry that is no part of the request's order, of which only the reason is known."""
    provider, _, model = note.name.partition("/")
    return Explained(
        route=note.name,
        provider=provider,
        model=model,
        key=note.key,
        label=None,
        verdict="unable",
        reason=note.cause,
        detail=note.detail,
        opens_at=None,
        input_tokens=0,
        output_tokens=0,
        max_tokens=0,
        context=None,
        missing=(),
        penalty=0.0,
        breaker="closed",
        cooldowns=(),
        refused_tokens=None,
        quotas=(),
    )


def cooldowns(health: Health, now: float) -> list[Cooldown]:
    """Return everything that is closed, the next to open first."""
    return [_cooldown(one) for one in sorted(health.closed(now), key=lambda one: one.closed_until)]


def _missing(entry: Entry, needs: Needs) -> Sequence[str]:
    return [ability for ability, bit in ABILITY_BITS.items() if needs.mask & ~entry.mask & bit]


def _breaker(standing: Standing, now: float) -> Breaker:
    if not standing.opened:
        return "closed"
    return "open" if standing.closed_until > now else "half-open"


def _cooldown(standing: Standing) -> Cooldown:
    kind = None if standing.cause is None else str(standing.cause)
    return Cooldown(what=standing.name, kind=kind, stated=standing.stated, until=standing.closed_until)


def _quota(share: Share, demand: Demand, now: float) -> Quota:
    shown = forecast(share.pool, now, unlimited=share.unlimited)
    amount = share.amount(demand)
    opens = share.pool.opening(amount, now, share.unlimited)
    fits = opens <= now
    waits = not fits and math.isfinite(opens)
    return Quota(forecast=shown, reserves=amount, fits=fits, opens_at=opens if waits else None)
