"""Keys, and the providers that they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from freellm.administration import importing, keys
from freellm.administration.instances import Wanted, add_instance
from freellm.administration.probing import unlocks, unsettled
from freellm.administration.words import described
from freellm.errors import SettingsError
from freellm.keyring import check_fields, parse_environment_file, parse_key
from freellm_dashboard.answers import RefusedError, answer
from freellm_dashboard.api.desk import Desk, body
from freellm_dashboard.api.key_rows import Closings, key_row
from freellm_dashboard.shapes.keys import (
    AddedKey,
    Clear,
    Cleared,
    Import,
    Imported,
    ImportedKey,
    KeyChange,
    KeyRow,
    Keys,
    NewKey,
    RemovedKey,
)

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder
    from freellm.declarations import ProviderInfo
    from freellm.keyring import ProviderKey
    from freellm.types import Verdict


class KeyDesk:
    """Handlers of `/api/keys` and `/api/clear`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._proxy = desk.proxy

    async def every(self, request: web.Request) -> web.Response:
        """List the keys."""
        return answer(await self._listed())

    async def add(self, request: web.Request) -> web.Response:
        """Check a key and store it."""
        wanted = await body(request, NewKey)
        try:
            key, message, models = await self._desk.ask(_add, wanted, field="fields")
        except RefusedError as refused:
            raise _with_field(refused, wanted) from None
        return answer(AddedKey(key=await self._row(key), message=message, models=models), 201)

    async def check_all(self, request: web.Request) -> web.Response:
        """Ask the providers about all keys."""
        asked = [key for key in self._proxy.keys if key.source != "keyless"]
        self._learn(await self._desk.ask(keys.check_keys, asked))
        return answer(await self._listed())

    async def check(self, request: web.Request) -> web.Response:
        """Ask a provider about its key."""
        found = await self._desk.ask(keys.check_keys, [self._named(request)])
        self._learn(found)
        return answer(await self._row(found[0][0]))

    async def change(self, request: web.Request) -> web.Response:
        """Change a key's label or use."""
        wanted = await body(request, KeyChange)
        key = self._named(request)
        changed = await self._desk.change(_edit, key.id, wanted)
        return answer(await self._row(changed))

    async def remove(self, request: web.Request) -> web.Response:
        """Delete a key."""
        key = self._named(request)
        await self._desk.change(keys.remove_key, key.id)
        return answer(RemovedKey(id=key.id, provider=key.provider, label=key.label))

    async def import_(self, request: web.Request) -> web.Response:
        """Take the keys of a .env file."""
        wanted = await body(request, Import)
        told = await self._desk.ask(_import, wanted, field="text")
        return answer(told)

    async def clear(self, request: web.Request) -> web.Response:
        """Open something that was closed."""
        name = (await body(request, Clear)).name
        cleared = self._proxy.clear(name)
        if cleared is None:
            raise RefusedError(
                f"nothing is called {name!r}",
                status=404,
                field="name",
                cure="name what GET /api/overview lists as closed",
            )
        return answer(Cleared(name=name, cleared=cleared))

    def _named(self, request: web.Request) -> ProviderKey:
        """Return the key of a path: by its id, and not by its label, which another may have as well."""
        id_ = request.match_info["id"]
        found = next((key for key in self._proxy.keys if key.id == id_), None)
        if found is None:
            raise RefusedError("no key has that id", status=404, field="id", cure="GET /api/keys lists them")
        return found

    def _learn(self, found: Sequence[tuple[ProviderKey, Verdict | None]]) -> None:
        for key, verdict in found:
            if verdict is not None:
                self._proxy.checked(key, verdict)
        self._proxy.refresh()

    async def _listed(self) -> Keys:
        closings = Closings(self._proxy)
        return Keys(keys=await self._desk.work(_rows, list(self._proxy.keys), closings))

    async def _row(self, key: ProviderKey) -> KeyRow:
        return (await self._desk.work(_rows, [key], Closings(self._proxy)))[0]


def _rows(folder: DataFolder, shown: Sequence[ProviderKey], closings: Closings) -> list[KeyRow]:
    return [key_row(folder, key, described(folder, key), closings) for key in shown]


async def _add(folder: DataFolder, wanted: NewKey) -> tuple[ProviderKey, str, list[str]]:
    if plugin := folder.roster.plugins.get(wanted.provider):
        if not wanted.name or not wanted.base_url:
            missing = "base_url" if wanted.name else "name"
            raise SettingsError(f"{missing}: a server of your own needs a name and a base URL")
        fields = _fields(plugin.info, wanted) if any(map(str.strip, wanted.fields.values())) else {}
        placed = await add_instance(
            folder,
            plugin,
            Wanted(
                name=wanted.name,
                base_url=wanted.base_url,
                label=wanted.label,
                unlimited=wanted.unlimited,
                no_check=not wanted.check,
                concurrent=wanted.concurrent,
            ),
            fields,
        )
        models = described(folder, placed.key)["models"]
        where = f"{wanted.name} is at {placed.found.base_url}"
        return placed.key, f"{where}: {placed.found.verdict.message}.", models
    if wanted.name or wanted.concurrent:
        raise SettingsError("name: only servers of your own have a name and a number of requests at once")
    provider = folder.provider(wanted.provider)
    if not provider.info.key_fields:
        raise SettingsError(f"provider: {provider.info.title} needs no key; it is used as it is")
    fields = _fields(provider.info, wanted)
    how: dict[str, Any] = {
        "label": wanted.label,
        "unlimited": wanted.unlimited,
        "base_url": wanted.base_url,
    }
    if not wanted.check:
        key = keys.store_key(folder, provider, fields, **how)
        models = described(folder, key)["models"]
        return key, f"Stored without a check, as untested; if it is valid, {unlocks(models)}.", models
    key, verdict = await keys.add_key(folder, provider, fields, **how)
    models = described(folder, key)["models"]
    if verdict.state == "valid":
        return key, f"{provider.info.title} accepted the key: {unlocks(models)}.", models
    return key, f"{unsettled(provider, verdict, key, fields)}.", models


def _fields(info: ProviderInfo, wanted: NewKey) -> Mapping[str, str]:
    """Return the fields of a key; one that is given alone may be the whole key in its one-line form."""
    given = {name: text.strip() for name, text in wanted.fields.items() if text.strip()}
    first = info.key_fields[0].name if info.key_fields else None
    return parse_key(info, given[first]) if list(given) == [first] and first else check_fields(info, given)


_SIGNS: Final = (("no installed provider", "provider"), ("base URL", "base_url"))
"""Words of a refusal, and the field that it is about."""


def _with_field(refused: RefusedError, wanted: NewKey) -> RefusedError:
    """Return a refusal that names the field it is about: the one that the text begins with, if it does so."""
    message = refused.problem.message.removeprefix("--").replace("base-url:", "base_url:", 1)
    named = (name for name in wanted.__struct_fields__ if message.startswith((f"{name}:", f"{name} ")))
    meant = (field for words, field in _SIGNS if words in message)
    field = next(named, None) or next(meant, "fields")
    return RefusedError(message, field=field, cure=refused.problem.cure)


def _edit(folder: DataFolder, id_: str, wanted: KeyChange) -> ProviderKey:
    return keys.edit_key(folder, id_, label=wanted.label, enabled=wanted.enabled, unlimited=wanted.unlimited)


async def _import(folder: DataFolder, wanted: Import) -> Imported:
    variables = parse_environment_file(wanted.text)
    taken, ignored = await importing.import_keys(
        folder, variables, preview=wanted.preview, check=wanted.check
    )
    rows = [msgspec.convert(msgspec.structs.asdict(row), ImportedKey) for row in taken]
    return Imported(preview=wanted.preview, keys=rows, ignored=ignored)
