"""`freellm simulate --days`: what freellm makes of a day's traffic, beside the policy of another proxy."""

from __future__ import annotations

import json

import click
from rich.console import Console

from freellm_simulator.days.day import CONTENDERS, Plan, simulate
from freellm_simulator.days.measure import Tally, summary
from freellm_simulator.days.report import print_report


def run_days(plan: Plan, *, as_json: bool) -> None:
    """Simulate the days of every contender and print the report."""
    progress = Console(stderr=True)
    tallies: list[Tally] = []
    for name in CONTENDERS:
        with progress.status(f"{plan.days:g} days of traffic, routed by {name}"):
            tallies.append(simulate(plan, name))
    if as_json:
        click.echo(json.dumps({"seed": plan.seed, "days": plan.days, "contenders": summary(tallies)}))
    else:
        print_report(tallies, Console())
