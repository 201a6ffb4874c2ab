"""The command: `python -m benchmarks`, from the folder `tests`."""

from __future__ import annotations

import sys

import click
import orjson
from rich.console import Console

from benchmarks.options import AS_JSON, KEYS_EACH, SECONDS, end_orderly_on_signals
from benchmarks.processes import BenchmarkError
from benchmarks.report import print_report, summary
from benchmarks.rounds import Plan, play


@click.command()
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(1, 50), help="How often each is measured."
)
@SECONDS
@click.option("--only", type=click.Choice(["bare", "freellm"]), help="Run one proxy only.")
@click.option("--model", default="auto", show_default=True, help="The model to ask for.")
@KEYS_EACH
@AS_JSON
def main(rounds: int, seconds: float, only: str | None, model: str, keys_each: int, *, as_json: bool) -> None:
    """Measure freellm against a bare aiohttp JSON proxy; exit 1 when an answer was bad, never for being slow."""
    end_orderly_on_signals()
    progress = Console(stderr=True)
    plan = Plan(rounds, seconds, (only,) if only else ("bare", "freellm"), model, keys_each)
    try:
        outcome = play(plan, lambda text: progress.print(text, style="dim"))
    except BenchmarkError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(orjson.dumps(summary(outcome), option=orjson.OPT_INDENT_2))
    else:
        print_report(outcome, Console())
    sys.exit(1 if outcome.errors else 0)


if __name__ == "__main__":
    main()
