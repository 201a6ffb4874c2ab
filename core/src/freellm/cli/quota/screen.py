"""What `freellm top` shows, made of two answers of the proxy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from freellm.cli.printing import plain
from freellm.cli.quota import words

_FRAME: Final = 9
"""Lines that are no rows: what is left, and each table's heading and rule."""

_UNDER_WAY: Final = ["under way", "asked for", "asking", "failed", "since"]
_LAST: Final = ["last answers", "status", "tokens", "took", "attempts"]
_CLOSED: Final = ["closed", "because", "opens in"]
_POOLS: Final = ["quota", "left", "of", "resets in", "rate", "exhausted"]
_SHARES: Final = (0.2, 0.3, 0.2)
"""The parts of the screen that requests under way, last answers and closed things may take; pools get the rest."""


def screen(told: Mapping[str, Any], height: int | None) -> RenderableType:
    """Return what is shown.

    :param told: the answers about quotas and activity
    :param height: lines of the terminal; None: as many as there are
    """
    quotas, activity = told["quotas"], told["activity"]
    room = None if height is None else max(height - _FRAME, 4)
    parts = [
        (_UNDER_WAY, [_under_way(one, activity["at"]) for one in activity["under_way"]]),
        (_LAST, [_last(one) for one in activity["last"]]),
        (_CLOSED, [_closed(one, activity["at"]) for one in activity["closed"]]),
    ]
    shown = []
    for (headings, rows), share in zip(parts, _SHARES, strict=True):
        kept = rows if room is None else rows[: max(int(room * share), 1)]
        shown.append((headings, kept))
    taken = sum(len(rows) for _, rows in shown)
    pools = sorted(quotas["pools"], key=_nearness)
    rows = [_pool(pool, quotas["at"]) for pool in pools]
    tables = [(_POOLS, rows if room is None else rows[: max(room - taken, 1)]), *shown]
    return Group(_left(quotas["totals"]), *(_table(*table) for table in tables if table[1]))


def _left(totals: Mapping[str, Any]) -> Text:
    today, month = totals["today"], totals["month"]
    return Text(
        f"left today {today['requests']:,} requests, {today['tokens']:,} tokens; "
        f"this month {month['requests']:,} requests",
        no_wrap=True,
    )


def _nearness(pool: Mapping[str, Any]) -> tuple[float, float]:
    """Sort what is exhausted soonest to the front, then what is used most."""
    soon = 0.0 if pool["closed_until"] else pool["exhausted_at"]
    used = pool["used"] / pool["limit"] if pool["limit"] else 0.0
    return (float("inf") if soon is None else soon, -used)


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    for place, heading in enumerate(headings):
        # the first column is the one that may be cut, and takes the room the others leave
        made.add_column(heading, no_wrap=True, overflow="ellipsis", ratio=1 if place == 0 else None)
    for row in rows:
        made.add_row(*(Text("" if cell is None else plain(str(cell))) for cell in row))
    return made


def _pool(pool: Mapping[str, Any], now: float) -> Sequence[object]:
    known = pool["limit"] is not None
    return (
        f"{pool['provider']} {words.counted(pool)} {words.models(pool['members'])}",
        words.amount(pool["left"]) if known else "?",
        words.amount(pool["limit"]) if known else "?",
        None if pool["resets_at"] is None else words.lasting(pool["resets_at"] - now),
        words.rate(pool),
        words.lasts(pool, now) if pool["exhausted_at"] or pool["closed_until"] else None,
    )


def _under_way(one: Mapping[str, Any], now: float) -> Sequence[object]:
    return (
        one["id"],
        one["requested"],
        one["asking"],
        one["failed_attempts"],
        f"{max(now - one['since'], 0.0):.1f} s",
    )


def _last(one: Mapping[str, Any]) -> Sequence[object]:
    who = f"{one['provider']}/{one['model']}" if one["provider"] else one["error"]
    tokens = "" if one["input_tokens"] is None else f"{one['input_tokens']}+{one['output_tokens']}"
    return who, one["status"], tokens, f"{one['duration_ms'] / 1000:.1f} s", one["attempts"]


def _closed(one: Mapping[str, Any], now: float) -> Sequence[object]:
    how = "stated" if one["stated"] else "guessed"
    return one["what"], f"{one['kind']} ({how})", words.lasting(one["until"] - now)
