"""What commands print: tables for people, one JSON document for programs, notes on stderr."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

_PIPE_WIDTH: Final = 400
"""Columns of a table that is not written to a terminal: wide enough for one line a row, so that grep works."""

_GAP: Final = " " * 3

_AGES: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def document(value: object) -> None:
    """Print one JSON document."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def note(text: str) -> None:
    """Print a remark where it does not get into a program's input."""
    click.echo(text, err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], long: Sequence[str] = ()) -> None:
    """Print a table; None is an empty cell, a number stands right.

    :param columns: the headings
    :param long: the columns that stand under their row when the terminal is too narrow for all
    """
    cells = [list(row) for row in rows]
    console = console_of_stdout()
    widths = [max(len(_text(row[index])) for row in [columns, *cells]) for index in range(len(columns))]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= console.width or not long:
        console.print(_drawn(columns, cells))
        return
    short = [index for index, heading in enumerate(columns) if heading not in long]
    click.echo(_GAP.join(columns[index].ljust(widths[index]) for index in short).rstrip())
    for row in cells:
        click.echo(_GAP.join(_text(row[index]).ljust(widths[index]) for index in short).rstrip())
        for index, heading in enumerate(columns):
            if index not in short and (text := _text(row[index])):
                click.echo(_indented(f"{heading}: {text}", console.width))


def _drawn(columns: Sequence[str], cells: Sequence[Sequence[object]]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, heading in enumerate(columns):
        numbers = all(isinstance(row[index], int | float | None) for row in cells)
        drawn.add_column(heading, justify="right" if numbers else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(_text(value)) for value in row))
    return drawn


def _text(value: object) -> str:
    return "" if value is None else plain(str(value))


def _indented(text: str, width: int) -> str:
    return textwrap.fill(
        text,
        max(width, 40),
        initial_indent="    ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def plain(text: str) -> str:
    """Return a text of somebody else's without what would move a terminal's cursor or change its colours."""
    return "".join(character if character.isprintable() else " " for character in text)


def is_piped() -> bool:
    """Return whether what is printed goes into a pipe or a file, which has no width."""
    return not sys.stdout.isatty() and "COLUMNS" not in os.environ


def console_of_stdout() -> Any:
    """Return a rich console for stdout."""
    from rich.console import Console

    return Console(file=sys.stdout, width=_PIPE_WIDTH if is_piped() else None, highlight=False)


def ago(at: float | None) -> str:
    """Return how long ago a Unix time was, in words."""
    if at is None:
        return "never"
    seconds = max(time.time() - at, 0.0)
    for size, unit in _AGES:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
