"""What the commands of the kit have in common: their options, and an orderly end."""

from __future__ import annotations

import signal
from types import FrameType

import click

SECONDS = click.option(
    "--seconds",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0.05, 60),
    help="Measured time of each load.",
)
KEYS_EACH = click.option(
    "--keys-each", default=3, show_default=True, type=click.IntRange(1, 20), help="Keys of each provider."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def end_orderly_on_signals() -> None:
    """Do on SIGTERM what Ctrl-C does, so that the processes under test are ended too.

    Raising from the handler would not do: inside a protocol's callback the event loop takes an exception for the
    connection's and goes on. While the loop runs, the handler of SIGINT cancels its task instead.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)
