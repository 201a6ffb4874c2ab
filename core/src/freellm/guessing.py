"""What is tried when nothing else is left: routes that nothing but guesses of our own keep closed. Pure.

Guesses are cooldowns that nobody stated, open breakers, and books that may be too cautious. Each is put to the test
once: whoever finds it right makes it hold until it has run out. A breaker costs no quota and is tested again, but three
routes at most for one request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from freellm.catalogue import Entry, Route
from freellm.health import Standing
from freellm.ledger import Demand, Ledger, Share
from freellm.types import Kind

BREAKER_KINDS = frozenset({Kind.OVERLOADED, Kind.TIMEOUT, Kind.NETWORK, Kind.BAD_ANSWER})
"""Causes of failures that cost no quota."""

LEAST = Demand(0, 0, 0)
"""What no request takes less than."""

RETESTS = 3
"""Routes behind breakers which a test has found right that are tried all the same for one request."""


def doubtful(
    entries: Sequence[Entry],
    demand_of: Callable[[Entry], Demand],
    ledger: Ledger,
    now: Callable[[], float],
    began: float,
) -> Iterator[tuple[Route, Demand]]:
    """Iterate over the routes that only guesses keep closed, the soonest to open first.

    :param entries: whose models can do what is asked
    :param demand_of: returns what the request takes from an entry's pools
    :param began: Unix time at which the request began: what it brought about itself is no guess
    """
    moment = now()
    routes = [route for entry in entries for route in entry.routes if _only_guesses(route, moment, began)]
    if _none_fits(routes, demand_of, ledger, moment):
        return
    retests = 0
    for route in sorted(routes, key=lambda route: (route.closed_until, route.name)):
        demand = _demand(route, demand_of(route.entry), ledger, now())
        if demand is None or not _only_guesses(route, now(), began):
            continue
        again = any(standing.tested for standing in _closing(route, now()))
        if not again or retests < RETESTS:
            retests += again
            yield route, demand


def _none_fits(
    routes: Iterable[Route], demand_of: Callable[[Entry], Demand], ledger: Ledger, now: float
) -> bool:
    """Tell whether no route has room even if our books are too cautious, which is the rule when quota is scarce."""
    full: set[Sequence[Share]] = set()
    for route in routes:
        shares = route.shares
        if shares in full:
            continue
        guessed = ledger.is_guessed(shares)
        if not guessed and not ledger.may_fit(shares, LEAST, now):
            full.add(shares)
            continue
        if _demand(route, demand_of(route.entry), ledger, now) is not None:
            return False
    return True


def _demand(route: Route, demand: Demand, ledger: Ledger, now: float) -> Demand | None:
    """Return what to reserve; None when the route has no room even if our books are too cautious."""
    if route.standing.refuses(demand.input + demand.ceiling, now):
        return None
    # Asked first: a limit that is a guess is raised by that, which may leave nothing but doubts.
    if ledger.opening(route.shares, demand, now) <= now:
        return demand
    return msgspec.structs.replace(demand, daring=True) if ledger.may_fit(route.shares, demand, now) else None


def _closing(route: Route, now: float) -> list[Standing]:
    return [standing for standing in route.standings() if standing.closed_until > now]


def _only_guesses(route: Route, now: float, began: float) -> bool:
    return route.closed_until <= now or all(
        not standing.stated
        and standing.closed_at < began
        and (standing.cause in BREAKER_KINDS or not standing.tested)
        for standing in _closing(route, now)
    )
