"""Printing what models made of one prompt: a table of figures, then the answers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from freellm.cli import printing

if TYPE_CHECKING:
    from freellm.measuring import Compared

_FIGURES: Final = ("first", "all", "in", "out", "tok/s", "fallbacks")

_FIGURES_WIDTH: Final = 53
"""Columns that the figures take beside the names, the gaps included."""

_ANSWER_WIDTH: Final = 36
"""Columns of an answer at least; narrower ones stand below each other."""

_GAP: Final = 3


def show(answers: Sequence[Compared]) -> None:
    """Print the figures and the answers; on a terminal the answers stand side by side as far as they fit."""
    console = printing.console_of_stdout()
    console.print(_table(answers, console.width))
    if printing.is_piped():
        for answer in answers:
            click.echo(f"\n--- {printing.plain(answer.asked)} ---\n{_said(answer)}")
        return
    abreast = max(1, (console.width + _GAP) // (_ANSWER_WIDTH + _GAP))
    for start in range(0, len(answers), abreast):
        console.print()
        console.print(_abreast(answers[start : start + abreast], min(abreast, len(answers))))


def _table(answers: Sequence[Compared], width: int) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    names = [(printing.plain(answer.asked), _answered_by(answer)) for answer in answers]
    one_line = sum(max(map(len, column)) for column in zip(*names, strict=True)) + _FIGURES_WIDTH <= width
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("model asked", "answered by") if one_line else ("model asked, answered by",):
        drawn.add_column(heading, overflow="fold")
    for heading in _FIGURES:
        drawn.add_column(heading, justify="right", no_wrap=True)
    for (asked, by), answer in zip(names, answers, strict=True):
        cells = [asked, by] if one_line else [f"{asked}\n  {by}"]
        drawn.add_row(*map(Text, (*cells, *_figures(answer))))
    return drawn


def _answered_by(answer: Compared) -> str:
    return printing.plain(answer.model or "nobody") if answer.error is None else "failed"


def _figures(answer: Compared) -> tuple[str, ...]:
    return (
        _seconds(answer.first_delta_ms),
        _seconds(answer.ms),
        _number(answer.tokens_in),
        _number(answer.tokens_out),
        "" if answer.tokens_per_s is None else f"{answer.tokens_per_s:.1f}",
        str(answer.attempts),
    )


def _seconds(ms: float | None) -> str:
    return "" if ms is None else f"{ms / 1000:.2f} s"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _abreast(answers: Sequence[Compared], columns: int) -> Any:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, _GAP, 0, 0), expand=True)
    for _ in range(columns):
        grid.add_column(ratio=1, overflow="fold")
    grid.add_row(*(Text(printing.plain(answer.asked), style="bold underline") for answer in answers))
    grid.add_row(*(Text(_said(answer)) for answer in answers))
    return grid


def _said(answer: Compared) -> str:
    """Return an answer's text, line by line, and what is to be known of its end."""
    lines = [printing.plain(line) for line in answer.text.splitlines()]
    if answer.error is not None:
        status = f" (status {answer.status})" if answer.status not in {0, 200} else ""
        lines.append(printing.plain(f"failed: {answer.error}{status}: {answer.message}"))
    elif not answer.text.strip():
        lines.append("(no text, but reasoning: see --json)" if answer.reasoning else "(no text)")
    if answer.finish_reason == "length":
        lines.append("(cut at the longest answer: a larger --max-tokens lets it end)")
    return "\n".join(lines)
