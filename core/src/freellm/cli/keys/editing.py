"""`freellm keys edit`: what a person may change of a stored key."""

from __future__ import annotations

from pathlib import Path

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError


@click.command("edit")
@click.argument("which", metavar="ID")
@click.option("--label", help="What you call it.")
@click.option("--enable/--disable", "enabled", default=None, help="Use it, or do not for now.")
@click.option(
    "--unlimited/--limited",
    default=None,
    help="It is on a paid plan: count its use, never refuse it; or the free tier's limits hold.",
)
@options.data_dir
@options.as_json
def edit(
    which: str,
    label: str | None,
    enabled: bool | None,
    unlimited: bool | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Change a stored key's label or use.

    ID is the key's id, the first digits of it, or its label. Prints the key as `freellm keys list` does.
    """
    from freellm.administration.keys import edit_key
    from freellm.administration.words import described
    from freellm.cli.folder import open_folder
    from freellm.cli.keys.listing import show

    if label is None and enabled is None and unlimited is None:
        raise SettingsError("say what to change: --label, --enable, --disable, --unlimited or --limited")
    with open_folder(data_dir) as folder:
        key = edit_key(folder, which, label=label, enabled=enabled, unlimited=unlimited)
        row = described(folder, key)
        if as_json:
            printing.document({"keys": [row]})
        else:
            show([row])
            printing.note(f"{options.PICKED_UP[0].upper()}{options.PICKED_UP[1:]}.")
