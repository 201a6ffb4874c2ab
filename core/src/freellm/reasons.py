"""Why a route will not do at the moment, for programs and in words for people. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec

from freellm.catalogue import ABILITY_BITS, Route
from freellm.ledger import Obstacle
from freellm.types import Kind

Cause: TypeAlias = Literal["ability", "context", "too_large", "quota", "cooldown", "request", "filter"]
"""Why a route is passed over; `request`: its provider cannot say this request to this model; `filter`: the request, or
the profile it asks for, leaves it out."""


_SPANS: Final = {
    1.0: "second",
    60.0: "minute",
    3600.0: "hour",
    86_400.0: "day",
    604_800.0: "week",
    2_592_000.0: "month",
}


class PassedOver(msgspec.Struct, frozen=True, gc=False):
    """A route or an entry that will not do for a request at the moment.

    :param name: the entry's name
    :param cause: why, for programs
    :param said: why, for people, or what says it when it is asked for: most are never read
    :param opens_at: Unix time at which it will do; infinity when waiting does not help
    :param kind: for a cooldown, the kind of failure that brought it
    :param key: the id of the route's key; None: every key of the entry
    :param route: the route, if it is one that opens again
    """

    name: str
    cause: Cause
    said: str | Callable[[], str]
    opens_at: float
    kind: Kind | None = None
    key: str | None = None
    route: Route | None = None

    @property
    def detail(self) -> str:
        """Why, for people."""
        return self.said if isinstance(self.said, str) else self.said()


def cooling(name: str, cause: Kind | None, stated: bool) -> str:
    """Say that something is closed, and whether the service said so."""
    return f"{name} is closed: {cause} ({'stated' if stated else 'guessed'})"


def spent(obstacle: Obstacle) -> str:
    """Say which quota has no room, as it was when the route was passed over."""
    quota = obstacle.share.pool.quota
    window = span(quota.window)
    if obstacle.cause == "closed":
        return f"its {quota.unit} {window} are exhausted, the service says"
    limit = "?" if obstacle.limit is None else f"{obstacle.limit:g}"
    if obstacle.cause == "too_large":
        return f"the request is larger than {limit} {quota.unit} {window}"
    if quota.window is None:
        return f"{obstacle.used:g} of {limit} at once in use"
    return f"{obstacle.used:g} of {limit} {quota.unit} {window} are used"


def span(window: float | None) -> str:
    """Return a window in words, such as `per minute`."""
    return "at once" if window is None else f"per {_SPANS.get(window, f'{window:g} s')}"


def abilities(mask: int) -> str:
    """Say which abilities are missing."""
    missing = [ability for ability, bit in ABILITY_BITS.items() if mask & bit]
    return f"it lacks {', '.join(missing)}"
