"""Quota headers, read by a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from freellm.errors import PluginError
from freellm.openai_compatible.durations import http_date, parse_duration, parse_number
from freellm.types import Reading

HeaderRow: TypeAlias = tuple[str, float | None, str]
"""What a header speaks of: the quota's unit, its window in seconds, and its figure: `limit`, `remaining`, `reset`."""

_FIGURES: Final = ("limit", "remaining", "reset")

_EPOCH: Final = 1e9
_EPOCH_MILLISECONDS: Final = 1e12


class _Pool(msgspec.Struct, frozen=True):
    unit: str
    window: float | None
    headers: Mapping[str, str]


class QuotaHeaders:
    """Turns headers into readings.

    :param rows: what each lower-case header name speaks of
    :raises PluginError: when a row names another figure
    """

    __slots__ = ("_pools",)

    def __init__(self, rows: Mapping[str, HeaderRow]) -> None:
        pools: dict[tuple[str, float | None], dict[str, str]] = {}
        for name, (unit, window, figure) in rows.items():
            if figure not in _FIGURES:
                raise PluginError(f"header {name!r} states a {figure!r}; it is one of {', '.join(_FIGURES)}")
            pools.setdefault((unit, window), {})[figure] = name
        self._pools = tuple(_Pool(unit, window, headers) for (unit, window), headers in pools.items())

    def read(self, headers: Mapping[str, str]) -> list[Reading]:
        """Return one reading for each pool that the headers speak of.

        A reset is a number of seconds, a duration such as `2m59.56s`, or a Unix time in seconds or milliseconds,
        which counts from the answer's `date` header.
        """
        readings = []
        for pool in self._pools:
            names = pool.headers
            limit = parse_number(headers.get(names.get("limit", "")))
            remaining = parse_number(headers.get(names.get("remaining", "")))
            resets_in = _reset(headers.get(names.get("reset", "")), headers)
            if limit is not None or remaining is not None or resets_in is not None:
                readings.append(
                    Reading(
                        unit=pool.unit,
                        window=pool.window,
                        limit=limit,
                        remaining=remaining,
                        resets_in=resets_in,
                    )
                )
        return readings

    def spent(self, headers: Mapping[str, str]) -> Reading | None:
        """Return the empty pool that takes longest to be full again, None when no pool is empty."""
        empty = [reading for reading in self.read(headers) if reading.remaining == 0]
        return max(empty, key=lambda pool: pool.resets_in or pool.window or 0.0, default=None)


def _reset(text: str | None, headers: Mapping[str, str]) -> float | None:
    if not text:
        return None
    number = parse_number(text)
    if number is None:
        return parse_duration(text)
    if number < _EPOCH:
        return number
    moment = number / 1_000 if number >= _EPOCH_MILLISECONDS else number
    now = http_date(headers.get("date", ""))
    return None if now is None else max(0.0, moment - now)
