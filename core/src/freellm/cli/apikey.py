"""`freellm apikey`: the unified key, which clients send."""

from __future__ import annotations

from pathlib import Path

import click

from freellm.cli import options, printing


@click.command("show")
@options.data_dir
@options.as_json
def show(data_dir: Path | None, as_json: bool) -> None:
    """Print the unified key, which clients send.

    Nothing else is printed, so that "$(freellm apikey show)" is the key. The first call generates it, unless
    FREELLM_API_KEY fixes it.
    """
    from freellm.administration.apikey import show as shown
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        key, source = shown(folder)
    _print(key.reveal(), source, as_json)


@click.command("rotate")
@options.data_dir
@options.as_json
def rotate(data_dir: Path | None, as_json: bool) -> None:
    """Replace the unified key; the old one opens nothing.

    Prints the new key and nothing else.
    """
    from freellm.administration.apikey import rotate as rotated
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        key = rotated(folder)
    _print(key.reveal(), "database", as_json)
    if not as_json:
        printing.note(f"The old key opens nothing any more; {options.PICKED_UP}.")


def _print(key: str, source: str, as_json: bool) -> None:
    if as_json:
        printing.document({"api_key": key, "source": source})
    else:
        click.echo(key)
