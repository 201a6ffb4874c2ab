"""Quotas that no provider declares, made from the refusals that show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from freellm.declarations import DAY, MINUTE, Model, Quota
from freellm.ledger import FOUND
from freellm.types import Failure, Kind, Scope

Owner: TypeAlias = Literal["key", "account", "ip"]

_LENGTHS: Final = (MINUTE, 3_600.0, DAY, 7 * DAY, 30 * DAY)
"""Seconds of the windows that services count by."""

_OWNERS: Final[Mapping[Scope, Owner]] = {"account": "account", "ip": "ip", "provider": "ip"}


def undeclared(
    model: Model, failure: Failure, unit: str | None, wait: float | None, now: float, others: Sequence[Quota]
) -> Quota:
    """Return the quota that a refusal speaks of, with an unknown limit.

    What it does not name is taken for what services mean most often: requests, of a minute when it is a rate limit
    and of a day when a quota is exhausted, in a window that is no shorter than the stated wait. When it starts over, whose
    it is and what is charged are the same as with the provider's other quotas of that unit and window, if there are any.

    :param model: the model that was asked
    :param unit: the unit it names
    :param wait: seconds after which it asks to come back, if it states them
    :param others: the quotas that the provider declares, for other models
    """
    unit = unit or "requests"
    least = max(wait or 0.0, DAY if failure.kind is Kind.QUOTA_EXHAUSTED else MINUTE)
    usual = next((length for length in _LENGTHS if length >= least), _LENGTHS[-1])
    window = None if unit == "concurrent" else failure.window or usual
    alike = next((quota for quota in others if quota.unit == unit and quota.window == window), None)
    owner = _OWNERS.get(failure.scope)
    return Quota(
        unit=unit,
        window=window,
        clock=alike.clock if alike else "unknown",
        scope=owner or (alike.scope if alike else "key"),
        members=(model.id,) if failure.scope in ("route", "model") else (),
        charge=alike.charge if alike else "actual",
        source=FOUND,
        checked=datetime.fromtimestamp(now, UTC).date().isoformat(),
    )
