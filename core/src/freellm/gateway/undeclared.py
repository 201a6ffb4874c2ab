"""Quotas that no provider declares, made from the refusals that show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from freellm.declarations import DAY, MINUTE, Model, Quota
from freellm.ledger import FOUND
from freellm.types import Failure, Kind, Scope

Owner: TypeAlias = Literal["key", "account", "ip"]

_LENGTHS: Final = (MINUTE, 3_600.0, DAY, 7 * DAY, 30 * DAY)
"""Seconds of the windows that services count by."""

_OWNERS: Final[Mapping[Scope, Owner]] = {"account": "account", "ip": "ip", "provider": "ip"}


def undeclared(model: Model, failure: Failure, unit: str | None, wait: float | None, now: float) -> Quota:
    """Return the quota that a refusal speaks of, with an unknown limit.

    What it does not name is taken for what services mean most often: requests, of a minute when it is a rate limit
    and of a day when a quota is exhausted, in a window that is no shorter than the stated wait.

    :param model: the model that was asked
    :param unit: the unit it names
    :param wait: seconds after which it asks to come back, if it states them
    """
    unit = unit or "requests"
    least = max(wait or 0.0, DAY if failure.kind is Kind.QUOTA_EXHAUSTED else MINUTE)
    window = failure.window or next((length for length in _LENGTHS if length >= least), _LENGTHS[-1])
    return Quota(
        unit=unit,
        window=None if unit == "concurrent" else window,
        clock="unknown",
        scope=_OWNERS.get(failure.scope, "key"),
        members=(model.id,) if failure.scope in ("route", "model") else (),
        source=FOUND,
        checked=datetime.fromtimestamp(now, UTC).date().isoformat(),
    )
