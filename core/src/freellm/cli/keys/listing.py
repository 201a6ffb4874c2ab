"""`freellm keys list`: every key there is, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder


@click.command("list")
@options.data_dir
@options.as_json
def list_(data_dir: Path | None, as_json: bool) -> None:
    """List the provider keys, the environment's included.

    `untested` is what nobody has asked the provider about, or what it did not settle; it is not a good sign and not a
    bad one. `orphaned` keys are of providers that are not installed; they are kept.
    """
    from freellm.cli.folder import open_folder
    from freellm.cli.keys.words import described

    with open_folder(data_dir) as folder:
        rows = [described(folder, key) for key in folder.keyring.all()]
        if as_json:
            printing.document({"keys": rows})
        elif rows:
            show(rows)
        else:
            _nothing(folder, data_dir)


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print keys as a table."""
    from freellm.cli.keys.words import short

    printing.table(
        ["id", "provider", "label", "from", "state", "models", "checked", "reason"],
        [
            (
                short(row["id"]),
                row["provider"],
                f"{row['label']} (unlimited)" if row["unlimited"] else row["label"],
                row["source"],
                row["state"],
                len(row["models"]),
                printing.ago(row["checked_at"]),
                row["reason"],
            )
            for row in rows
        ],
        long=["reason"],
    )


def _nothing(folder: DataFolder, data_dir: Path | None) -> None:
    from freellm.cli.folder import how_to_add

    click.echo("There is no key yet. Get a free one and add it:\n")
    for provider in folder.providers.values():
        command = options.with_folder(f"freellm keys add {provider.name}", data_dir)
        click.echo(f"  {command:<32}  {provider.info.signup_url}")
    for plugin in folder.roster.plugins.values():
        click.echo(
            f"\nOr add a server of your own:\n\n  {options.with_folder(how_to_add(plugin.name), data_dir)}"
        )
