"""`freellm stress`: fire requests at a running proxy and say who answered, from when to when, and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.stress.firing import Load
    from freellm.measuring import Result

PROMPT = "Give me one interesting fact about space in exactly 20 words."


@click.command("stress")
@click.option("--requests", default=100, show_default=True, type=click.IntRange(min=1), help="How many.")
@click.option(
    "--delay",
    default=0.2,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds between two requests.",
)
@click.option("--model", default="auto", show_default=True, help="The model that is asked for.")
@options.url
@options.api_key_env
@click.option(
    "--concurrency", default=1, show_default=True, type=click.IntRange(1, 1000), help="Requests at once."
)
@click.option("--stream", is_flag=True, help="Ask for streams.")
@click.option("--prompt", default=PROMPT, show_default=True, help="What is sent.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest answer, in tokens.")
@options.data_dir
@options.as_json
def stress(
    requests: int,
    delay: float,
    model: str,
    url: str | None,
    api_key_env: str,
    concurrency: int,
    stream: bool,
    prompt: str,
    max_tokens: int | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Fire requests at a running proxy and say who answered.

    Prints the phases (which model served which requests, and why it was another one after that), then success rate,
    429s on both sides, latency and errors. The requests are real: they spend quota. The exit code is 1 when a
    request failed.
    """
    from freellm.cli.stress.firing import Load
    from freellm.cli.target import find_target

    root, api_key = find_target(url, api_key_env, data_dir)
    load = Load(
        url=root,
        api_key=api_key,
        model=model,
        prompt=prompt,
        max_tokens=max_tokens,
        stream=stream,
        requests=requests,
        delay=delay,
        concurrency=concurrency,
    )
    results, duration, interrupted = _run(load, quiet=as_json)
    _report(load, results, duration, interrupted, as_json)


def _run(load: Load, *, quiet: bool) -> tuple[list[Result], float, bool]:
    import asyncio

    from freellm.cli.stress.firing import fire

    results: list[Result] = []
    started = time.perf_counter()
    interrupted = False
    with _progress(load.requests, quiet) as advance:

        def done(result: Result) -> None:
            results.append(result)
            advance(result)

        try:
            asyncio.run(fire(load, done))
        except KeyboardInterrupt:  # what came until then is told
            interrupted = True
    results.sort(key=lambda result: result.number)
    return results, time.perf_counter() - started, interrupted


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[Result], None]]:
    """Show a progress bar on a terminal's stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    failed = 0
    with Progress(
        *columns, console=console, transient=True, disable=quiet or not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=total)

        def advance(result: Result) -> None:
            nonlocal failed
            failed += not result.succeeded
            told = f"  {failed} failed" if failed else ""
            progress.update(task, advance=1, description=printing.plain(f"{result.model or 'nobody'}{told}"))

        yield advance


def _report(load: Load, results: list[Result], duration: float, interrupted: bool, as_json: bool) -> None:
    import msgspec

    from freellm.cli.stress.report import show
    from freellm.measuring import figures, phases

    found = phases(results)
    counted = {"duration_s": duration, **figures(results)}
    if as_json:
        asked = {
            name: getattr(load, name)
            for name in ("url", "model", "requests", "delay", "concurrency", "stream")
        }
        told = {"phases": msgspec.to_builtins(found), "results": msgspec.to_builtins(results)}
        printing.document({**asked, "interrupted": interrupted, **counted, **told})
    else:
        show(counted, found)
    if interrupted:
        click.get_current_context().exit(130)
    if counted["failed"]:
        raise click.ClickException(f"{counted['failed']} of {len(results)} requests failed")
