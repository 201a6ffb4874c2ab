"""What commands print: tables for people, one JSON document for programs, notes on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

_PIPE_WIDTH: Final = 400
"""Columns of a table that is not written to a terminal: wide enough for one line a row, so that grep works."""

_AGES: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def document(value: object) -> None:
    """Print one JSON document."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def note(text: str) -> None:
    """Print a remark where it does not get into a program's input."""
    click.echo(text, err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; None is an empty cell, a number stands right.

    :param columns: the headings
    """
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    cells = [list(row) for row in rows]
    for index, heading in enumerate(columns):
        numbers = all(isinstance(row[index], int | float | None) for row in cells)
        drawn.add_column(heading, justify="right" if numbers else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(_cell(value) for value in row))
    _console().print(drawn)


def _cell(value: object) -> Any:
    from rich.text import Text

    return Text("" if value is None else plain(str(value)))


def plain(text: str) -> str:
    """Return a text of somebody else's without what would move a terminal's cursor or change its colours."""
    return "".join(character if character.isprintable() else " " for character in text)


def _console() -> Any:
    from rich.console import Console

    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(file=sys.stdout, width=_PIPE_WIDTH if piped else None, highlight=False)


def ago(at: float | None) -> str:
    """Return how long ago a Unix time was, in words."""
    if at is None:
        return "never"
    seconds = max(time.time() - at, 0.0)
    for size, unit in _AGES:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
