"""What keeps routes closed at the moment.

A walk over the routes finds most of them closed when quota is scarce, and the same ones again for the next request. What a
quota was found to have no room for is therefore remembered, for all routes that draw the same on the same pools, until
something expires there or is given back.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from freellm.catalogue import Route
from freellm.ledger import Demand, Ledger, Obstacle, Share
from freellm.reasons import Cause, PassedOver, cooling, spent

_MOST: Final = 10_000
"""Combinations of pools of which something is remembered, at most."""


class _Shut(NamedTuple):
    """A quota that has no room.

    :param share: the pool that keeps a request out for the longest time, as the routes draw on it
    :param others: the routes' other pools
    :param amount: what the request needed of it
    :param used: what was spent of it
    :param ceiling: what it might have reached
    :param closed_until: Unix time until which the service had said that it is exhausted; 0: it had not
    :param edge: Unix time at which the next part of what was spent expires
    :param note: what was said of the route that was looked at
    """

    share: Share
    others: tuple[Share, ...]
    amount: float
    used: float
    ceiling: float
    closed_until: float
    edge: float
    note: PassedOver

    def holds(self, demand: Demand, now: float) -> bool:
        """Tell whether it keeps a demand out just as long, and nothing else does, which might for longer."""
        share, pool = self.share, self.share.pool
        if now >= self.edge or pool.counter.used != self.used:
            return False
        if pool.ceiling != self.ceiling or pool.closed_until != self.closed_until:
            return False
        if share.metered and share.amount(demand) != self.amount:
            return False
        return Ledger.fits(self.others, demand, now)


class Closures:
    """What quotas were found to have no room for."""

    __slots__ = ("_shut",)

    def __init__(self) -> None:
        self._shut: dict[tuple[Share, ...], _Shut] = {}

    def find(self, route: Route, demand: Demand, now: float) -> PassedOver | None:
        """Return which quota keeps a route closed, if it is known that one does: the same that a new look would find."""
        shut = self._shut.get(route.shares)
        if shut is None or not shut.holds(demand, now):
            return None
        known = shut.note
        return PassedOver(
            route.entry.name, known.cause, known.said, known.opens_at, None, route.key.id, route
        )

    def add(self, route: Route, demand: Demand, obstacle: Obstacle) -> PassedOver:
        """Say that a quota has no room, and remember it.

        Neither is remembered what may end at any moment, nor a limit that is a guess, which each request that it keeps
        out may raise.
        """
        note, shares, share = full(route, obstacle), route.shares, obstacle.share
        pool = share.pool
        guessed = pool.learned is not None and pool.learned.guess is not None
        if not share.concurrent and not guessed:
            if len(self._shut) >= _MOST:
                self._shut.clear()
            self._shut[shares] = _Shut(
                share=share,
                others=tuple([other for other in shares if other is not share]),
                amount=share.amount(demand),
                used=pool.counter.used,
                ceiling=pool.ceiling,
                closed_until=pool.closed_until,
                edge=pool.edge,
                note=note,
            )
        return note


def resting(route: Route, now: float) -> PassedOver | None:
    """Return what closes a route whatever is asked of it, and is no quota; None when nothing does."""
    standing = route.closed_by(now)
    if standing is None:
        return None
    said = partial(cooling, standing.name, standing.cause, standing.stated)
    until, kind = standing.closed_until, standing.cause
    return PassedOver(route.entry.name, "cooldown", said, until, kind, route.key.id, route)


def oversized(route: Route, demand: Demand, now: float) -> PassedOver | None:
    """Return that a request is as large as one that the route refused for its size; None when it is not."""
    standing = route.standing
    if standing.too_large_until <= now or not standing.refuses(demand.input + demand.ceiling, now):
        return None
    detail = f"it refused {standing.too_large} tokens as too large"
    return PassedOver(route.entry.name, "too_large", detail, standing.too_large_until, key=route.key.id)


def full(route: Route, obstacle: Obstacle) -> PassedOver:
    """Say that a quota has no room."""
    cause: Cause = "too_large" if obstacle.cause == "too_large" else "quota"
    said = partial(spent, obstacle)
    return PassedOver(route.entry.name, cause, said, obstacle.opens_at, None, route.key.id, route)
