"""`freellm keys check`: ask the providers about the keys there are."""

from __future__ import annotations

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
    from freellm.cli.folder import open_folder
    from freellm.cli.keys.listing import show
    from freellm.cli.keys.words import described

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
    from freellm.cli.keys.finding import find

    keys = folder.keyring.all()
    if which is None:
        return [key for key in keys if key.source != "keyless"]
    if which in folder.providers:
        own = which in folder.roster.instances()  # a server of one's own can be asked without a key, too
        return [key for key in keys if key.provider == which and (own or key.source != "keyless")]
    return find(keys, which)


def _checked(folder: DataFolder, keys: Sequence[ProviderKey]) -> list[ProviderKey]:
    """Return the keys with what the checks found; those that cannot be opened or sent are returned as they are."""
    from freellm.cli.keys.probing import ask

    askable = [key for key in keys if _askable(folder, key)]
    if askable and sys.stderr.isatty():
        printing.note(f"Asking about {len(askable)} keys …")
    verdicts = ask(folder, [(folder.providers[key.provider], folder.keyring.open(key)) for key in askable])
    now = folder.now()
    known = {
        key.id: folder.keyring.record(key, verdict, now)
        for key, verdict in zip(askable, verdicts, strict=True)
    }
    return [known.get(key.id, key) for key in keys]


def _askable(folder: DataFolder, key: ProviderKey) -> bool:
    malformed = key.source == "environment" and not key.fields
    return key.provider in folder.providers and key.state != "unreadable" and not malformed
