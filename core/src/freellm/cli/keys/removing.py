"""`freellm keys remove`: delete a stored key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.keyring import ProviderKey


@click.command("remove")
@click.argument("which", metavar="ID")
@options.data_dir
@options.as_json
def remove(which: str, data_dir: Path | None, as_json: bool) -> None:
    """Delete a stored key, or a server of your own.

    ID is the key's id, the first digits of it, or its label; or the name of a server you added, which goes with all its
    keys. The last key of such a server takes it along. A key of the environment is not stored: unset its variable.
    """
    from freellm.administration.keys import remove_key
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        removed = remove_key(folder, which)
        if removed.keys is not None:
            _say_instance(folder, removed.provider, removed.keys, as_json)
        elif removed.key is not None:
            _say_key(removed.key, as_json)


def _say_key(key: ProviderKey, as_json: bool) -> None:
    if as_json:
        printing.document({"removed": True, "id": key.id, "provider": key.provider, "label": key.label})
    else:
        called = f" {key.label!r}" if key.label else ""
        click.echo(f"Removed the {key.provider} key{called} ({key.id[:8]}); {options.PICKED_UP}.")


def _say_instance(folder: DataFolder, name: str, keys: Sequence[str], as_json: bool) -> None:
    if as_json:
        printing.document({"removed": True, "provider": name, "keys": list(keys)})
        return
    held = "1 key" if len(keys) == 1 else f"{len(keys)} keys"
    click.echo(f"Removed {name} with {held} and what was known of its models; {options.PICKED_UP}.")
    if name in folder.settings.instances:
        click.echo(f"[instances.{name}] is still in config.toml; delete it there before the next start.")
