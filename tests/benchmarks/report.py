"""Medians, ratios and verdicts of a run, as a table and as JSON."""

from __future__ import annotations

import math
import platform
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.rounds import Figures, Outcome, Round

COLUMNS: Final = (
    ("chat_per_second", "chat req/s, 32 at a time", "{:,.0f}"),
    ("chat_p50_ms", "chat p50, 32 at a time, ms", "{:.2f}"),
    ("chat_p99_ms", "chat p99, 32 at a time, ms", "{:.2f}"),
    ("cpu_us_per_chat", "CPU per chat, µs", "{:,.0f}"),
    ("core_share", "share of its core, chats", "{:.0%}"),
    ("single_p50_ms", "p50, one at a time, ms", "{:.3f}"),
    ("single_p99_ms", "p99, one at a time, ms", "{:.3f}"),
    ("added_p50_ms", "p50 added to direct, ms", "{:.3f}"),
    ("chunks_per_second", "chunks/s, 16 streams", "{:,.0f}"),
    ("cpu_us_per_chunk", "CPU per chunk, µs", "{:.1f}"),
    ("idle_mb", "resident, idle, MB", "{:.1f}"),
    ("loaded_mb", "resident, after load, MB", "{:.1f}"),
    ("first_answer_s", "first answer after start, s", "{:.2f}"),
    ("help_s", "freellm --help, s", "{:.2f}"),
)
"""Every figure: its name, its title and its format."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound that freellm has to keep.

    :param figure: a name from `COLUMNS`
    :param bound: the bound
    :param ratio: whether it bounds freellm's figure divided by the bare proxy's
    :param least: whether the bound is the least value; else the most
    """

    figure: str
    bound: float
    ratio: bool = False
    least: bool = False


AIMS: Final = (
    Aim("chat_per_second", 0.7, ratio=True, least=True),
    Aim("chunks_per_second", 1.2, ratio=True, least=True),
    Aim("first_answer_s", 1.0),
    Aim("added_p50_ms", 0.5),
    Aim("idle_mb", 70.0),
    Aim("help_s", 0.2),
)


def medians(rounds: list[Round]) -> dict[str, Figures]:
    """Return the median over the rounds of every figure of every contestant."""
    return {
        name: {figure: median(one[name][figure] for one in rounds) for figure in figures}
        for name, figures in rounds[0].items()
    }


def ratios(rounds: list[Round]) -> Figures:
    """Return freellm's figures divided by the bare proxy's: the median of the rounds' own ratios.

    A ratio taken inside a round is not moved by a machine that drifts from round to round.
    """
    if not {"bare", "freellm"} <= rounds[0].keys():
        return {}
    shared = rounds[0]["bare"].keys() & rounds[0]["freellm"].keys()
    return {
        figure: median(one["freellm"][figure] / one["bare"][figure] for one in rounds)
        for figure, _, _ in COLUMNS
        if figure in shared
    }


def verdicts(middle: dict[str, Figures], ratio: Figures) -> list[dict[str, Any]]:
    """Return each aim with the value measured and whether it was kept; none without freellm."""
    found = []
    for aim in AIMS:
        value = (ratio if aim.ratio else middle.get("freellm", {})).get(aim.figure, math.nan)
        if not math.isnan(value):
            met = value >= aim.bound if aim.least else value <= aim.bound
            found.append({**asdict(aim), "value": value, "met": met})
    return found


def summary(outcome: Outcome) -> dict[str, Any]:
    """Return the whole outcome as JSON-ready data."""
    middle, ratio = medians(outcome.rounds), ratios(outcome.rounds)
    return {
        "machine": {
            "stolen": outcome.stolen,
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": asdict(outcome.cores),
        },
        "medians": middle,
        "ratios": ratio,
        "headroom": {
            name: {
                figure: middle["direct"][figure] / figures[figure]
                for figure in ("chat_per_second", "chunks_per_second")
            }
            for name, figures in middle.items()
            if name != "direct"
        },
        "aims": verdicts(middle, ratio),
        "served_by": outcome.served_by,
        "errors": outcome.errors,
        "rounds": outcome.rounds,
    }


def print_report(outcome: Outcome, console: Console) -> None:
    """Print the medians, the ratios and what became of the aims."""
    data = summary(outcome)
    middle, ratio = data["medians"], data["ratios"]
    table = Table(title=f"medians of {len(outcome.rounds)} rounds")
    for title in ("figure", *middle, *(("freellm / bare",) if ratio else ())):
        table.add_column(title, justify="left" if title == "figure" else "right")
    for figure, title, form in COLUMNS:
        cells = [form.format(one[figure]) if figure in one else "" for one in middle.values()]
        if ratio:
            cells.append(f"{ratio[figure]:.2f}" if figure in ratio else "")
        if any(cells):
            table.add_row(title, *cells)
    console.print(table)
    _print_notes(outcome, data, console)


def _print_notes(outcome: Outcome, data: dict[str, Any], console: Console) -> None:
    titles = {figure: title for figure, title, _ in COLUMNS}
    for aim in data["aims"]:
        verdict = "[green]met[/]" if aim["met"] else "[red]missed[/]"
        side, what = ("≥" if aim["least"] else "≤"), (", freellm / bare" if aim["ratio"] else "")
        console.print(
            f"{verdict}  {titles[aim['figure']]}{what}: {aim['value']:.3f} (aim {side} {aim['bound']})"
        )
    for name, factors in data["headroom"].items():
        chat, chunks = factors["chat_per_second"], factors["chunks_per_second"]
        console.print(
            f"headroom of the kit over {name}: {chat:.1f} times its chats, {chunks:.1f} times its chunks"
        )
    console.print(f"taken away by the machine's host: {outcome.stolen:.1%} of the processor time")
    if data["served_by"]:
        console.print(f"served by: {data['served_by']}")
    for error in data["errors"]:
        console.print(f"[red]{error}[/]", highlight=False)
