"""Printing what a stress test found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from freellm.cli import printing
from freellm.measuring import Phase

_PHASES_SHOWN = 40


def show(figures: Mapping[str, Any], found: Sequence[Phase]) -> None:
    """Print the phases and the figures.

    :param figures: see `freellm.measuring.figures`
    """
    printing.table(
        ["phase", "requests", "model served", "why"],
        [
            (f"Phase {phase.phase}", _range(phase), phase.model or "nobody", phase.why)
            for phase in found[:_PHASES_SHOWN]
        ],
        long=["why"],
    )
    if len(found) > _PHASES_SHOWN:
        click.echo(f"… and {len(found) - _PHASES_SHOWN} more phases; --json has all of them")
    click.echo()
    for name, value in _lines(figures):
        click.echo(f"{name + ':':<24}{value}")
    for code, error in figures["errors"].items():
        text = f"{error['count']} x {code} (status {error['status']}), such as request {error['request']}"
        click.echo(printing.plain(f"  {text}: {error['example']}"))


def _range(phase: Phase) -> str:
    return f"{phase.first}" if phase.first == phase.last else f"{phase.first}-{phase.last}"


def _lines(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    total = figures["succeeded"] + figures["failed"]
    return [
        (
            "Success rate",
            f"{figures['success_rate']:.1%} ({figures['succeeded']} of {total})"
            if total
            else "nothing was sent",
        ),
        ("Client-facing 429s", str(figures["client_429s"])),
        ("Upstream 429s", str(figures["upstream_429s"])),
        ("Models served", _counts(figures["models"]) or "none"),
        (
            "X-Fallback-Attempts",
            ", ".join(f"{n} on {c} requests" for n, c in figures["fallback_attempts"].items()),
        ),
        ("Latency", _spread(figures["latency_ms"])),
        ("Time to first byte", _spread(figures["first_byte_ms"])),
        ("Took", f"{figures['duration_s']:.1f} s"),
        ("Errors", str(figures["failed"]) if figures["failed"] else "none"),
    ]


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items())


def _spread(values: Mapping[str, float] | None) -> str:
    if values is None:
        return "nothing succeeded"
    return ", ".join(f"{name} {value:,.0f} ms" for name, value in values.items())
