"""Options that many commands have."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import click

data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the database; FREELLM_DATA_DIR says the same.",
)

url = click.option("--url", help="The proxy; the one of the settings on this machine unless stated.")

api_key_env = click.option(
    "--api-key-env",
    default="FREELLM_API_KEY",
    show_default=True,
    metavar="NAME",
    help="The variable that holds the unified key; unset, the key is taken from the data folder.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")

PICKED_UP: Final = "a running server picks this up within a second"

INSTALL_ONE: Final = (
    "Install one: pip install freellm-provider-NAME (in a clone: pip install ./plugins/freellm_provider_NAME)"
)
"""What to do where no provider is installed."""


def with_folder(command: str, folder: Path | None) -> str:
    """Return a command to suggest, with the option that names the data folder if the user gave it."""
    return command if folder is None else f"{command} --data-dir {shlex.quote(str(folder))}"
