"""Whether chats notice an open dashboard: `python -m benchmarks.open_pages`, from the folder `tests`.

One freellm, and in every round the same two loads with no page, with the Overview and with Analytics open, in turning order.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import click
import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.client import Target
from benchmarks.contestants import CHAT_PATH, Freellm
from benchmarks.load import Load, measure
from benchmarks.options import AS_JSON, KEYS_EACH, SECONDS, end_orderly_on_signals
from benchmarks.page import PAGES
from benchmarks.processes import TESTS, BenchmarkError, Cores, Running, first_answer, pinned
from benchmarks.rounds import MESSAGES, Figures, Round, mock_upstream

CLOSED: Final = "closed"
CONNECTIONS: Final = 2
RATE: Final = 200.0
"""Chats a second of the paced load."""

_FILL: Final = 16
"""Connections that fill the log before the first round."""

COLUMNS: Final = (
    ("paced_p50_ms", "p50, 200 chats/s, ms", "{:.2f}"),
    ("paced_p99_ms", "p99, 200 chats/s, ms", "{:.2f}"),
    ("paced_cpu_ms", "CPU of the proxy a second, 200 chats/s, ms", "{:.0f}"),
    ("flat_p50_ms", "p50, two connections flat out, ms", "{:.2f}"),
    ("flat_p99_ms", "p99, two connections flat out, ms", "{:.2f}"),
    ("flat_per_second", "chats/s, two connections flat out", "{:,.0f}"),
    ("asked_per_second", "requests a second of the page", "{:.2f}"),
)
"""Every figure: its name, its title and its format."""


@contextmanager
def page(freellm: Freellm, port: int, name: str, core: int | None, asked: list[int]) -> Iterator[None]:
    """Have a page open while the context lasts.

    :param name: a page of `PAGES`, or `CLOSED`
    :param asked: filled with how often it read something that had changed
    """
    if name == CLOSED:
        yield
        return
    arguments = [sys.executable, "-m", "benchmarks.page", str(port), freellm.link_token(port), name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(arguments, cwd=TESTS, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        if process.stdout.readline().strip() != b"ready":
            raise BenchmarkError(f"the page {name} could not be opened")
        try:
            yield
            process.stdin.close()
            asked.append(int(process.stdout.readline() or 0))
        finally:
            process.terminate()


class Comparison:
    """Rounds of loads on one running proxy.

    :param freellm: the proxy
    :param process: its process
    :param port: where it listens
    :param seconds: the measured time of each load
    :param core: where the load and the page run
    :param runner: the loop that makes the load
    """

    def __init__(
        self,
        freellm: Freellm,
        process: Running,
        port: int,
        seconds: float,
        core: int | None,
        runner: asyncio.Runner,
    ) -> None:
        body = {"model": "auto", "messages": MESSAGES, "temperature": 0.6, "max_tokens": 300}
        self._target = Target(port, CHAT_PATH, orjson.dumps(body))
        self._freellm = freellm
        self._process = process
        self._port = port
        self._seconds = seconds
        self._core = core
        self._runner = runner

    def fill(self) -> None:
        """Have some thousands of chats in the log."""
        first_answer(self._process, self._target)
        self._load(_FILL)

    def round(self, names: Sequence[str]) -> Round:
        """Measure each state of the dashboard once."""
        return {name: self._figures(name) for name in names}

    def _figures(self, name: str) -> Figures:
        asked: list[int] = []
        with page(self._freellm, self._port, name, self._core, asked):
            began = perf_counter()
            flat = self._load(CONNECTIONS)
            used, paced_from = self._process.cpu_seconds(), perf_counter()
            paced = self._load(CONNECTIONS, RATE)
            ended = perf_counter()
            used = self._process.cpu_seconds() - used
        return {
            "paced_p50_ms": paced.p50_ms,
            "paced_p99_ms": paced.p99_ms,
            "paced_cpu_ms": used / (ended - paced_from) * 1000,
            "flat_p50_ms": flat.p50_ms,
            "flat_p99_ms": flat.p99_ms,
            "flat_per_second": flat.requests_per_second,
            "asked_per_second": sum(asked) / (ended - began),
        }

    def _load(self, connections: int, rate: float | None = None) -> Load:
        warm_up = min(0.5, self._seconds / 6)
        load = self._runner.run(measure(self._target, connections, self._seconds, warm_up, rate))
        if load.errors or load.refused:
            raise BenchmarkError(f"{load.errors} errors and {load.refused} refusals: {load.first_error}")
        return load


def play(rounds: int, seconds: float, keys_each: int) -> list[Round]:
    """Run the comparison.

    :raises BenchmarkError: when a process does not start, or an answer was bad
    """
    cores, names = Cores.available(), [CLOSED, *PAGES]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freellm-bench-")))
        stack.enter_context(pinned(cores.load))
        _, upstream_port = stack.enter_context(mock_upstream(folder, cores.load))
        freellm = Freellm(upstream_port, folder, cores, keys_each)
        process, port = stack.enter_context(freellm.start())
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        comparison = Comparison(freellm, process, port, seconds, cores.load, runner)
        comparison.fill()
        turns = [number % len(names) for number in range(rounds)]
        return [comparison.round([*names[turn:], *names[:turn]]) for turn in turns]


def medians(rounds: Sequence[Round]) -> Round:
    """Return the median of every figure of every state over the rounds."""
    return {
        name: {figure: median(one[name][figure] for one in rounds) for figure, _, _ in COLUMNS}
        for name in (CLOSED, *PAGES)
    }


def ratios(rounds: Sequence[Round]) -> Round:
    """Return the figures with a page open divided by those without: medians of the rounds' own ratios."""
    return {
        name: {
            figure: median(one[name][figure] / one[CLOSED][figure] for one in rounds)
            for figure, _, _ in COLUMNS
            if figure != "asked_per_second"
        }
        for name in PAGES
    }


def print_report(rounds: Sequence[Round], console: Console) -> None:
    """Print the medians and the ratios."""
    middle, ratio = medians(rounds), ratios(rounds)
    table = Table(title=f"medians of {len(rounds)} rounds")
    for title in ("figure", *middle, *(f"{name} / {CLOSED}" for name in ratio)):
        table.add_column(title, justify="left" if title == "figure" else "right")
    for figure, title, form in COLUMNS:
        shares = [f"{one[figure]:.2f}" if figure in one else "" for one in ratio.values()]
        table.add_row(title, *(form.format(one[figure]) for one in middle.values()), *shares)
    console.print(table)


@click.command()
@click.option("--rounds", default=9, show_default=True, type=click.IntRange(1, 100), help="How many rounds.")
@SECONDS
@KEYS_EACH
@AS_JSON
def main(rounds: int, seconds: float, keys_each: int, *, as_json: bool) -> None:
    """Measure chats with and without an open dashboard; never fails for being slow."""
    end_orderly_on_signals()
    try:
        played = play(rounds, seconds, keys_each)
    except BenchmarkError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        told = {"medians": medians(played), "ratios": ratios(played), "rounds": played}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        print_report(played, Console())


if __name__ == "__main__":
    main()
