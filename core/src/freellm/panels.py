"""What a plugin shows on a panel of its own: figures, tables, series and text.

A plugin says what there is, never how it looks: whoever draws panels (the dashboard) does that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

PANEL_ID: Final = r"[a-z0-9][a-z0-9-]{0,49}"
"""What a panel's id may be."""

Tone: TypeAlias = Literal["neutral", "good", "warning", "bad"]
"""Whether something is good news."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    :param label: what it is
    :param value: its value; None is unknown
    :param unit: its unit, such as `ms`; `percent` takes values from 0 to 1
    :param note: one more sentence
    :param tone: whether it is good news
    """

    label: str
    value: float | str | None
    unit: str = ""
    note: str = ""
    tone: Tone = "neutral"


class Figures(msgspec.Struct, frozen=True, kw_only=True, tag="figures", tag_field="type"):
    """Figures side by side.

    :param title: the heading
    :param figures: the figures
    """

    title: str = ""
    figures: Sequence[Figure]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table.

    :param title: its heading
    :param kind: what is in it; `time` is Unix time, `percent` is 0 to 1
    :param unit: the unit of its numbers
    """

    title: str
    kind: Literal["text", "number", "percent", "time", "code"] = "text"
    unit: str = ""


class Table(msgspec.Struct, frozen=True, kw_only=True, tag="table", tag_field="type"):
    """A table.

    :param title: the heading
    :param columns: the columns
    :param rows: a cell for each column; None is nothing
    :param empty: what is said when there are no rows
    """

    title: str = ""
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | float | bool | None]]
    empty: str = "Nothing yet."


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a chart.

    :param name: its name
    :param values: a value for each moment; None is a gap
    """

    name: str
    values: Sequence[float | None]


class Series(msgspec.Struct, frozen=True, kw_only=True, tag="series", tag_field="type"):
    """A chart over time.

    :param title: the heading
    :param unit: the unit of the values
    :param style: how it is drawn
    :param moments: Unix times
    :param lines: the lines
    """

    title: str = ""
    unit: str = ""
    style: Literal["line", "area", "bars"] = "line"
    moments: Sequence[float]
    lines: Sequence[Line]


class Text(msgspec.Struct, frozen=True, kw_only=True, tag="text", tag_field="type"):
    """A paragraph. It is text, and not markup.

    :param title: the heading
    :param text: the text; an empty line begins a new paragraph
    :param tone: whether it is good news
    """

    title: str = ""
    text: str
    tone: Tone = "neutral"


Block: TypeAlias = Figures | Table | Series | Text
"""One piece of a panel."""

Draw: TypeAlias = Callable[[], Awaitable[Sequence[Block]]]
"""Returns what a panel shows now, from top to bottom."""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One panel.

    :param id: what its address ends with: lower-case letters, digits and hyphens
    :param title: its name
    :param subtitle: what it shows, in five words
    :param draw: a coroutine function without arguments that returns what is on it now, from top to bottom. It is
        awaited in the server's event loop each time somebody looks: what takes longer belongs into a thread
    """

    id: str
    title: str
    subtitle: str = ""
    draw: Draw
