"""A panel of the dashboard: what the simulated services counted, beside what the gateway believes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from freellm.panels import Block, Column, Figure, Figures, Panel, Table
from freellm_simulator.exchange import Json
from freellm_simulator.simulation import Simulation

_MOST: Final = 40
"""Quotas that are listed, at most."""

_FINE: Final = 400
"""From this status on an answer is a refusal."""


def panel_of(simulation: Simulation) -> Panel:
    """Return the panel of a simulation."""

    async def draw() -> Sequence[Block]:
        return blocks(simulation.state())

    return Panel(
        id="simulator", title="Simulated services", subtitle="What the other side counted", draw=draw
    )


def blocks(state: Json) -> Sequence[Block]:
    """Return what is on the panel.

    :param state: as `GET /sim/state` answers
    """
    return (_figures(state), _answers(state), _quotas(state))


def _figures(state: Json) -> Figures:
    answered = sum(row["count"] for row in state["requests"] if row["status"] < _FINE)
    refused = sum(row["count"] for row in state["requests"] if row["status"] >= _FINE)
    left = sum(row["count"] for row in state["disconnected"])
    share = answered / (answered + refused) if answered + refused else None
    return Figures(
        figures=(
            Figure(label="Answered", value=answered, unit="requests"),
            Figure(label="Refused", value=refused, unit="requests", tone="warning" if refused else "neutral"),
            Figure(label="Answered of all", value=share, unit="percent"),
            Figure(label="Broken off by the client", value=left, unit="requests"),
            Figure(label="Faults to come", value=len(state["faults"])),
        )
    )


def _answers(state: Json) -> Table:
    rows = sorted(state["requests"], key=lambda row: (-row["count"], row["provider"], row["model"]))
    return Table(
        title="Answers",
        columns=(
            Column(title="Provider"),
            Column(title="Model", kind="code"),
            Column(title="Status", kind="number"),
            Column(title="Reason"),
            Column(title="Requests", kind="number", unit="requests"),
        ),
        rows=[
            (row["provider"], row["model"], row["status"], row["reason"] or None, row["count"])
            for row in rows
        ],
        empty="Nobody has asked yet.",
    )


def _quotas(state: Json) -> Table:
    """Return the quotas that most is used of; their windows are counted by the services and not by freellm."""
    used = [row for row in state["quotas"] if row["used"] and row["limit"]]
    used.sort(key=lambda row: row["used"] / row["limit"], reverse=True)
    return Table(
        title="Quotas in use",
        columns=(
            Column(title="Provider"),
            Column(title="Models", kind="code"),
            Column(title="Counts"),
            Column(title="Window", kind="number", unit="s"),
            Column(title="Used", kind="number"),
            Column(title="Limit", kind="number"),
            Column(title="Share", kind="percent"),
        ),
        rows=[
            (
                row["provider"],
                row["model"],
                row["unit"],
                row["window"],
                row["used"],
                row["limit"],
                row["used"] / row["limit"],
            )
            for row in used[:_MOST]
        ],
        empty="Nothing is spent at the moment.",
    )
