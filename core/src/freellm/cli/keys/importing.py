"""`freellm keys import`: the provider keys of a .env file."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.administration.importing import Taken


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be taken; ask nobody and store nothing.")
@click.option("--no-check", is_flag=True, help="Store the keys without asking the providers.")
@options.data_dir
@options.as_json
def import_(file: Path, dry_run: bool, no_check: bool, data_dir: Path | None, as_json: bool) -> None:
    """Take the provider keys of a .env file.

    Takes the variables in which the providers' keys usually are, checks each key, and stores those that are not
    refused. Other variables are left alone; - reads stdin. The exit code is 1 when a key was not stored.
    """
    from freellm.administration.importing import import_keys
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        variables = _read(file)
        with contextlib.redirect_stdout(sys.stderr):  # a hook that prints must not get into a JSON document
            taken, ignored = asyncio.run(import_keys(folder, variables, preview=dry_run, check=not no_check))
        _show(taken, ignored, dry_run, as_json)
        if missed := [row.provider for row in taken if row.outcome in ("refused", "wrong")]:
            verb = "cannot be taken" if dry_run else "were not stored"
            raise click.ClickException(
                f"{len(missed)} of {len(taken)} keys {verb} ({', '.join(missed)}); the reasons are above"
            )


def _read(file: Path) -> Mapping[str, str]:
    from freellm.keyring import parse_environment_file

    name = "stdin" if str(file) == "-" else str(file)
    try:
        with click.open_file(str(file), encoding="utf-8") as stream:
            return parse_environment_file(stream.read())
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name} is not text in UTF-8, so it is no .env file") from None
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None


def _show(taken: Sequence[Taken], ignored: Sequence[str], dry_run: bool, as_json: bool) -> None:
    if as_json:
        rows: list[Any] = [msgspec.structs.asdict(row) for row in taken]
        for row in rows:
            del row["masked"]
        printing.document({"dry_run": dry_run, "keys": rows, "ignored": ignored})
        return
    if taken:
        printing.table(
            ["provider", "variable", "what", "state", "reason"],
            [(row.provider, row.variable, row.outcome, row.state, row.reason) for row in taken],
            long=["reason"],
        )
    else:
        click.echo("There is no key of an installed provider in it.")
    if ignored:
        click.echo(f"Left alone: {', '.join(ignored)}.")
    if any(row.outcome == "stored" for row in taken):
        click.echo(f"Next: freellm serve ({options.PICKED_UP})")
