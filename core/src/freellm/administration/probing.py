"""Asking a provider whether a key is valid, and what a key is good for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from freellm.administration.folder import DataFolder
from freellm.catalogue import Choice
from freellm.checking import check_key
from freellm.keyring import ProviderKey, doubts
from freellm.providers import Provider
from freellm.secret import Secret
from freellm.settings import check_base_url
from freellm.types import Key, Verdict
from freellm.upstream import UpstreamClient

_NAMES_TOLD = 6
"""Models that a sentence names at most."""


def new_key(
    folder: DataFolder, provider: Provider, fields: Mapping[str, str], base_url: str | None = None
) -> Key:
    """Return a key that is not stored yet, as it is sent to its provider.

    :param base_url: where it is to be sent, when that is not the provider's own base URL
    :raises SettingsError: when the base URL is none
    """
    own = check_base_url(base_url) if base_url else provider.info.base_url
    return Key(
        id="new",
        account="new",
        fields={name: Secret(text) for name, text in fields.items()},
        base_url=folder.settings.base_urls.get(provider.name, own),
    )


async def ask(folder: DataFolder, keys: Sequence[tuple[Provider, Key]]) -> list[Verdict]:
    """Ask the providers about their keys, all at once; one verdict for each key, in the order of the keys."""
    client = UpstreamClient()
    try:
        return await asyncio.gather(
            *(check_key(provider, key, client, local=folder.is_local(provider)) for provider, key in keys)
        )
    finally:
        await client.close()


def models_of(folder: DataFolder, provider: Provider) -> list[str]:
    """Return the ids of a provider's models that are on, the best first."""
    decided = folder.store.models.overrides()
    on = []
    for model in folder.offers[provider.name].models:
        choice = decided.get((provider.name, model.id))
        enabled = Choice() if choice is None else choice
        if model.enabled_by_default if enabled.enabled is None else enabled.enabled:
            on.append(model)
    return [model.id for model in sorted(on, key=lambda model: (model.intelligence_rank or 1_000, model.id))]


def unlocks(models: Sequence[str]) -> str:
    """Say which models a key is good for."""
    if not models:
        return "it unlocks no model that is on; see freellm models list --all"
    more = f", and {len(models) - _NAMES_TOLD} more" if len(models) > _NAMES_TOLD else ""
    noun = "model" if len(models) == 1 else "models"
    return f"it unlocks {len(models)} {noun} ({', '.join(models[:_NAMES_TOLD])}{more})"


def refusal(provider: Provider, verdict: Verdict, fields: Mapping[str, str]) -> str:
    """Say that a provider refused a key and what to do."""
    odd = "".join(f" {doubt}." for doubt in doubts(provider.info, fields))
    return (
        f"{provider.info.title} refused the key: {verdict.message}; nothing was stored.{odd} "
        f"Copy it again, or make a new one: {provider.info.signup_url}"
    )


def unsettled(provider: Provider, verdict: Verdict, key: ProviderKey, fields: Mapping[str, str]) -> str:
    """Say that a key was stored though nobody knows whether it works."""
    odd = "".join(f" {doubt}." for doubt in doubts(provider.info, fields))
    return (
        f"{provider.info.title} could not be asked about the key: {verdict.message}. It is stored as untested.{odd} "
        f"Try again: freellm keys check {key.id[:8]}"
    )
