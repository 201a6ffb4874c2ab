"""The orders in which models are tried: kept sorted while penalties and measurements change."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from freellm.catalogue import Catalogue, Entry, Route
from freellm.declarations import Task
from freellm.health import Health
from freellm.measurements import EXPLORE_EVERY, STALE
from freellm.preferences import Preferences
from freellm.profiles import Profile
from freellm.strategies import PRIORITY, Strategy

RESCORE: Final = 5.0
"""Seconds at least between two looks at what was measured, and at how far penalties are forgiven."""

EXPLORED: Final = 16
"""Places from the front whose models are measured out of turn when nobody knows them."""

Score: TypeAlias = Callable[[Entry], float]
"""Says where an entry stands; lower is tried earlier."""

Left: TypeAlias = tuple[str, str]
"""The name of an entry that an order leaves out, and why."""


class Order:
    """Entries in the order in which they are tried, sorted again only when something has changed.

    :param entries: what may be tried
    :param routes: the snapshot's routes by name
    :param health: where penalties and measurements live
    :param score: sorts the entries by what was measured; None leaves them as they are
    :param steps: the step of each entry: those of a step are tried before those of the next, whatever their scores and
        penalties. Empty is one step
    :param left_out: what may not be tried, and why
    :param first_provider_only: whether the provider of the first able entry is the only one that may answer
    """

    __slots__ = (
        "_entries",
        "_explored",
        "_fresh_until",
        "_health",
        "_places",
        "_routes",
        "_score",
        "_scored_until",
        "_settled",
        "_sorted",
        "_steps",
        "_version",
        "first_provider_only",
        "left_out",
    )

    def __init__(
        self,
        entries: Sequence[Entry],
        routes: Mapping[str, Route],
        health: Health,
        *,
        score: Score | None = None,
        steps: Mapping[Entry, int] | None = None,
        left_out: Sequence[Left] = (),
        first_provider_only: bool = False,
    ) -> None:
        self._entries = tuple(entries)
        self._routes = routes
        self._places = {entry: place for place, entry in enumerate(entries)}
        self._sorted = self._settled = self._entries
        self._health = health
        self._score = score
        self._steps = steps or {}
        self._explored: Entry | None = None
        self._version = -1
        self._fresh_until = self._scored_until = 0.0
        self.left_out = left_out
        self.first_provider_only = first_provider_only

    def at(self, now: float) -> tuple[Entry, ...]:
        """Return the entries, penalized ones sunk by as many places as their penalty says.

        Once in a while a model that nobody knows is in front, until it was asked.
        """
        if self._version != self._health.version or now >= self._fresh_until:
            self._sort(now)
        elif self._explored is not None and not self._is_wanted(self._explored, now):
            self._settle()
        return self._sorted

    def route(self, name: str) -> Route | None:
        """Return the route of that name if its entry is in the order."""
        route = self._routes.get(name)
        return route if route is not None and route.entry in self._places else None

    def step(self, entry: Entry) -> int:
        """Return the step of an entry: those of a step are tried before those of the next."""
        return self._steps.get(entry, 0)

    def _sort(self, now: float) -> None:
        self._health.settle_penalties(now)
        if self._score is not None and now >= self._scored_until:
            scored = sorted(self._entries, key=self._score)
            self._places = {entry: place for place, entry in enumerate(scored)}
            self._scored_until = now + RESCORE
        self._version = self._health.version
        # a penalty loses a place in two minutes; looking again every few seconds is exact enough
        lasting = self._score is None and not self._health.penalized
        self._fresh_until = math.inf if lasting else now + RESCORE
        self._sorted = self._settled = tuple(sorted(self._places, key=self._key(now)))
        if self._score is not None:
            self._explore(now)

    def _key(self, now: float) -> Callable[[Entry], float] | Callable[[Entry], tuple[int, float]]:
        places, steps = self._places, self._steps
        if not steps:
            return lambda entry: places[entry] + entry.standing.penalty(now)
        return lambda entry: (steps[entry], places[entry] + entry.standing.penalty(now))

    def _explore(self, now: float) -> None:
        """Put a model in front of which nothing is known, if it is time for one; which one is up to the minute."""
        self._settle()
        if len(self._settled) < 2 or not self._health.measurements.may_explore(now):
            return
        first = self._settled[0]
        unknown = [
            entry
            for entry in self._settled[1:EXPLORED]
            if entry.track.evidence(now) < STALE
            and entry.standing.closed_until <= now
            and self._steps.get(entry) == self._steps.get(first)
        ]
        if unknown:
            minute = int(now // EXPLORE_EVERY)
            chosen = unknown[zlib.crc32(b"%d" % minute) % len(unknown)]
            chosen.track.wanted = True
            self._explored = chosen
            self._sorted = (chosen, *(entry for entry in self._settled if entry is not chosen))

    def _is_wanted(self, entry: Entry, now: float) -> bool:
        return entry.track.wanted and self._health.measurements.may_explore(now)

    def _settle(self) -> None:
        if self._explored is not None:
            self._explored.track.wanted = False
            self._explored = None
        self._sorted = self._settled


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
    """The orders of one catalogue snapshot: one per strategy, name and set of preferences, made when first asked for.

    :param catalogue: the snapshot
    :param strategies: the strategies on offer, by name
    :param health: where penalties and measurements live
    :param profiles: the profiles on offer, by name
    :param strategy: the one that `auto` stands for
    """

    MOST = 1_000

    __slots__ = ("_orders", "catalogue", "health", "profiles", "strategies", "strategy")

    def __init__(
        self,
        catalogue: Catalogue,
        strategies: Mapping[str, Strategy],
        health: Health,
        profiles: Mapping[str, Profile] | None = None,
        strategy: str = PRIORITY,
    ) -> None:
        self.catalogue = catalogue
        self.strategies = strategies
        self.health = health
        self.profiles = profiles or {}
        self.strategy = strategy
        self._orders: dict[object, Order] = {}

    def auto(self, strategy: str | None = None) -> Order:
        """Return the chain in a strategy's order, in that of `auto` unless stated; classifiers are never in it.

        :raises KeyError: when no plugin offers the strategy
        """
        name = strategy or self.strategy
        found = self._orders.get(f"auto:{name}")
        if found is None:
            score = None if name == PRIORITY else scored_by(self.strategies[name])
            order = Order(self.chain(), self.catalogue.routes, self.health, score=score)
            found = self.keep(f"auto:{name}", order)
        return found

    def pinned(self, name: str) -> Order | None:
        """Return the order of the enabled chat entries that a model name stands for; None if there are none."""
        found = self._orders.get(name)
        if found is None:
            entries = self.usable(name, "chat")
            if not entries:
                return None
            found = self.keep(name, Order(entries, self.catalogue.routes, self.health))
        return found

    def embedders(self, name: str) -> tuple[Entry, ...]:
        """Return the enabled embeddings entries that a model name stands for, all of one family."""
        found = self.usable(name, "embeddings")
        return tuple(entry for entry in found if entry.model.family == found[0].model.family)

    def space(self, name: str, dimensions: int) -> Space | None:
        """Return the vector space of a model name and a length of vector; None if nobody makes such vectors."""
        entries = [entry for entry in self.embedders(name) if dimensions in entry.model.dimensions]
        if not entries:
            return None
        key = (name, dimensions)
        order = self._orders.get(key) or self.keep(key, Order(entries, self.catalogue.routes, self.health))
        limits = [limit for entry in entries for limit in _input_limits(entry)]
        return Space(entries[0].model.family, dimensions, order, min(limits, default=None))

    def chain(self) -> list[Entry]:
        """Return what `auto` may try, by the fallback order."""
        return [entry for entry in self.catalogue.chain if not entry.model.classifier]

    def usable(self, name: str, task: Task) -> list[Entry]:
        """Return the enabled entries that a model name stands for, of those that do a task."""
        named = self.catalogue.named(name)
        return [entry for entry in named if entry.enabled and entry.routes and entry.model.task == task]

    def preferred(self, model: str, preferences: Preferences | None) -> Order | None:
        """Return the order of a name and what a request says beside it, if it was kept."""
        return self._orders.get((model, preferences))

    def keep(self, key: object, order: Order) -> Order:
        """Keep an order for the next request that asks for the same; return it."""
        if len(self._orders) >= self.MOST:  # names come from clients
            self._orders.clear()
        self._orders[key] = order
        return order


def scored_by(strategy: Strategy) -> Score:
    """Return the score of entries by a strategy."""
    return lambda entry: strategy(entry.provider.name, entry.model)


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
