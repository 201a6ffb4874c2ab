"""`freellm models sync`: what providers' own lists, and the catalogue file, change."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freellm.cli import options, printing
from freellm.errors import CatalogueError, SettingsError

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.sync.files import Taken
    from freellm.sync.lists import ListReport


@click.command("sync")
@click.argument("providers", metavar="[PROVIDER]...", nargs=-1)
@click.option(
    "--catalogue", metavar="PATH|URL", help="Take this catalogue file, instead of the settings' one."
)
@options.data_dir
@options.as_json
def sync(providers: tuple[str, ...], catalogue: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Compare the models with the providers' own lists.

    All providers with a key, or those that are named; the catalogue file of the settings is fetched first. Spends no quota, but for one request to each retired model that
    is listed again. The exit code is 1 when the catalogue file was refused or no provider could be asked.
    """
    from freellm.administration.syncing import chosen_providers, synced
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        chosen = chosen_providers(folder, providers)
        source = _source(folder, catalogue)
        if sys.stderr.isatty():
            printing.note(f"Asking {len(chosen)} providers …")
        # A hook that prints must not get into a JSON document.
        with contextlib.redirect_stdout(sys.stderr):
            reports, taken = asyncio.run(synced(folder, chosen, source))
        if as_json:
            printing.document(_document(reports, taken))
        else:
            _show(reports, taken, source)
        if isinstance(taken, CatalogueError):
            raise click.ClickException(f"{taken}; nothing of it was taken over")
        if reports and all(report.listed is None for report in reports):
            raise click.ClickException("no provider could be asked for its list; the reasons are above")


def _source(folder: DataFolder, catalogue: str | None) -> str | None:
    from freellm.settings import check_source

    if catalogue is None:
        return folder.settings.catalogue
    if folder.settings.catalogue_key is None:
        raise SettingsError(
            "--catalogue needs catalogue_key in config.toml, or FREELLM_CATALOGUE_KEY: the public key that the file "
            "is signed with; its publisher states it"
        )
    try:
        return check_source(catalogue)
    except ValueError as error:
        raise SettingsError(f"--catalogue: {error}") from None


def _document(reports: Sequence[ListReport], taken: Taken | CatalogueError | None) -> dict[str, Any]:
    from msgspec.structs import asdict

    if isinstance(taken, CatalogueError):
        catalogue: dict[str, Any] | None = {"taken": False, "problem": str(taken)}
    else:
        catalogue = None if taken is None else {"taken": True, "problem": "", **asdict(taken)}
    return {
        "providers": [
            {**asdict(report), "changes": [asdict(change) for change in report.changes]} for report in reports
        ],
        "catalogue": catalogue,
    }


def _show(reports: Sequence[ListReport], taken: Taken | CatalogueError | None, source: str | None) -> None:
    if taken is not None and not isinstance(taken, CatalogueError):
        state = "is in use from now on" if taken.is_new else "is in use already"
        skipped = f"; not installed here: {', '.join(taken.skipped)}" if taken.skipped else ""
        click.echo(f"The catalogue file {source}, serial {taken.serial}, {state}{skipped}.")
    rows = [
        (change.kind, change.model, report.provider, change.detail)
        for report in reports
        for change in sorted(report.changes, key=lambda change: (change.kind, change.model))
    ]
    if rows:
        printing.table(["what", "model", "provider", "detail"], rows, long=["detail"])
    asked = [report for report in reports if report.listed is not None]
    for report in reports:
        if report.problem:
            click.echo(printing.plain(f"{report.provider}: {report.problem}"))
    if asked:
        lists = ", ".join(f"{report.provider} {report.listed}" for report in asked)
        click.echo(f"Models listed: {lists}. {'' if rows else 'Nothing has changed. '}{_next(rows)}".rstrip())
    elif not reports:
        click.echo("There is no key to ask with; freellm keys add stores one.")


def _next(rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    return f"freellm models list --all shows them; {options.PICKED_UP}."
