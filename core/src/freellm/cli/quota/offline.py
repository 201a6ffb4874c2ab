"""Quotas as the database knows them, for when no proxy runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from freellm.capacity import overview
from freellm.catalogue import Route, build
from freellm.clearing import clear
from freellm.cli.folder import DataFolder
from freellm.errors import SettingsError
from freellm.health import Health
from freellm.ledger import Ledger
from freellm.store import AlreadyRunningError, ServerLock

NOTE = (
    "no freellm answers at {url}: this is what the database knows, without requests under way and cooldowns"
)


def quotas(folder: DataFolder) -> Any:
    """Return what `GET /v1/freellm/quotas` would, from the database."""
    ledger, now = Ledger(), folder.now()
    return msgspec.to_builtins(overview(_routes(folder, ledger, now), now))


def cleared(folder: DataFolder, name: str, url: str) -> list[str] | None:
    """Open the pools of a name again, in the database.

    :param url: where no proxy answers
    :return: the pools that were closed; None when nothing has the name
    :raises SettingsError: when a server runs on the data folder after all
    """
    try:
        with ServerLock(folder.settings.data_dir):
            ledger, now = Ledger(), folder.now()
            found = clear(name, _routes(folder, ledger, now), Health(), ledger, now)
            folder.store.save(pools=ledger.dump(now), now=now)
    except AlreadyRunningError:
        raise SettingsError(
            f"a server runs on {folder.settings.data_dir}, and not at {url}; name its address with --url"
        ) from None
    return found


def _routes(folder: DataFolder, ledger: Ledger, now: float) -> Sequence[Route]:
    ledger.load(folder.store.pools.load(), now)
    keys = [key for key in folder.keyring.all() if key.usable]
    choices, limits = folder.store.models.overrides(), folder.settings.stated_limits
    catalogue = build(list(folder.offers.values()), keys, choices, ledger, Health(), limits)
    return list(catalogue.routes.values())
