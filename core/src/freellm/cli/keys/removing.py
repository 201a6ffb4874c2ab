"""`freellm keys remove`: delete a stored key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder


@click.command("remove")
@click.argument("which", metavar="ID")
@options.data_dir
@options.as_json
def remove(which: str, data_dir: Path | None, as_json: bool) -> None:
    """Delete a stored key, or a server of your own.

    ID is the key's id, the first digits of it, or its label; or the name of a server you added, which goes with all its
    keys. The last key of such a server takes it along. A key of the environment is not stored: unset its variable.
    """
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        if folder.store.instances.get(which) or which in folder.settings.instances:
            _remove_instance(folder, which, as_json)
        else:
            _remove_key(folder, which, as_json)


def _remove_key(folder: DataFolder, which: str, as_json: bool) -> None:
    from freellm.cli.keys.finding import the_one

    keys = folder.keyring.all()
    key = the_one(keys, which)
    if key.source == "environment":
        variables = " ".join(key.label.split("+"))
        raise SettingsError(f"this key is in the environment and not stored: unset {variables}")
    if key.source == "keyless":
        raise SettingsError(f"{key.provider} is used without a key; there is nothing to remove")
    stored = [other for other in keys if other.provider == key.provider and other.source == "stored"]
    if stored == [key] and folder.store.instances.get(key.provider):
        _remove_instance(folder, key.provider, as_json)
        return
    folder.store.keys.remove(key.id)
    if as_json:
        printing.document({"removed": True, "id": key.id, "provider": key.provider, "label": key.label})
    else:
        called = f" {key.label!r}" if key.label else ""
        click.echo(f"Removed the {key.provider} key{called} ({key.id[:8]}); {options.PICKED_UP}.")


def _remove_instance(folder: DataFolder, name: str, as_json: bool) -> None:
    keys = [row.uuid for row in folder.store.keys.all() if row.provider == name]
    if not folder.store.instances.remove(name):
        raise SettingsError(
            f"{name} stands in config.toml: delete [instances.{name}] there and restart freellm serve"
        )
    if as_json:
        printing.document({"removed": True, "provider": name, "keys": keys})
        return
    held = "1 key" if len(keys) == 1 else f"{len(keys)} keys"
    click.echo(f"Removed {name} with {held} and what was known of its models; {options.PICKED_UP}.")
    if name in folder.settings.instances:
        click.echo(f"[instances.{name}] is still in config.toml; delete it there before the next start.")
