"""The catalogue: every model of every provider with its routes, as one immutable snapshot. Pure.

An entry is a model at a provider; a route is an entry with a key. The snapshot is replaced whole when keys, models or
their order change; what outlives it (pools, standings) is found again by name.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from freellm.declarations import Ability, Model
from freellm.fingerprints import route_hash
from freellm.health import Health, Standing
from freellm.limits import overrides

if TYPE_CHECKING:
    from freellm.keyring import ProviderKey
    from freellm.ledger import Ledger, Share
    from freellm.providers import Provider

UNRANKED = 1_000
"""The place of a model that nobody has ranked: behind all that are."""

ABILITY_BITS: Mapping[Ability, int] = {
    "tools": 1,
    "vision": 2,
    "json": 4,
    "json_schema": 8,
    "reasoning": 16,
    "system": 32,
}


def mask_of(abilities: Iterable[Ability]) -> int:
    """Return abilities as bits, so that a router compares them in one step."""
    return sum({ABILITY_BITS[ability] for ability in abilities})


class Choice(msgspec.Struct, frozen=True):
    """What a person decided about a model.

    :param enabled: on or off; None leaves it to the model's status
    :param position: its place in the fallback order, from 0; None leaves it to its rank
    """

    enabled: bool | None = None
    position: int | None = None


class Entry:
    """One model at one provider.

    :param provider: the provider instance
    :param model: its declaration
    :param choice: what a person decided about it
    :param health: where its standing and its measurements live
    :ivar upcoming: what `next_turn` will return; looking at it takes no turn
    """

    __slots__ = (
        "_turns",
        "choice",
        "context",
        "counts_inputs",
        "enabled",
        "first_byte_timeout",
        "mask",
        "model",
        "name",
        "place",
        "provider",
        "routes",
        "standing",
        "track",
        "upcoming",
    )

    def __init__(self, provider: Provider, model: Model, choice: Choice, health: Health) -> None:
        self.provider = provider
        self.model = model
        self.choice = choice
        self.name = f"{provider.name}/{model.id}"
        self.standing = health.standing(f"model {self.name}")
        self.track = health.measurements.track(self.name)
        self.enabled = model.enabled_by_default if choice.enabled is None else choice.enabled
        self.mask = mask_of(model.abilities)
        self.context = model.context or 0
        self.counts_inputs = model.counts_inputs
        self.first_byte_timeout = model.first_byte_timeout or provider.info.first_byte_timeout
        self.place = 0
        self.routes: tuple[Route, ...] = ()
        self.upcoming: tuple[Route, ...] = ()
        self._turns: Iterator[tuple[Route, ...]] = iter(())

    def take_routes(self, routes: Sequence[Route]) -> None:
        """Take the routes; called once, while the snapshot is made."""
        self.routes = tuple(routes)
        self._turns = itertools.cycle([self.routes[n:] + self.routes[:n] for n in range(len(self.routes))])
        self.upcoming = next(self._turns, ())

    def next_turn(self) -> tuple[Route, ...]:
        """Return the routes, beginning with the next key in turn, so that keys share the load."""
        routes, self.upcoming = self.upcoming, next(self._turns, ())
        return routes

    @property
    def rank(self) -> tuple[float, int, int, str]:
        """Where it stands in the fallback order: as placed by a person, else by intelligence, then speed."""
        position = float("inf") if self.choice.position is None else self.choice.position
        return (
            position,
            self.model.intelligence_rank or UNRANKED,
            self.model.speed_rank or UNRANKED,
            self.name,
        )


class Route:
    """One model at one provider with one key, and everything a request needs to take it.

    :param entry: the model at the provider
    :param key: the key, sealed
    :param shares: the quota pools it draws on
    :param health: where its standings live
    :ivar metered: whether what a request takes from the pools depends on the request
    """

    __slots__ = (
        "charges_ceiling",
        "entry",
        "hash",
        "header",
        "key",
        "key_standing",
        "metered",
        "model",
        "name",
        "provider",
        "provider_standing",
        "reading_due",
        "shares",
        "standing",
        "via",
    )

    def __init__(self, entry: Entry, key: ProviderKey, shares: tuple[Share, ...], health: Health) -> None:
        self.entry, self.key, self.shares = entry, key, shares
        self.provider, self.model = entry.provider, entry.model
        self.reading_due = 0.0
        self.charges_ceiling = any(share.charges_ceiling for share in shares)
        self.metered = any(share.metered for share in shares)
        self.name = f"{entry.name}#{key.id}"
        self.header = quote(entry.name, safe="/@:.+-_~")
        self.via = {"platform": entry.provider.name, "model": entry.model.id}
        self.hash = route_hash(entry.provider.name, entry.model.id, key.fingerprint)
        self.standing = health.standing(f"route {self.name}")
        self.key_standing = health.standing(f"key {entry.provider.name}#{key.id}")
        self.provider_standing = health.standing(f"provider {entry.provider.name}")

    def closed_by(self, now: float) -> Standing | None:
        """Return what closes the route at the moment, the narrowest first; None when nothing does."""
        if self.standing.closed_until > now:
            return self.standing
        if self.entry.standing.closed_until > now:
            return self.entry.standing
        if self.key_standing.closed_until > now:
            return self.key_standing
        return self.provider_standing if self.provider_standing.closed_until > now else None

    @property
    def closed_until(self) -> float:
        """Unix time until which something closes the route; the past when nothing does."""
        return max(
            self.standing.closed_until,
            self.entry.standing.closed_until,
            self.key_standing.closed_until,
            self.provider_standing.closed_until,
        )

    def standings(self) -> tuple[Standing, Standing, Standing, Standing]:
        """Return all that can close the route, the narrowest first."""
        return self.standing, self.entry.standing, self.key_standing, self.provider_standing


class Catalogue:
    """A snapshot of all entries.

    :param entries: every model of every provider, off ones included
    :ivar chain: the models that chat, are on and have a key, in the fallback order
    :ivar embedders: the models that make embeddings, are on and have a key, in the same order
    """

    __slots__ = (
        "_by_family",
        "_by_id",
        "_by_name",
        "by_route_hash",
        "chain",
        "embedders",
        "entries",
        "routes",
    )

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: entry.rank))
        usable = [entry for entry in self.entries if entry.enabled and entry.routes]
        self.chain = tuple(entry for entry in usable if entry.model.task == "chat")
        self.embedders = tuple(entry for entry in usable if entry.model.task == "embeddings")
        for place, entry in enumerate(self.chain):
            entry.place = place
        self.routes = {route.name: route for entry in usable for route in entry.routes}
        self.by_route_hash = {route.hash: route for route in self.routes.values()}
        self._by_id: dict[str, list[Entry]] = defaultdict(list)
        self._by_family: dict[str, list[Entry]] = defaultdict(list)
        self._by_name = {entry.name: entry for entry in self.entries}
        for entry in self.entries:
            self._by_id[entry.model.id].append(entry)
            self._by_family[entry.model.family].append(entry)

    def named(self, name: str) -> tuple[Entry, ...]:
        """Return the entries that a name stands for, off ones included, the best first.

        `provider/model id` is that entry alone. A family is all of it, also if a provider calls its model so; a model id
        is itself and then the rest of its family. A trailing `:free`, as other gateways write it, is tolerated.
        """
        entry = self._by_name.get(name)
        if entry is not None:
            return (entry,)
        exact = self._by_family.get(name) or self._by_id.get(name, [])
        families = dict.fromkeys((name, *(entry.model.family for entry in self._by_id.get(name, []))))
        rest = [e for family in families for e in self._by_family.get(family, []) if e not in exact]
        if not exact and not rest and name.endswith(":free"):
            return self.named(name.removesuffix(":free"))
        return (*exact, *rest)


def build(
    providers: Sequence[Provider],
    keys: Iterable[ProviderKey],
    choices: Mapping[tuple[str, str], Choice],
    ledger: Ledger,
    health: Health,
    limits: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> Catalogue:
    """Make a snapshot.

    :param keys: the usable keys of all providers
    :param choices: what a person decided, by (provider, model id)
    :param limits: single limits from the settings, by provider, model id and limit name
    """
    by_provider: dict[str, list[ProviderKey]] = defaultdict(list)
    for key in keys:
        by_provider[key.provider].append(key)
    return Catalogue(
        _entry(
            provider,
            model,
            choices.get((provider.name, model.id), Choice()),
            by_provider[provider.name],
            ledger,
            health,
            overrides(limits.get(provider.name, {}), model.id),
        )
        for provider in providers
        for model in provider.models
    )


def _entry(
    provider: Provider,
    model: Model,
    choice: Choice,
    keys: Sequence[ProviderKey],
    ledger: Ledger,
    health: Health,
    limits: Mapping[str, float],
) -> Entry:
    def shares(key: ProviderKey) -> tuple[Share, ...]:
        return ledger.shares(
            provider.name,
            model,
            provider.quotas,
            key=key.fingerprint,
            account=key.account,
            unlimited=key.unlimited,
            overrides=limits,
        )

    entry = Entry(provider, model, choice, health)
    if entry.enabled:
        entry.take_routes([Route(entry, key, shares(key), health) for key in keys])
    return entry
