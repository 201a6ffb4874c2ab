"""Durations and waiting times in the many ways services write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import inf
from typing import Final

SHORTEST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 86_400.0

_SECONDS: Final[Mapping[str, float]] = {
    "ms": 0.001,
    "mi": 60.0,
    "m": 60.0,
    "s": 1.0,
    "se": 1.0,
    "h": 3_600.0,
    "d": 86_400.0,
}
# `ms` is tried before `m`, and a unit is not the start of a longer word: "5 models" is no duration.
_UNIT: Final = r"(?:ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])"
_PART: Final = re.compile(rf"(\d+(?:\.\d+)?)\s?({_UNIT})", re.IGNORECASE)
_WHOLE: Final = re.compile(rf"(?:\d+(?:\.\d+)?\s?{_UNIT}[\s,]*)+", re.IGNORECASE)
_PROSE: Final = re.compile(
    rf"(?:try again|retry|wait|resets?)\b[^0-9]{{0,24}}?({_WHOLE.pattern})", re.IGNORECASE
)


def clamp(seconds: float) -> float:
    """Return a wait that is neither shorter than a second nor longer than a day, in seconds."""
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def parse_duration(text: str) -> float | None:
    """Read a duration such as `7.66s`, `825ms`, `2m59.56s`, `1h2m3s` or `90 seconds`.

    :return: seconds, or None when the text is not a duration
    """
    text = text.strip()
    if text[:1].isdigit() and text[-1:] == "s":  # nearly all are like 7.66s, 2m59.56s or 825ms
        minutes, stated, seconds = text[:-1].partition("m")
        try:
            if not stated:
                return float(minutes)
            return float(minutes) * 60 + float(seconds) if seconds else float(minutes) / 1_000
        except ValueError:
            return _parse_long(text)
    return _parse_long(text)


def _parse_long(text: str) -> float | None:
    if not _WHOLE.fullmatch(text):
        return None
    return sum(float(number) * _seconds(unit) for number, unit in _PART.findall(text))


def find_wait(prose: str) -> float | None:
    """Find the wait that a sentence states, as in "Please try again in 9m38.016s".

    :return: seconds, or None when the sentence states none
    """
    found = _PROSE.search(prose)
    return parse_duration(found[1].rstrip(" ,")) if found else None


def retry_after(headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Read `retry-after-ms` and `retry-after`, the more exact one first.

    A date counts from the answer's own `date` header, because a hook has no clock.

    :return: the wait in seconds or None, and the Unix time of its end or None
    """
    if (milliseconds := parse_number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1_000, None
    value = headers.get("retry-after", "")
    seconds = parse_number(value)
    if seconds is None:
        seconds = parse_duration(value)
    if seconds is not None:
        return seconds, None
    until, now = http_date(value), http_date(headers.get("date", ""))
    return (until - now if until is not None and now is not None else None), until


def http_date(text: str) -> float | None:
    """Read an HTTP date as Unix time; None when it is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_number(text: str | None) -> float | None:
    """Read a plain non-negative number; None when the text is not one."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < inf else None


def _seconds(unit: str) -> float:
    unit = unit.lower()
    if unit.startswith("milli"):
        unit = "ms"
    return _SECONDS.get(unit) or _SECONDS.get(unit[:2]) or _SECONDS[unit[0]]
