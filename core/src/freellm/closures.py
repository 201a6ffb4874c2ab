"""What keeps a route closed at the moment. Pure.

A walk over the routes finds most of them closed when quota is scarce, and many for one reason: they draw the same on
the same pools. As long as nobody is asked nothing changes, so what one of them was found closed by closes the others.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from freellm.catalogue import Route
from freellm.ledger import Demand, Obstacle, Share
from freellm.reasons import Cause, PassedOver, cooling, spent

Known: TypeAlias = dict[tuple[Share, ...] | tuple[tuple[Share, ...], Demand], PassedOver]
"""What quotas were found to have no room for at one moment: by the shares of a route, and by the demand too where it
matters."""


def resting(route: Route, now: float) -> PassedOver | None:
    """Return what closes a route whatever is asked of it, and is no quota; None when nothing does."""
    standing = route.closed_by(now)
    if standing is None:
        return None
    said = partial(cooling, standing.name, standing.cause, standing.stated)
    until, kind = standing.closed_until, standing.cause
    return PassedOver(route.entry.name, "cooldown", said, until, kind, route.key.id, route)


def full(route: Route, obstacle: Obstacle) -> PassedOver:
    """Say that a quota has no room."""
    cause: Cause = "too_large" if obstacle.cause == "too_large" else "quota"
    said = partial(spent, obstacle)
    return PassedOver(route.entry.name, cause, said, obstacle.opens_at, None, route.key.id, route)


def full_alike(route: Route, note: PassedOver) -> PassedOver:
    """Say of a route what was said of one that draws the same on the same pools."""
    return PassedOver(route.entry.name, note.cause, note.said, note.opens_at, None, route.key.id, route)


def closed_alike(route: Route, known: Known, now: float) -> PassedOver | None:
    """Return what closes a route, as far as that is known without asking what the request takes from it."""
    note = resting(route, now)
    if note is not None or route.metered or route.standing.too_large_until > now:
        return note
    alike = known.get(route.shares)
    return None if alike is None else full_alike(route, alike)
