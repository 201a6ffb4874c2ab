"""The providers, as cards: what a key of each is good for, and what it takes to get one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from aiohttp import web

from freellm.administration.limits import limits_of
from freellm.administration.probing import models_of
from freellm.capacity import a_day
from freellm.catalogue import build
from freellm.health import Health
from freellm.keyring import ProviderKey
from freellm.ledger import Ledger
from freellm_dashboard.answers import answer
from freellm_dashboard.api.desk import Desk
from freellm_dashboard.shapes.keys import DataUse, Field, ProviderCard, Providers

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder
    from freellm.providers import Provider

_MOST_QUOTAS: Final = 6
"""Limits that a card states, at most."""

_KEYLESS_EFFORT: Final = 0.5
"""Of a provider that needs no key, where a key of one field is 1."""


class ProviderDesk:
    """The handler of `/api/providers`.

    :param desk: where it works
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def every(self, request: web.Request) -> web.Response:
        """List the providers and what their keys unlock."""
        held = Counter(key.provider for key in self._desk.proxy.keys if key.source != "keyless")
        return answer(await self._desk.work(_cards, held))


def _cards(folder: DataFolder, held: Mapping[str, int]) -> Providers:
    capacities = _capacities(folder)
    cards = [
        _card(folder, provider, capacities.get(provider.name), held.get(provider.name, 0))
        for provider in (*folder.providers.values(), *folder.roster.plugins.values())
    ]
    return Providers(providers=sorted(cards, key=_worth))


def _worth(card: ProviderCard) -> tuple[bool, bool, float, str]:
    """Where a card stands: the most tokens for the least effort in front, what is of no use at the end."""
    effort = _KEYLESS_EFFORT if card.keyless else max(1, len(card.fields))
    return card.retired, card.own_server, -(card.tokens_per_day or 0) / effort, card.title.lower()


def _capacities(folder: DataFolder) -> Mapping[str, int | None]:
    """Return the tokens that one fresh key of each provider gives in a day, by the limits that are declared."""
    settings = folder.settings
    fresh = [
        ProviderKey(id="new", provider=name, label="", fingerprint="new", account="new", source="stored")
        for name in folder.offers
    ]
    catalogue = build(
        list(folder.offers.values()),
        fresh,
        folder.store.models.overrides(),
        Ledger(),
        Health(),
        settings.stated_limits,
    )
    now = folder.now()
    return {
        name: a_day(
            [
                route
                for entry in catalogue.chain
                if entry.provider.name == name and not entry.model.classifier
                for route in entry.routes
            ],
            now,
        )
        for name in folder.offers
    }


def _card(folder: DataFolder, provider: Provider, tokens: int | None, keys: int) -> ProviderCard:
    info, own = provider.info, provider.name in folder.roster.plugins
    models = [] if own else models_of(folder, provider)
    policy = info.data_policy
    return ProviderCard(
        id=provider.name,
        title=info.title,
        signup_url=info.signup_url,
        docs_url=info.docs_url,
        fields=[
            Field(
                name=field.name,
                title=field.title,
                secret=field.secret,
                help=field.help,
                pattern=field.pattern,
            )
            for field in info.key_fields
        ],
        environment=[name.partition("=")[0] for name in info.environment],
        keyless=info.keyless,
        own_server=own,
        retired=not own and provider.retired,
        quotas=[] if own else _quotas(folder, provider, models),
        unlocks=models,
        tokens_per_day=tokens,
        effort=_effort(provider),
        data_use=None
        if policy is None
        else DataUse(trains=policy.trains, note=policy.note, source=policy.source, checked=policy.checked),
        keys=keys,
    )


def _quotas(folder: DataFolder, provider: Provider, models: Sequence[str]) -> list[str]:
    """Return the limits of the best model that is on, which are what a newcomer meets."""
    offer = folder.offers[provider.name]
    best = next((model for model in offer.models if model.id in models[:1]), None)
    if best is None:
        return []
    own = {
        name: limit.model_dump(exclude_none=True)
        for name, limit in folder.settings.limits.get(provider.name, {}).items()
    }
    return limits_of(best, offer.quotas, own)[:_MOST_QUOTAS]


def _effort(provider: Provider) -> str:
    fields = provider.info.key_fields
    if provider.info.instances:
        return "a server of your own, with its base URL"
    if provider.info.keyless:
        return "works without a key" + (", better with one" if fields and provider.info.signup_url else "")
    return (
        "one key"
        if len(fields) == 1
        else f"{len(fields)} fields: {', '.join(field.title for field in fields)}"
    )
