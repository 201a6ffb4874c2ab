"""`freellm simulate --days`: what freellm makes of a day's traffic, beside the policy of another proxy."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import click
from rich.console import Console

from freellm_simulator.days.day import CONTENDERS, Plan, simulate
from freellm_simulator.days.measure import summary
from freellm_simulator.days.report import print_report


def run_days(plan: Plan, *, as_json: bool) -> None:
    """Simulate the days of every contender, side by side as far as there are cores, and print the report."""
    days = f"{plan.days:g} day{'s' * (plan.days != 1)} of traffic"
    with (
        Console(stderr=True).status(f"{days}, routed by {', '.join(CONTENDERS)}"),
        ProcessPoolExecutor(min(len(CONTENDERS), os.cpu_count() or 1), get_context("spawn")) as processes,
    ):
        tallies = list(processes.map(partial(simulate, plan), CONTENDERS))
    if as_json:
        click.echo(json.dumps({"seed": plan.seed, "days": plan.days, "contenders": summary(tallies)}))
    else:
        print_report(tallies, Console())
