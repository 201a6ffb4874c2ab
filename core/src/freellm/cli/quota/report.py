"""Quotas as a table that fits 80 columns: a line a pool, and under it what more is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from freellm.cli.quota import words

_COLUMNS = ["pool", "limit", "used", "left", "resets in", "rate", "exhausted", "keys", "stated"]
LONG = ("pool", "exhausted", "keys", "stated")
"""What stands under a pool's line where there is no room beside it."""


def rows_of(told: Mapping[str, Any]) -> tuple[list[str], list[list[object]]]:
    """Return the headings and the rows of a table of pools.

    :param told: the proxy's answer
    """
    drawing: dict[str, set[str]] = defaultdict(set)
    for pool in told["pools"]:
        drawing[pool["provider"]].update(pool["keys"])
    rows = [_row(pool, told["at"], several=len(drawing[pool["provider"]]) > 1) for pool in told["pools"]]
    return _COLUMNS, rows


def _row(pool: Mapping[str, Any], now: float, *, several: bool) -> list[object]:
    """Return a pool's row; which keys draw on it is told where the provider has several."""
    return [
        f"{pool['provider']} {words.models(pool['members'])}",
        words.limit(pool),
        words.amount(pool["used"]),
        None if pool["left"] is None else words.amount(pool["left"]),
        None if pool["resets_at"] is None else words.lasting(pool["resets_at"] - now),
        words.rate(pool),
        words.lasts(pool, now),
        ", ".join(pool["keys"]) if several else None,
        words.source(pool, now),
    ]


def totals_of(totals: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over the lines that say what is left over all providers."""
    today, month = totals["today"], totals["month"]
    yield f"left today:       {today['requests']:>12,} requests, {today['tokens']:>16,} tokens"
    yield f"left this month:  {month['requests']:>12,} requests, {month['tokens']:>16,} tokens"
    size = f"{totals['input_tokens']:,} tokens in and {totals['output_tokens']:,} out"
    yield f"(chats of {size} over {totals['routes']} routes; {totals['uncounted']} more have no known limit)"
