"""An explanation as a table that fits 80 columns: a line a route, and under it why and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from freellm.cli import printing
from freellm.cli.quota.words import amount, counted, lasting

_COLUMNS = ["", "route", "verdict", "opens in", "why", "left", "takes"]


NEXT_TOLD = 5
"""Routes behind the one that serves that are printed unless all are wanted."""

NONE_TOLD = 20
"""Routes that are printed when none serves, unless all are wanted."""


def show(told: Mapping[str, Any], *, every: bool) -> None:
    """Print what would become of a request.

    :param told: the proxy's answer
    :param every: whether all routes are printed
    """
    for line in _head(told):
        click.echo(printing.plain(line))
    click.echo("")
    several = _several_keys(told)
    rows = [_row(place, row, told["at"], several) for place, row in enumerate(told["routes"], 1)]
    kept = len(rows) if every else _kept(told["routes"])
    printing.table(_COLUMNS, rows[:kept], long=["why", "left", "takes"])
    if kept < len(rows):
        click.echo(f"\n{len(rows) - kept} more routes follow; --all prints them, --json tells everything.")


def _kept(routes: Sequence[Mapping[str, Any]]) -> int:
    """Return how many routes are printed: all that were passed over, the one that serves, and some behind it."""
    verdicts = [row["verdict"] for row in routes]
    return verdicts.index("serves") + 1 + NEXT_TOLD if "serves" in verdicts else NONE_TOLD


def _head(told: Mapping[str, Any]) -> Iterator[str]:
    if told["serves"]:
        yield f"{told['requested']} would be served by {told['serves']}."
    else:
        yield f"Nobody would serve it: {told['refusal']}"
    if told["sticky"] and told["sticky"] != told["serves"]:
        yield f"{told['sticky']} answered this conversation last."
    states = [row["verdict"] for row in told["routes"]]
    counts = {state: states.count(state) for state in ("serves", "next", "closed", "unable")}
    open_, closed, unable = counts["serves"] + counts["next"], counts["closed"], counts["unable"]
    yield f"{open_} routes are open, {closed} closed at the moment, {unable} unable. Nothing was sent or spent."


def _several_keys(told: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of entries with several routes, which only their keys tell apart."""
    names = [row["route"] for row in told["routes"]]
    return frozenset(name for name in names if names.count(name) > 1)


def _row(place: int, row: Mapping[str, Any], now: float, several: frozenset[str]) -> list[object]:
    name = row["route"]
    if name in several:
        name = f"{name} ({row['label'] or row['key']})"
    opens = None if row["opens_at"] is None else lasting(row["opens_at"] - now)
    return [place, name, row["verdict"], opens, _why(row, now), _left(row), _takes(row)]


def _why(row: Mapping[str, Any], now: float) -> str:
    said = [row["detail"]]
    if row["reason"] != "cooldown":
        said += [f"{one['what']} is closed for {lasting(one['until'] - now)}" for one in row["cooldowns"]]
    if row["cooldowns"]:
        said.append(f"open it: freellm quota clear {row['route']}")
    if row["penalty"]:
        said.append(f"sunk by {amount(row['penalty'])} places since 429s")
    if row["breaker"] != "closed":
        said.append(f"its breaker is {row['breaker']}")
    return "; ".join(said)


def _left(row: Mapping[str, Any]) -> str:
    return ", ".join(_pool(quota["forecast"]) for quota in row["quotas"])


def _pool(pool: Mapping[str, Any]) -> str:
    if pool["limit"] is None:
        return f"{amount(pool['used'])} of ? {counted(pool)} used"
    learned = " (learned)" if pool["stated"] == "learned" else ""
    return f"{amount(pool['left'])} of {amount(pool['limit'])} {counted(pool)}{learned}"


def _takes(row: Mapping[str, Any]) -> str | None:
    if not row["quotas"]:
        return None
    context = "" if row["context"] is None else f" of a window of {amount(row['context'])}"
    reserved = {q["forecast"]["unit"]: q["reserves"] for q in row["quotas"]}
    units = ", ".join(f"{amount(much)} {unit}" for unit, much in reserved.items() if unit != "concurrent")
    return f"about {amount(row['input_tokens'])} tokens in{context}; reserves {units or 'nothing'}"
