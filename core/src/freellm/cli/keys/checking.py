"""`freellm keys check`: ask the providers about the keys there are."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.keyring import ProviderKey


@click.command("check")
@click.argument("which", metavar="[ID|PROVIDER]", required=False)
@options.data_dir
@options.as_json
def check(which: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Ask the providers whether the keys are valid.

    All keys, those of one provider, or one by its id, its first digits or its label. Spends no quota. The exit code
    is 1 when a key was refused.
    """
    from freellm.administration.words import described
    from freellm.cli.folder import open_folder
    from freellm.cli.keys.listing import show

    with open_folder(data_dir) as folder:
        known = _checked(folder, _chosen(folder, which))
        rows = [described(folder, key) for key in known]
        if as_json:
            printing.document({"keys": rows})
        elif rows:
            show(rows)
        else:
            click.echo("There is no key to check; freellm keys add stores one.")
        refused = [key for key in known if key.state == "invalid"]
        if refused:
            cures = " and ".join(sorted({f"freellm keys add {key.provider}" for key in refused}))
            raise click.ClickException(
                f"{len(refused)} of {len(known)} keys cannot be used; replace: {cures}"
            )


def _chosen(folder: DataFolder, which: str | None) -> list[ProviderKey]:
    from freellm.administration.finding import find

    keys = folder.keyring.all()
    if which is None:
        return [key for key in keys if key.source != "keyless"]
    if which in folder.providers:
        own = which in folder.roster.instances()  # a server of one's own can be asked without a key, too
        return [key for key in keys if key.provider == which and (own or key.source != "keyless")]
    return find(keys, which)


def _checked(folder: DataFolder, keys: Sequence[ProviderKey]) -> list[ProviderKey]:
    from freellm.administration.keys import askable, check_keys

    asked = sum(askable(folder, key) for key in keys)
    if asked and sys.stderr.isatty():
        printing.note(f"Asking about {asked} keys …")
    with contextlib.redirect_stdout(sys.stderr):  # a hook that prints must not get into a JSON document
        return [key for key, _ in asyncio.run(check_keys(folder, keys))]
