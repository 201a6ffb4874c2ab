"""`freellm compare`: put one prompt to several models of a running proxy and set their answers side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.compare.asking import Comparison
    from freellm.measuring import Compared


@click.command("compare")
@click.argument("prompt", required=False)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    help="A model to ask; repeatable. Unless stated, the three best that are open, each of another family.",
)
@click.option(
    "--stdin", is_flag=True, help="Read the prompt from standard input; the prompt - says the same."
)
@click.option("--system", help="A system message for all of them.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest answer, in tokens.")
@click.option("--sequential", is_flag=True, help="Ask one after the other instead of all at once.")
@options.url
@options.api_key_env
@options.data_dir
@options.as_json
def compare(
    prompt: str | None,
    models: tuple[str, ...],
    stdin: bool,
    system: str | None,
    max_tokens: int | None,
    sequential: bool,
    url: str | None,
    api_key_env: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Put one prompt to several models, side by side.

    Prints a table (who answered, how fast, with how many tokens) and the answers. The requests are real: they spend
    quota. The exit code is 1 when a model failed; the others' answers are printed all the same.
    """
    from freellm.cli.compare.asking import Comparison
    from freellm.cli.target import find_target

    text = _prompt(prompt, stdin)
    root, api_key = find_target(url, api_key_env, data_dir)
    comparison = Comparison(
        url=root,
        api_key=api_key,
        models=models,
        prompt=text,
        system=system,
        max_tokens=max_tokens,
        sequential=sequential,
    )
    answers, interrupted = _ask(comparison, quiet=as_json)
    _report(comparison, answers, interrupted, as_json)


def _prompt(prompt: str | None, stdin: bool) -> str:
    """Return the prompt, wherever it is.

    :raises UsageError: when it is nowhere, empty, or in two places
    """
    if stdin and prompt not in {None, "-"}:
        raise click.UsageError("the prompt is stated and --stdin too; leave one of them out")
    if prompt is None and not stdin:
        raise click.UsageError("there is no prompt; state it, or - to read it from standard input")
    text = sys.stdin.read() if stdin or prompt == "-" else prompt or ""
    if not text.strip():
        raise click.UsageError("the prompt is empty; state what the models are to answer")
    return text


def _ask(comparison: Comparison, *, quiet: bool) -> tuple[list[Compared], bool]:
    import asyncio

    from freellm.cli.compare.asking import ask

    answers: dict[int, Compared] = {}
    interrupted = False
    with _waiting(quiet) as told:

        def done(place: int, answer: Compared) -> None:
            answers[place] = answer
            told(len(answers))

        try:
            asyncio.run(ask(comparison, done))
        except KeyboardInterrupt:  # who has answered until then is told
            interrupted = True
    return [answers[place] for place in sorted(answers)], interrupted


@contextmanager
def _waiting(quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show on a terminal's stderr that answers are awaited."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda answered: None
        return
    with console.status("asking the models") as status:
        yield lambda answered: status.update(f"asking the models: {answered} have answered")


def _report(comparison: Comparison, answers: list[Compared], interrupted: bool, as_json: bool) -> None:
    import msgspec

    from freellm.cli.compare.report import show

    failed = sum(answer.error is not None for answer in answers)
    if as_json:
        asked = {
            name: getattr(comparison, name)
            for name in ("url", "prompt", "system", "max_tokens", "sequential")
        }
        told = {"interrupted": interrupted, "failed": failed, "answers": msgspec.to_builtins(answers)}
        printing.document({**asked, **told})
    elif answers:
        show(answers)
    if interrupted:
        click.get_current_context().exit(130)
    if failed:
        raise click.ClickException(f"{failed} of {len(answers)} models failed; what each said is above")
