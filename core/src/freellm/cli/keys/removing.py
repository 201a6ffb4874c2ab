"""`freellm keys remove`: delete a stored key."""

from __future__ import annotations

from pathlib import Path

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError


@click.command("remove")
@click.argument("which", metavar="ID")
@options.data_dir
@options.as_json
def remove(which: str, data_dir: Path | None, as_json: bool) -> None:
    """Delete a stored key.

    ID is the key's id, the first digits of it, or its label. A key of the environment is not stored: unset its
    variable.
    """
    from freellm.cli.folder import open_folder
    from freellm.cli.keys.finding import the_one

    with open_folder(data_dir) as folder:
        key = the_one(folder.keyring.all(), which)
        if key.source == "environment":
            variables = " ".join(key.label.split("+"))
            raise SettingsError(f"this key is in the environment and not stored: unset {variables}")
        if key.source == "keyless":
            raise SettingsError(f"{key.provider} is used without a key; there is nothing to remove")
        folder.store.keys.remove(key.id)
        if as_json:
            printing.document({"removed": True, "id": key.id, "provider": key.provider, "label": key.label})
        else:
            called = f" {key.label!r}" if key.label else ""
            click.echo(f"Removed the {key.provider} key{called} ({key.id[:8]}); {options.PICKED_UP}.")
