"""`freellm backup`: a copy of the database."""

from __future__ import annotations

from pathlib import Path

import click

from freellm.cli import options, printing


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@options.data_dir
@options.as_json
def backup(file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Copy the database, also while a server runs.

    FILE is new. The keys in it are encrypted and open only with the master key, which is not in it: keep a copy of that
    elsewhere (see `docs/storage-and-secrets.md`). To restore, stop the server and put the copy in the database's place.
    """
    from freellm.administration.backup import back_up
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        size = back_up(folder, file)
    if as_json:
        printing.document({"file": str(file), "bytes": size})
    else:
        click.echo(f"Copied the database to {file} ({size:,} bytes); the master key is not in it.")
