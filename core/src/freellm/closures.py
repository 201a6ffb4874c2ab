"""What keeps routes closed at the moment.

A walk over the routes finds most of them closed when quota is scarce, and the same ones again for the next request. What a
quota was found to have no room for is therefore remembered, for all routes that draw the same on the same pools, until
something expires there or is given back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from freellm.catalogue import Route
from freellm.ledger import Demand, Obstacle, Share
from freellm.reasons import Cause, PassedOver, cooling, spent

_MOST: Final = 10_000
"""Combinations of pools of which something is remembered, at most."""


class _Shut(NamedTuple):
    """A quota that has no room.

    :param share: the pool that keeps a request out for the longest time, as the routes draw on it
    :param amount: what the request needed of it
    :param used: what was spent of it
    :param room: what it might have reached
    :param edge: Unix time at which the next part of what was spent expires
    """

    share: Share
    amount: float
    used: float
    room: float
    edge: float
    cause: Cause
    said: str | Callable[[], str]
    opens_at: float

    def holds(self, demand: Demand | None, now: float) -> bool:
        """Tell whether it has no room for a demand either; for any demand if it is None."""
        share, pool = self.share, self.share.pool
        if share.metered and (demand is None or share.amount(demand) < self.amount):
            return False
        return now < self.edge and pool.counter.used == self.used and pool.room == self.room


class Closures:
    """What quotas were found to have no room for.

    The moment at which one opens may be a little early when it is said again: another pool of the same routes may keep
    them closed for longer by then.
    """

    __slots__ = ("_shut",)

    def __init__(self) -> None:
        self._shut: dict[tuple[Share, ...], _Shut] = {}

    def find(self, route: Route, demand: Demand | None, now: float) -> PassedOver | None:
        """Return which quota keeps a route closed, if it is known that one does.

        :param demand: what is asked of the route; None for what closes it whatever is asked
        """
        shut = self._shut.get(route.shares)
        if shut is None or not shut.holds(demand, now):
            return None
        return PassedOver(route.entry.name, shut.cause, shut.said, shut.opens_at, None, route.key.id, route)

    def add(self, route: Route, demand: Demand, obstacle: Obstacle) -> PassedOver:
        """Say that a quota has no room, and remember it.

        Neither is remembered what may end at any moment, nor a limit that is a guess, which each request that it keeps
        out may raise.
        """
        note = full(route, obstacle)
        share = next(share for share in route.shares if share.pool.identity == obstacle.pool)
        pool = share.pool
        guessed = pool.learned is not None and pool.learned.guess is not None
        if obstacle.window is not None and not guessed:
            if len(self._shut) >= _MOST:
                self._shut.clear()
            self._shut[route.shares] = _Shut(
                share=share,
                amount=share.amount(demand),
                used=pool.counter.used,
                room=pool.room,
                edge=pool.edge,
                cause=note.cause,
                said=note.said,
                opens_at=obstacle.opens_at,
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
