"""Comparing the models with the providers' own lists."""

from __future__ import annotations

from collections.abc import Sequence

from freellm.administration.folder import DataFolder
from freellm.errors import CatalogueError
from freellm.providers import Provider
from freellm.sync import Lists, fetch, filed, sync_lists, take
from freellm.sync.files import Taken
from freellm.sync.lists import ListReport
from freellm.upstream import UpstreamClient


def chosen_providers(folder: DataFolder, names: Sequence[str]) -> list[Provider]:
    """Return the providers of some names; of none, all that have a key.

    :raises SettingsError: when there is no provider of a name
    """
    keyed = {key.provider for key in folder.keyring.all() if key.usable}
    return [folder.provider(name) for name in names] or [
        provider for provider in folder.providers.values() if provider.name in keyed
    ]


async def synced(
    folder: DataFolder, chosen: Sequence[Provider], source: str | None
) -> tuple[list[ListReport], Taken | CatalogueError | None]:
    """Ask providers for their lists; the catalogue file is taken first, so that lists are compared with what it states.

    :param source: where the catalogue file is; None leaves it
    :return: what each list says, and what became of the catalogue file
    """
    client = UpstreamClient()
    try:
        taken = None if source is None else await _taken(folder, source, client)
        lists = Lists(folder.store, client, folder.keyring.open, folder.is_local, folder.now)
        stated = filed(chosen, folder.store, folder.settings)
        return await sync_lists(lists, stated, folder.keyring.all()), taken
    finally:
        await client.close()


async def _taken(folder: DataFolder, source: str, client: UpstreamClient) -> Taken | CatalogueError:
    try:
        file = await fetch(source, client)
        key = folder.settings.catalogue_key or ""
        return take(file, key, folder.providers.values(), folder.store, folder.now())
    except CatalogueError as error:
        return error
