"""The command: `python -m benchmarks`, from the folder `tests`."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import click
import orjson
from rich.console import Console

from benchmarks.processes import BenchmarkError
from benchmarks.report import print_report, summary
from benchmarks.rounds import Plan, play


def _end_orderly(number: int, frame: FrameType | None) -> None:
    """Do on SIGTERM what Ctrl-C does, so that the processes under test are ended too.

    Raising from here would not do: inside a protocol's callback the event loop takes an exception for the
    connection's and goes on. While the loop runs, the handler of SIGINT cancels its task instead.
    """
    signal.raise_signal(signal.SIGINT)


@click.command()
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(1, 50), help="How often each is measured."
)
@click.option(
    "--seconds",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0.05, 60),
    help="Measured time of each load.",
)
@click.option("--only", type=click.Choice(["bare", "freellm"]), help="Run one proxy only.")
@click.option("--model", default="auto", show_default=True, help="The model to ask for.")
@click.option(
    "--keys-each", default=3, show_default=True, type=click.IntRange(1, 20), help="Keys of each provider."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(rounds: int, seconds: float, only: str | None, model: str, keys_each: int, *, as_json: bool) -> None:
    """Measure freellm against a bare aiohttp JSON proxy; exit 1 when an answer was bad, never for being slow."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _end_orderly)
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
