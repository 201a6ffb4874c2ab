"""Adding an instance: a server under a name of the user's own, probed, then stored with its key and its models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from freellm.administration.folder import DataFolder, how_to_add
from freellm.base_urls import candidates
from freellm.checking import probe_key
from freellm.errors import KeyRefusedError, SettingsError
from freellm.instances import NAME
from freellm.keyring import ProviderKey
from freellm.listings import replaced
from freellm.providers import Provider
from freellm.secret import Secret
from freellm.settings import check_base_url
from freellm.store import StoredInstance
from freellm.sync.asking import Asked
from freellm.types import Key, ListedModel, Verdict
from freellm.upstream import UpstreamClient
from freellm.upstream.locality import is_local, resolved_local


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a new instance.

    :param name: what it is to be called
    :param base_url: where it is, as pasted
    :param label: what its key is called
    :param unlimited: whether its key is on a paid plan
    :param no_check: whether it is stored without being asked
    :param concurrent: requests it is sent at once, at most
    """

    name: str
    base_url: str
    label: str
    unlimited: bool
    no_check: bool
    concurrent: int | None


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one base URL.

    :param base_url: the base URL
    :param local: whether it may be on this machine or in its network
    :param verdict: what the server there says about the key
    :param answered: whether anybody answered there
    :param listed: the server's models; None when it has no list
    """

    base_url: str
    local: bool
    verdict: Verdict
    answered: bool = False
    listed: Sequence[ListedModel] | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An instance that was stored.

    :param key: its key
    :param found: where it is
    :param tried: every base URL that was asked
    """

    key: ProviderKey
    found: Tried
    tried: Sequence[Tried]


async def add_instance(
    folder: DataFolder, plugin: Provider, wanted: Wanted, fields: Mapping[str, str]
) -> Placed:
    """Find out where the API of a server is, and store it under its name.

    :param fields: of its key; none at all when it needs none
    :raises SettingsError: when the name or the base URL will not do
    :raises KeyRefusedError: when the key is refused, or nothing there is such a server
    """
    if wanted.no_check:
        return place_instance(folder, plugin, wanted, fields)
    bases, local = places(folder, plugin, wanted)
    tried = await _probe(plugin, bases, fields, local)
    found = _chosen(wanted, tried, fields)
    return Placed(key=_store(folder, plugin, wanted, found, fields), found=found, tried=tried)


def place_instance(folder: DataFolder, plugin: Provider, wanted: Wanted, fields: Mapping[str, str]) -> Placed:
    """Store a server under its name without asking it; see `add_instance`."""
    bases, local = places(folder, plugin, wanted)
    unasked = Verdict(state="inconclusive", message="nobody has asked it yet")
    found = Tried(base_url=bases[0], local=local, verdict=unasked)
    return Placed(key=_store(folder, plugin, wanted, found, fields), found=found, tried=[found])


def places(folder: DataFolder, plugin: Provider, wanted: Wanted) -> tuple[Sequence[str], bool]:
    """Return the base URLs that a new instance may have, and whether they may be in this machine's network.

    :raises SettingsError: when the name or the base URL will not do
    """
    _check_name(folder, plugin, wanted.name)
    url = check_base_url(wanted.base_url)
    return candidates(url), is_local(url) if wanted.no_check else resolved_local(url)


def _check_name(folder: DataFolder, plugin: Provider, name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise SettingsError(
            f"--name {name!r}: a name has lower-case letters, digits and hyphens, 40 at most, and begins with a letter"
        )
    if name in folder.roster.taken:
        raise SettingsError(
            f"--name {name}: that is the name of an installed provider or of a strategy; choose another"
        )
    if (known := folder.roster.instances().get(name)) is not None and known.base_url:
        raise SettingsError(
            f"there is a {name} already, at {known.base_url}. `freellm keys add {name}` adds a key to it, `freellm keys "
            f"remove {name}` removes it; a further server needs a name of its own: {how_to_add(plugin.name)}"
        )


async def _probe(
    plugin: Provider, bases: Sequence[str], fields: Mapping[str, str], local: bool
) -> list[Tried]:
    """Ask one base URL after the other until one has a list of models."""
    client = UpstreamClient()
    tried: list[Tried] = []
    try:
        for base_url in bases:
            secrets = {name: Secret(text) for name, text in fields.items()}
            key = Key(id="new", account="new", fields=secrets, base_url=base_url)
            verdict, answered = await probe_key(plugin, key, client, local=local)
            valid = verdict.state == "valid"
            listed = await Asked(plugin, key, client, local).list() if valid else None
            tried.append(
                Tried(base_url=base_url, local=local, verdict=verdict, answered=answered, listed=listed)
            )
            if valid or not answered:
                break
    finally:
        await client.close()
    return tried


def _chosen(wanted: Wanted, tried: Sequence[Tried], fields: Mapping[str, str]) -> Tried:
    """Return the base URL to store: the one that answered, else the likeliest when nobody did."""
    last = tried[-1]
    if last.verdict.state == "valid" or not any(one.answered for one in tried):
        return last
    refused = next((one for one in tried if one.verdict.state == "invalid"), None)
    if refused is not None:
        cure = (
            "copy the key again" if fields else "it wants a key: leave --no-key out and paste it when asked"
        )
        raise KeyRefusedError(
            f"{refused.base_url} refused {'the key' if fields else 'to answer without a key'}: "
            f"{refused.verdict.message}; nothing was stored. {cure[0].upper()}{cure[1:]}."
        )
    reasons = "; ".join(f"{one.base_url}: {one.verdict.message}" for one in tried)
    raise KeyRefusedError(
        f"no list of models was found, so this may not be the base URL; nothing was stored. Tried {reasons}. If the "
        f'server has no list, add it with --no-check and name its models in config.toml: [instances.{wanted.name}.models."ID"]'
    )


def _store(
    folder: DataFolder, plugin: Provider, wanted: Wanted, found: Tried, fields: Mapping[str, str]
) -> ProviderKey:
    now = folder.now()
    instance = StoredInstance(
        name=wanted.name,
        plugin=plugin.name,
        base_url=found.base_url,
        local=found.local,
        concurrent=wanted.concurrent,
        created_at=now,
    )
    listed = replaced({}, found.listed or (), now).listings
    _ = folder.vault  # opened outside the transaction, because it may write too
    with folder.store.transaction():
        folder.store.instances.add(instance)
        folder.store.listings.replace(wanted.name, listed)
        folder.refresh()
        label = wanted.label or ("" if fields else "no key needed")
        key = folder.keyring.add(wanted.name, fields, now=now, label=label, unlimited=wanted.unlimited)
        return key if wanted.no_check else folder.keyring.record(key, found.verdict, now)
