"""Panels that plugins add; what is on them is `freellm.panels`."""

from __future__ import annotations

from freellm.panels import Figures, Series, Table, Text
from freellm_dashboard.shapes.wire import Answer


class PanelCard(Answer, frozen=True, kw_only=True):
    """One panel.

    :param id: what it is asked for by
    :param title: its name
    :param subtitle: what it shows, in five words
    """

    id: str
    title: str
    subtitle: str


class PanelList(Answer, frozen=True, kw_only=True):
    """Every panel.

    :param panels: by title
    """

    panels: list[PanelCard]


class Panel(Answer, frozen=True, kw_only=True):
    """A panel as it is now.

    :param id: what it is asked for by
    :param title: its name
    :param subtitle: what it shows, in five words
    :param at: Unix time this is true of
    :param blocks: what it shows, from top to bottom
    """

    id: str
    title: str
    subtitle: str
    at: float
    blocks: list[Figures | Table | Series | Text]
