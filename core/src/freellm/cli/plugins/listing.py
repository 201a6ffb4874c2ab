"""`freellm plugins list`: what is installed, what it answers, and what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.plugins import PluginRecord

_KINDS = {"freellm.providers": "provider", "freellm.plugins": "plugin", "freellm.commands": "command"}


@click.command("list")
@options.data_dir
@options.as_json
def list_(data_dir: Path | None, as_json: bool) -> None:
    """List the installed plugins and what is wrong with them.

    Works whatever is broken: a plugin that is not loaded stands there with the reason and the cure.
    """
    with contextlib.redirect_stdout(sys.stderr):  # plugins may print when they are imported
        rows = [*map(_row, _records(data_dir)), *_commands()]
    if as_json:
        printing.document({"plugins": rows})
    elif not rows:
        click.echo(f"No plugin is installed. {options.INSTALL_ONE}")
    else:
        printing.table(
            ["id", "kind", "package", "version", "status", "hooks", "reason"],
            [
                (row["id"], _KINDS[row["group"]], row["distribution"], row["version"], row["status"],
                 _hooks(row), row["reason"])
                for row in rows
            ],
            long=["hooks", "reason"],
        )  # fmt: skip


def _records(data_dir: Path | None) -> list[PluginRecord]:
    from freellm.extensions import load_extensions
    from freellm.plugin_files import load_files
    from freellm.providers import load_providers

    only, folder = wanted(data_dir)
    files = load_files(folder, only) if folder else []
    return [*load_providers(only, files)[1], *load_extensions(only, files=files)[1]]


def wanted(data_dir: Path | None) -> tuple[Sequence[str] | None, Path | None]:
    """Return what the settings want loaded, and the data folder as far as it is known."""
    from freellm.settings import load_settings

    try:
        settings = load_settings(os.environ, {"data_dir": data_dir})
    except SettingsError as error:
        printing.note(f"The settings are wrong, so all installed plugins are looked at: {error}")
        return None, data_dir
    return settings.load_plugins, settings.data_dir


def _row(record: PluginRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "group": record.group,
        "distribution": record.distribution,
        "version": record.version,
        "status": record.status,
        "hooks": list(record.hooks),
        "reason": record.reason,
    }


def _commands() -> Iterator[dict[str, Any]]:
    """Describe the commands that plugins bring, without importing them."""
    from freellm.cli import cli
    from freellm.cli.program import GROUP, problem_of

    for name, points in sorted(cli.offered.items()):
        problem = problem_of(name, points, cli.rows)
        for point in points:
            yield {
                "id": name,
                "group": GROUP,
                "distribution": point.dist.name if point.dist else "?",
                "version": point.dist.version if point.dist else "?",
                "status": "refused" if problem else "on demand",
                "hooks": [],
                "reason": problem or "",
            }


def _hooks(row: dict[str, Any]) -> str:
    from freellm.hookspecs import ProviderSpec

    if row["group"] == "freellm.providers":
        every = [name for name in vars(ProviderSpec) if not name.startswith("_")]
        if len(row["hooks"]) == len(every):
            return f"all {len(every)}"
    return ", ".join(row["hooks"])
