"""The orders in which models are tried: one per strategy and per pinned name, kept sorted while penalties change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from freellm.catalogue import UNRANKED, Catalogue, Entry, Route
from freellm.declarations import Model
from freellm.health import Health

Strategy: TypeAlias = Callable[[str, Model], float]
"""An order of models: from a provider's name and a model to its place; lower is tried earlier."""


def priority(provider: str, model: Model) -> float:
    """Order models as the fallback chain does: by intelligence."""
    return model.intelligence_rank or UNRANKED


def fast(provider: str, model: Model) -> float:
    """Order models by speed, then by intelligence."""
    return (model.speed_rank or UNRANKED) * UNRANKED + (model.intelligence_rank or UNRANKED)


class Order:
    """Entries in the order in which they are tried, sorted again only when penalties have changed.

    :param entries: what may be tried
    :param routes: the snapshot's routes by name
    :param health: where penalties live
    """

    __slots__ = ("_fresh_until", "_health", "_places", "_routes", "_sorted", "_version")

    def __init__(self, entries: Sequence[Entry], routes: Mapping[str, Route], health: Health) -> None:
        self._routes = routes
        self._places = {entry: place for place, entry in enumerate(entries)}
        self._sorted: tuple[Entry, ...] = tuple(entries)
        self._health = health
        self._version = -1
        self._fresh_until = 0.0

    def at(self, now: float) -> tuple[Entry, ...]:
        """Return the entries, penalized ones sunk by as many places as their penalty says."""
        if self._version != self._health.version or now >= self._fresh_until:
            self._sort(now)
        return self._sorted

    def route(self, name: str) -> Route | None:
        """Return the route of that name if its entry is in the order."""
        route = self._routes.get(name)
        return route if route is not None and route.entry in self._places else None

    def _sort(self, now: float) -> None:
        self._health.settle_penalties(now)
        self._version = self._health.version
        # a penalty loses a place in two minutes; looking again every few seconds is exact enough
        self._fresh_until = now + 5.0 if self._health.penalized else math.inf
        self._sorted = tuple(
            sorted(self._places, key=lambda entry: self._places[entry] + entry.standing.penalty(now))
        )


class Space(msgspec.Struct, frozen=True):
    """A vector space: vectors of one family and length can be compared with each other, and with no others.

    :param family: the family of the models that make its vectors
    :param dimensions: the length of the vectors
    :param order: who can make them
    :param max_inputs: inputs that each of these takes in one request, at least 1; None is unknown
    """

    family: str
    dimensions: int
    order: Order
    max_inputs: int | None


class Orders:
    """The orders of one catalogue snapshot: one per strategy and per pinned name, made when first asked for.

    :param catalogue: the snapshot
    :param strategies: the orders on offer, by name
    """

    MOST = 1_000

    __slots__ = ("_health", "_orders", "_strategies", "catalogue")

    def __init__(self, catalogue: Catalogue, strategies: Mapping[str, Strategy], health: Health) -> None:
        self.catalogue = catalogue
        self._strategies = strategies
        self._health = health
        self._orders: dict[str | tuple[str, int], Order] = {}

    def auto(self, strategy: str = "priority") -> Order:
        """Return the chain in a strategy's order; classifiers are never in it.

        :raises KeyError: when no plugin offers the strategy
        """
        found = self._orders.get(f"auto:{strategy}")
        if found is None:
            chosen = self._strategies[strategy]
            chain = [entry for entry in self.catalogue.chain if not entry.model.classifier]
            if strategy != "priority":
                chain.sort(key=lambda entry: chosen(entry.provider.name, entry.model))
            found = self._keep(f"auto:{strategy}", chain)
        return found

    def pinned(self, name: str) -> Order | None:
        """Return the order of the enabled chat entries that a model name stands for; None if there are none."""
        found = self._orders.get(name)
        if found is None:
            entries = [entry for entry in self._usable(name) if entry.model.task == "chat"]
            if not entries:
                return None
            found = self._keep(name, entries)
        return found

    def embedders(self, name: str) -> tuple[Entry, ...]:
        """Return the enabled embeddings entries that a model name stands for, all of one family."""
        found = [entry for entry in self._usable(name) if entry.model.task == "embeddings"]
        return tuple(entry for entry in found if entry.model.family == found[0].model.family)

    def space(self, name: str, dimensions: int) -> Space | None:
        """Return the vector space of a model name and a length of vector; None if nobody makes such vectors."""
        entries = [entry for entry in self.embedders(name) if dimensions in entry.model.dimensions]
        if not entries:
            return None
        key = (name, dimensions)
        order = self._orders.get(key) or self._keep(key, entries)
        limits = [limit for entry in entries for limit in _input_limits(entry)]
        return Space(entries[0].model.family, dimensions, order, min(limits, default=None))

    def _usable(self, name: str) -> list[Entry]:
        return [entry for entry in self.catalogue.named(name) if entry.enabled and entry.routes]

    def _keep(self, name: str | tuple[str, int], entries: Sequence[Entry]) -> Order:
        if len(self._orders) >= self.MOST:  # names come from clients
            self._orders.clear()
        order = self._orders[name] = Order(entries, self.catalogue.routes, self._health)
        return order


def _input_limits(entry: Entry) -> Iterator[int]:
    """Iterate over what limits the inputs of one request: the service, and its quotas where each input counts."""
    if entry.model.max_inputs is not None:
        yield entry.model.max_inputs
    if entry.model.counts_inputs:
        for route in entry.routes:
            for share in route.shares:
                limited = share.pool.quota.unit == "requests" and not share.unlimited
                if limited and share.pool.limit < math.inf:
                    yield max(1, int(share.pool.limit))
