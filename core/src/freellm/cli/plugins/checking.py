"""`freellm plugins check`: examine an installed provider with the conformance kit, offline."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.testing.contract import Result


@click.command("check")
@click.argument("name")
@click.option(
    "--cases",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where its golden cases are; found by itself when the package ships them, or is installed with -e.",
)
@click.option(
    "--examples",
    type=click.IntRange(0),
    default=25,
    show_default=True,
    help="How many examples of each property to generate.",
)
@options.data_dir
@options.as_json
@click.pass_context
def check(
    context: click.Context,
    name: str,
    cases: Path | None,
    examples: int,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Examine a provider: whether it keeps to the contract.

    NAME is the id of a provider, installed or a file in the data folder. Nothing is sent anywhere. What breaks the contract is told with the hook that did
    it, what was expected, and the cure; the exit code is then 1.
    """
    from freellm.cli.plugins.listing import wanted
    from freellm.errors import PluginError
    from freellm.plugin_files import load_files
    from freellm.testing.contract import checks, examine
    from freellm.testing.finding import cases_of, find

    with contextlib.redirect_stdout(sys.stderr):  # plugins may print when they are imported
        checks()
        folder = wanted(data_dir)[1]
        record = find(name, load_files(folder) if folder else ())
        if record.status != "loaded":
            raise PluginError(f"{record.distribution} cannot be examined: {record.reason}")
        if sys.stderr.isatty():
            printing.note(f"Examining {name} …")
        results = list(examine(name, record.plugin, cases=cases_of(record, cases), examples=examples))
    failed = [result for result in results if result.status == "failed"]
    if as_json:
        printing.document(
            {
                "provider": name,
                "distribution": record.distribution,
                "version": record.version,
                "passed": not failed,
                "checks": [_row(result) for result in results],
            }
        )
    else:
        _print(name, results, failed)
    context.exit(1 if failed else 0)


def _row(result: Result) -> dict[str, str]:
    return {field: getattr(result, field) for field in result.__struct_fields__}


def _print(name: str, results: list[Result], failed: list[Result]) -> None:
    printing.table(
        ["check", "result", "reason"],
        [
            (result.check, result.status, result.what if result.status == "skipped" else "")
            for result in results
        ],
        long=["reason"],
    )
    seen: dict[tuple[str, str], str] = {}
    for result in failed:
        click.echo(f"\n{result.check} failed")
        earlier = seen.setdefault((result.hook, result.what), result.check)
        for line in (
            result.lines()
            if earlier == result.check
            else [f"found: the same as {earlier}", *result.lines()[1:3]]
        ):
            click.echo("\n".join(f"    {printing.plain(part)}" for part in line.splitlines()))
    skipped = sum(result.status == "skipped" for result in results)
    told = f"{len(results) - len(failed) - skipped} checks passed, {len(failed)} failed, {skipped} had nothing to look at"
    verdict = "breaks the contract" if failed else "keeps to the contract"
    click.echo(f"\n{name} {verdict}: {told}.")
