"""`freellm keys list`: every key there is, and what is known of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    from freellm.administration.words import described
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        rows = [described(folder, key) for key in folder.keyring.all()]
        if as_json:
            printing.document({"keys": rows})
            return
        if rows:
            show(rows)
        if not folder.providers and not folder.roster.plugins:
            click.echo(f"No provider is installed that can be used. {options.INSTALL_ONE}")
        elif all(row["source"] == "keyless" for row in rows):
            needs_none = "These need no key; others give free ones. Get one and add it:"
            click.echo(f"\n{needs_none}\n" if rows else "There is no key yet. Get a free one and add it:\n")
            _offer(folder, {row["provider"] for row in rows}, data_dir)


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print keys as a table."""
    from freellm.administration.words import short

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


def _offer(folder: DataFolder, served: Collection[str], data_dir: Path | None) -> None:
    """Say where each provider's key is to be had, and the command that adds it.

    :param served: the providers that answer without one
    """
    from freellm.cli.folder import how_to_add

    commands = {
        options.with_folder(f"freellm keys add {provider.name}", data_dir): provider.info.signup_url
        for provider in folder.providers.values()
        if provider.name not in served and not provider.retired
    }
    width = max(map(len, commands), default=0)
    for command, url in commands.items():
        click.echo(f"  {command:<{width}}   {url}")
    for plugin in folder.roster.plugins.values():
        click.echo(
            f"\nOr add a server of your own:\n\n  {options.with_folder(how_to_add(plugin.name), data_dir)}"
        )
