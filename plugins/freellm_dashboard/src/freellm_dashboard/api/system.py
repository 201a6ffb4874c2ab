"""Plugins, settings and the copy of the database."""

from __future__ import annotations

import asyncio
import platform
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from freellm.administration.backup import back_up
from freellm.administration.settings import described
from freellm.plugin_files import FOLDER
from freellm.version import VERSION
from freellm_dashboard.answers import answer
from freellm_dashboard.api.desk import Desk
from freellm_dashboard.api.endpoints import FILE
from freellm_dashboard.headers import API
from freellm_dashboard.shapes.system import Install, PluginRow, Plugins, Setting, Settings

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder
    from freellm.plugins import PluginRecord

_COMMANDS: Final = "freellm.commands"
_CHUNK: Final = 256 * 1024

_INSTALL: Final = (
    Install(title="Add a package from the package index", command="pip install freellm-provider-NAME"),
    Install(title="Begin a provider of your own", command="freellm plugins new NAME"),
    Install(title="See whether a provider keeps to the contract", command="freellm plugins check NAME"),
)


class SystemDesk:
    """Handlers of `/api/plugins`, `/api/settings` and `/api/backup`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._proxy = desk.proxy

    async def plugins(self, request: web.Request) -> web.Response:
        """List the installed plugins."""
        rows = await self._desk.work(_plugins, list(self._proxy.plugins))
        folder = str(self._proxy.settings.data_dir / FOLDER)
        return answer(Plugins(plugins=rows, folder=folder, install=list(_INSTALL)))

    async def settings(self, request: web.Request) -> web.Response:
        """Show the settings."""
        url = f"{request.scheme}://{request.host}/v1"
        return answer(await self._desk.work(_settings, url, self._proxy.demo))

    async def backup(self, request: web.Request) -> web.StreamResponse:
        """Send a copy of the database."""
        name = f"freellm-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
        with tempfile.TemporaryDirectory(prefix="freellm-backup-") as folder:
            copy = Path(folder) / name
            size = await self._desk.work(back_up, copy)
            response = web.StreamResponse(
                headers={
                    **API,
                    "Content-Type": FILE,
                    "Content-Length": str(size),
                    "Content-Disposition": f'attachment; filename="{name}"',
                }
            )
            await response.prepare(request)
            with copy.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, _CHUNK):
                    await response.write(chunk)
            await response.write_eof()
            return response


def _plugins(folder: DataFolder, records: Sequence[PluginRecord]) -> list[PluginRow]:
    """Describe the plugins, each with the sentence that its package says about itself."""
    rows = [
        PluginRow(
            id=record.id,
            kind="provider" if record.group == "freellm.providers" else "plugin",
            package=record.distribution,
            version=record.version,
            summary=_summary(record.distribution),
            status=record.status,
            hooks=list(record.hooks),
            reason=record.reason,
        )
        for record in records
    ]
    return [*rows, *_commands()]


def _commands() -> Iterator[PluginRow]:
    """Describe the commands that plugins bring, without importing them."""
    for point in sorted(metadata.entry_points(group=_COMMANDS), key=lambda point: point.name):
        package = point.dist.name if point.dist else "?"
        yield PluginRow(
            id=point.name,
            kind="command",
            package=package,
            version=point.dist.version if point.dist else "?",
            summary=_summary(package),
            status="on demand",
            hooks=[],
            reason="",
        )


def _summary(package: str) -> str:
    try:
        return metadata.metadata(package)["Summary"] or ""
    except (metadata.PackageNotFoundError, ValueError, KeyError):
        return ""  # a plugin that is a file


def _settings(folder: DataFolder, url: str, demo: bool) -> Settings:
    settings = folder.settings
    return Settings(
        version=VERSION,
        python=platform.python_version(),
        openai_base_url=url,
        data_dir=str(settings.data_dir),
        database_bytes=folder.store.file.stat().st_size,
        config_file=str(settings.data_dir / "config.toml"),
        demo=demo,
        auth=not settings.no_auth,
        settings=[
            Setting(
                name=one.name, environment=one.environment, value=one.value, source=one.source, help=one.help
            )
            for one in described(folder)
        ],
    )
