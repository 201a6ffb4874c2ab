"""Adding an instance: a server under a name of the user's own, probed, then stored with its key and its models."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from freellm.base_urls import candidates
from freellm.checking import probe_key
from freellm.cli import options, printing
from freellm.cli.folder import DataFolder, how_to_add
from freellm.cli.keys.reading import read_optional_key
from freellm.errors import SettingsError
from freellm.instances import NAME
from freellm.listings import replaced
from freellm.providers import Provider
from freellm.secret import Secret
from freellm.settings import check_base_url
from freellm.store import StoredInstance
from freellm.sync.asking import Asked
from freellm.types import Key, ListedModel, Verdict
from freellm.upstream import UpstreamClient
from freellm.upstream.locality import is_local, resolved_local

if TYPE_CHECKING:
    from freellm.keyring import ProviderKey


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says about a new instance.

    :param name: what it is to be called
    :param base_url: where it is, as pasted
    :param label: what its key is called
    :param unlimited: whether its key is on a paid plan
    :param no_key: whether it needs none
    :param no_check: whether it is stored without being asked
    :param concurrent: requests it is sent at once, at most
    """

    name: str
    base_url: str
    label: str
    unlimited: bool
    no_key: bool
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


def add_instance(
    folder: DataFolder, plugin: Provider, wanted: Wanted, *, as_json: bool, following: str
) -> None:
    """Find out where the API of a server is, and store it under its name.

    :param following: the command to suggest next
    :raises SettingsError: when the name or the base URL will not do, or nothing there is such a server
    """
    _check_name(folder, plugin, wanted.name)
    url = check_base_url(wanted.base_url)
    local = is_local(url) if wanted.no_check else resolved_local(url)
    fields = read_optional_key(plugin.info, no_key=wanted.no_key)
    bases = candidates(url)
    if wanted.no_check:
        unasked = Verdict(state="inconclusive", message="nobody has asked it yet")
        tried = [Tried(base_url=bases[0], local=local, verdict=unasked)]
    else:
        if sys.stderr.isatty():
            printing.note(f"Asking {' and '.join(bases)} …")
        with contextlib.redirect_stdout(sys.stderr):  # a hook that prints must not get into a JSON document
            tried = asyncio.run(_probe(plugin, bases, fields, local))
    found = _chosen(wanted, tried, fields)
    key = _store(folder, plugin, wanted, found, fields)
    _say(folder, wanted, found, tried, key, as_json=as_json, following=following)


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
        raise click.ClickException(
            f"{refused.base_url} refused {'the key' if fields else 'to answer without a key'}: "
            f"{refused.verdict.message}; nothing was stored. {cure[0].upper()}{cure[1:]}."
        )
    reasons = "; ".join(f"{one.base_url}: {one.verdict.message}" for one in tried)
    raise click.ClickException(
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


def _say(
    folder: DataFolder,
    wanted: Wanted,
    found: Tried,
    tried: Sequence[Tried],
    key: ProviderKey,
    *,
    as_json: bool,
    following: str,
) -> None:
    from freellm.cli.keys.probing import models_of
    from freellm.cli.keys.words import state_of

    provider = folder.providers[wanted.name]
    models = models_of(folder, provider)
    left_out = [row.id for row in found.listed or () if row.id not in {model.id for model in provider.models}]
    facts: dict[str, Any] = {
        "stored": True,
        "id": key.id,
        "provider": wanted.name,
        "label": key.label,
        "base_url": found.base_url,
        "local": found.local,
        "tried": [{"base_url": one.base_url, "result": one.verdict.message} for one in tried],
        "state": state_of(key),
        "reason": key.reason,
        "models": models,
        "left_out": left_out,
        "next": following,
    }
    if as_json:
        printing.document(facts)
        return
    for one in tried:
        if one is not found:
            click.echo(printing.plain(f"Tried {one.base_url}: {one.verdict.message}."))
    where = " (on this machine or in its network)" if found.local else ""
    click.echo(printing.plain(f"{wanted.name} is at {found.base_url}{where}."))
    click.echo(printing.plain(_about_models(wanted, found, models, left_out)))
    click.echo(f"Next: {following} ({options.PICKED_UP})")


def _about_models(wanted: Wanted, found: Tried, models: Sequence[str], left_out: Sequence[str]) -> str:
    table = f'[instances.{wanted.name}.models."ID"]'
    if found.listed is None:
        return (
            f"It could not be asked: {found.verdict.message}. It is stored as untested; freellm serve asks for its list "
            "of models until it is there."
        )
    noun = "model" if len(models) == 1 else "models"
    said = f"{len(models)} {noun} found: {', '.join(models)}." if models else "Its list of models is empty."
    if models:
        said += f" Ask for {wanted.name}/{models[0]}."
    if left_out:
        said += f" Left out: {', '.join(left_out)}, which do not chat; embeddings need their dimensions in {table}."
    return said
