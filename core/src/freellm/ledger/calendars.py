"""Where a calendar clock's periods begin and end: a UTC day, a Pacific day, a UTC month.

Asked once per period and pool, because a counter keeps the edges of its period. All times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from freellm.declarations import DAY, Quota

Period: TypeAlias = tuple[float, float]
"""A period's first moment and the first moment after it."""

Calendar: TypeAlias = Callable[[float], Period]
"""Return the period that a moment lies in."""

PACIFIC: Final = ZoneInfo("America/Los_Angeles")


def utc_day(moment: float) -> Period:
    """Return the UTC day of a moment."""
    start = moment // DAY * DAY
    return start, start + DAY


def pacific_day(moment: float) -> Period:
    """Return the day of a moment in California: 23 or 25 hours long when daylight saving time starts or ends."""
    midnight = datetime.fromtimestamp(moment, PACIFIC).replace(
        hour=0, minute=0, second=0, microsecond=0, fold=0
    )
    # Adding a day to an aware datetime moves the wall clock, which is what a calendar day does.
    return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()


def utc_month(moment: float) -> Period:
    """Return the calendar month of a moment in UTC."""
    first = datetime.fromtimestamp(moment, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.timestamp(), following.timestamp()


_DAYS: Mapping[str, Calendar] = {"utc-midnight": utc_day, "pacific-midnight": pacific_day}


def calendar_of(quota: Quota) -> Calendar | None:
    """Return the calendar that a quota's window follows; None when it is counted as a rolling window.

    A midnight clock on a window that is not a day long says nothing about where such a window starts, so it is
    counted as rolling: no aligned window of the same length can hold more than a rolling one admits.
    """
    if quota.clock == "month":
        return utc_month
    return _DAYS.get(quota.clock) if quota.window == DAY else None
