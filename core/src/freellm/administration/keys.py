"""Adding, checking, changing and removing keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from freellm.administration.finding import the_one
from freellm.administration.folder import DataFolder, how_to_add
from freellm.administration.probing import ask, new_key, refusal
from freellm.errors import KeyRefusedError, SettingsError
from freellm.keyring import ProviderKey
from freellm.providers import Provider
from freellm.settings import check_base_url
from freellm.types import Verdict
from freellm.upstream.locality import is_local


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed.

    :param key: the key; None: an instance that had none
    :param provider: whose it was
    :param keys: the ids of all keys that went along with their instance; None: the instance is still there
    """

    key: ProviderKey | None
    provider: str
    keys: Sequence[str] | None


async def add_key(
    folder: DataFolder,
    provider: Provider,
    fields: Mapping[str, str],
    *,
    label: str = "",
    unlimited: bool = False,
    base_url: str | None = None,
) -> tuple[ProviderKey, Verdict]:
    """Ask a provider about a key and store it, unless it is refused; see `store_key`.

    :return: the key, and what the check found
    :raises KeyRefusedError: when the provider refuses it, or has nothing to offer; nothing is stored
    """
    refuse_base_url(folder, provider.name, base_url)
    refuse_retired(provider)
    verdict = (await ask(folder, [(provider, new_key(folder, provider, fields, base_url))]))[0]
    if verdict.state == "invalid":
        raise KeyRefusedError(refusal(provider, verdict, fields), verdict.message)
    key = store_key(folder, provider, fields, label=label, unlimited=unlimited, base_url=base_url)
    return folder.keyring.record(key, verdict, folder.now()), verdict


def store_key(
    folder: DataFolder,
    provider: Provider,
    fields: Mapping[str, str],
    *,
    label: str = "",
    unlimited: bool = False,
    base_url: str | None = None,
) -> ProviderKey:
    """Store a key without asking anybody about it.

    :param fields: its fields, see `freellm.keyring.parse_key`
    :param label: what the user calls it
    :param unlimited: whether it is on a paid plan
    :param base_url: where it is to be sent, when that is not the provider's own base URL
    :raises SettingsError: when a field or the base URL will not do, or the key is stored already
    """
    refuse_base_url(folder, provider.name, base_url)
    return folder.keyring.add(
        provider.name, fields, now=folder.now(), label=label, base_url=base_url, unlimited=unlimited
    )


def refuse_base_url(folder: DataFolder, provider: str, base_url: str | None) -> None:
    """Refuse a base URL where a key of a known provider must not be sent.

    :raises SettingsError: saying why, and where such a server belongs
    """
    if not base_url:
        return
    if provider in folder.roster.instances():
        raise SettingsError(
            f"--base-url: {provider} has one already; a further server needs a name of its own, or remove this one first: "
            f"freellm keys remove {provider}"
        )
    if is_local(check_base_url(base_url)) and provider not in folder.settings.base_urls:
        raise SettingsError(
            f"--base-url: a key of {provider} goes to https at a public address. A server on this machine or in its network "
            f"is one of your own: {', or '.join(map(how_to_add, folder.roster.plugins)) or 'no installed package adds one'}; "
            f"to send all keys of {provider} to one, set FREELLM_{provider.upper().replace('-', '_')}_BASE_URL"
        )


def refuse_retired(provider: Provider) -> None:
    """Refuse a key that would be of no use.

    :raises KeyRefusedError: when all models of its provider are retired
    """
    if provider.retired:
        raise KeyRefusedError(
            f"a key of {provider.info.title} is of no use, because all its models are retired; nothing was stored. "
            "To store one all the same: --no-check"
        )


def askable(folder: DataFolder, key: ProviderKey) -> bool:
    """Tell whether a provider can be asked about a key: it opens, and its provider is installed."""
    malformed = key.source == "environment" and not key.fields
    return key.provider in folder.providers and key.state != "unreadable" and not malformed


async def check_keys(
    folder: DataFolder, keys: Sequence[ProviderKey]
) -> list[tuple[ProviderKey, Verdict | None]]:
    """Ask the providers about keys, all at once.

    :return: the keys as they are known now, each with what the check found; None: it cannot be opened or sent
    """
    asked = [key for key in keys if askable(folder, key)]
    verdicts = await ask(
        folder, [(folder.providers[key.provider], folder.keyring.open(key)) for key in asked]
    )
    now = folder.now()
    found = {(key.provider, key.id): verdict for key, verdict in zip(asked, verdicts, strict=True)}
    return [
        (key, None) if verdict is None else (folder.keyring.record(key, verdict, now), verdict)
        for key in keys
        for verdict in (found.get((key.provider, key.id)),)
    ]


def edit_key(
    folder: DataFolder,
    which: str,
    *,
    label: str | None = None,
    enabled: bool | None = None,
    unlimited: bool | None = None,
) -> ProviderKey:
    """Change what a person may change of a stored key; None is no change.

    :param which: its id, the first digits of it, or its label
    :raises SettingsError: when there is no such key, or it is not stored
    """
    key = the_one(folder.keyring.all(), which)
    refuse_unstored(key, "changed")
    folder.store.keys.edit(key.id, label=label, enabled=enabled, unlimited=unlimited)
    return the_one(folder.keyring.all(), key.id)


def refuse_unstored(key: ProviderKey, what: str) -> None:
    """Refuse to work on a key that is not in the database.

    :param what: what cannot be done, such as `removed`
    :raises SettingsError: saying where the key is
    """
    if key.source == "environment":
        variables = " ".join(key.label.split("+"))
        cure = f"unset {variables}" if what == "removed" else f"set {variables} otherwise, or store the key"
        raise SettingsError(f"this key is in the environment and not stored: {cure}")
    if key.source == "keyless":
        raise SettingsError(f"{key.provider} is used without a key; there is nothing to be {what}")


def remove_key(folder: DataFolder, which: str) -> Removed:
    """Delete a stored key, or an instance with all its keys; the last key of an instance takes it along.

    :param which: the key's id, the first digits of it, or its label; or the name of an instance
    :raises SettingsError: when there is none, or it is not stored
    """
    if folder.store.instances.get(which) or which in folder.settings.instances:
        return _remove_instance(folder, which, None)
    keys = folder.keyring.all()
    key = the_one(keys, which)
    refuse_unstored(key, "removed")
    stored = [other for other in keys if other.provider == key.provider and other.source == "stored"]
    if stored == [key] and folder.store.instances.get(key.provider):
        return _remove_instance(folder, key.provider, key)
    folder.store.keys.remove(key.id)
    return Removed(key=key, provider=key.provider, keys=None)


def _remove_instance(folder: DataFolder, name: str, key: ProviderKey | None) -> Removed:
    keys = [row.uuid for row in folder.store.keys.all() if row.provider == name]
    if not folder.store.instances.remove(name):
        raise SettingsError(
            f"{name} stands in config.toml: delete [instances.{name}] there and restart freellm serve"
        )
    return Removed(key=key, provider=name, keys=keys)
