"""Quotas in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from freellm.administration.limits import SPANS

_SIZES: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_MODELS_NAMED: Final = 3


def amount(figure: float) -> str:
    """Return a figure with at most one decimal."""
    return f"{round(figure, 1):,.10g}"


def lasting(seconds: float) -> str:
    """Return how long something lasts, in its two largest units, such as `3 h 10 min`."""
    rest = max(math.ceil(seconds), 0)
    parts = []
    for size, unit in _SIZES:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(parts[:2]) or "0 s"


def counted(pool: Mapping[str, Any]) -> str:
    """Return what a pool counts, and over what time, such as `requests/min`."""
    if pool["window"] is None:
        return "requests at once"
    if pool["clock"] == "month":
        return f"{pool['unit']}/month"
    window = pool["window"]
    return f"{pool['unit']}/{SPANS.get(window, lasting(window))}"


def limit(pool: Mapping[str, Any]) -> str:
    """Return a pool's limit, such as `30 requests/min`."""
    known = "?" if pool["limit"] is None else amount(pool["limit"])
    return f"{known} {counted(pool)}"


def rate(pool: Mapping[str, Any]) -> str | None:
    """Return how fast a pool is spent, in a unit of time that makes a readable figure."""
    burn = pool["burn_rate"]
    for seconds, unit in ((1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "day")):
        if burn * seconds >= 1 or (unit == "day" and burn * seconds >= 0.1):
            return f"{amount(burn * seconds)}/{unit}"
    return None


def lasts(pool: Mapping[str, Any], now: float) -> str | None:
    """Return how long a pool lasts at its rate; None when there is nothing to say."""
    if pool["closed_until"] is not None:
        return f"closed by the service for {lasting(pool['closed_until'] - now)}"
    if pool["exhausted_at"] is not None:
        wait = pool["exhausted_at"] - now
        return f"in {lasting(wait)}" if wait > 0 else "now"
    if pool["unlimited"]:
        return "never: a key without limits"
    if pool["limit"] is None or pool["window"] is None or rate(pool) is None:
        return None
    return "not before it resets"


def source(pool: Mapping[str, Any], now: float) -> str | None:
    """Return where a limit is from; of a declared one, when it was read, as it is told in full with the models."""
    if pool["stated"] == "learned":
        held = f"; believed for {lasting(pool['believed_until'] - now)}" if pool["believed_until"] else ""
        return f"learned: {pool['evidence']}{held}"
    if pool["stated"] == "declared":
        return f"declared, read on {pool['checked']}"
    return f"{pool['stated']}: {pool['evidence']}"


def models(members: Sequence[str]) -> str:
    """Return which models share a pool."""
    if not members:
        return "all"
    named = ", ".join(members[:_MODELS_NAMED])
    more = len(members) - _MODELS_NAMED
    return f"{named} and {more} more" if more > 0 else named
