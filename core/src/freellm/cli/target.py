"""Which running proxy a command asks, and with which key."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from freellm.cli.folder import DataFolder, open_folder
from freellm.errors import SettingsError
from freellm.settings import Settings, check_base_url, is_loopback
from freellm.store.store import DATABASE_FILE
from freellm.vault import unified_key

_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - an address to listen on is not one to connect to


def find_target(url: str | None, variable: str, data_dir: Path | None) -> tuple[str, str]:
    """Return the proxy's root and the unified key; an empty key for a proxy of this machine that has none yet.

    The key of the data folder is for a proxy on this machine and is sent to no other.

    :param url: what the command line says
    :param variable: the environment variable that may hold the key
    :raises SettingsError: when the address is none, or a proxy elsewhere is named without a key
    """
    with open_folder(data_dir) as folder:
        root = find_url(url, folder.settings)
        given = os.environ.get(variable, "").strip()
        if given:
            return root, given
        if not is_loopback(urlsplit(root).hostname or ""):
            raise SettingsError(f"{root} is not on this machine: put its unified key into {variable}")
        return root, _kept(folder)


def find_url(url: str | None, settings: Settings) -> str:
    """Return a proxy's root.

    :param url: what the command line says; None: the one of the settings on this machine
    :raises SettingsError: when the address is none
    """
    return _root(url) if url else _local(settings)


def _root(url: str) -> str:
    try:
        return check_base_url(url if "://" in url else f"http://{url}").removesuffix("/v1")
    except SettingsError as error:
        raise SettingsError(f"--url: {error}") from None


def _local(settings: Settings) -> str:
    host = _ANY.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{settings.port or Settings().port}"


def _kept(folder: DataFolder) -> str:
    if folder.settings.api_key is not None:
        return folder.settings.api_key.get_secret_value()
    if not (folder.settings.data_dir / DATABASE_FILE).exists():
        return ""  # nothing has been served from here; asking is no reason to make a database
    return unified_key(folder.store, folder.vault).reveal()
