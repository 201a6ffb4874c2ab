"""A small world for tests: real providers, keys, ledger and health, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from freellm import Catalogue, Model, OpenAICompatible, ProviderInfo, Quota
from freellm.catalogue import Catalogue as Snapshot
from freellm.catalogue import Choice, Entry, Route, build
from freellm.gateway import Call, Tried
from freellm.gauge import Gauge
from freellm.health import Health
from freellm.keyring import ProviderKey
from freellm.ledger import Demand, Ledger
from freellm.profiles import Profile
from freellm.providers import Provider
from freellm.routing import Needs, Order, Orders, Router, Strategy
from freellm.strategies import offered
from freellm.tokens import Corrections
from freellm.types import ChatRequest, Failure

FACTS: Mapping[str, str] = {"source": "a test", "checked": "2026-11-24"}
START = 1_800_000_000.0
FAR = START + 10_000_000.0


class HandClock:
    """A clock that stands still until it is set; it is called, and it has `now`, as the two kinds of users want it."""

    def __init__(self, time: float = START) -> None:
        self.time = time

    def __call__(self) -> float:
        return self.time

    now = __call__


def model(id_: str, **fields: Any) -> Model:
    """Return a model; its family is its id unless stated."""
    return Model.model_validate({"id": id_, "family": id_, **FACTS, **fields})


def quota(limit: float | None, unit: str = "requests", window: float | None = 60.0, **fields: Any) -> Quota:
    """Return a quota, per minute unless stated."""
    return Quota.model_validate({"unit": unit, "limit": limit, "window": window, **FACTS, **fields})


def info(id_: str = "lab", **fields: Any) -> ProviderInfo:
    """Return who a provider is."""
    links = {"signup_url": "https://lab.test", "docs_url": "https://lab.test/docs"}
    return ProviderInfo.model_validate(
        {"id": id_, "title": id_.title(), "base_url": "https://lab.test/v1", **links, **fields}
    )


def provider(
    id_: str = "lab", models: Sequence[Model] = (), quotas: Sequence[Quota] = (), **fields: Any
) -> Provider:
    """Return a provider that speaks OpenAI's dialect."""
    catalogue = Catalogue(models=tuple(models), quotas=tuple(quotas))
    return Provider(id_, OpenAICompatible(info=info(id_, **fields), catalogue=catalogue))


def key(provider_name: str = "lab", id_: str = "k1", **fields: Any) -> ProviderKey:
    """Return a key of an account of its own."""
    own = {"label": id_, "fingerprint": f"print-{id_}", "account": f"print-{id_}", "source": "stored"}
    return ProviderKey(id=id_, provider=provider_name, **{"state": "valid", **own, **fields})


class World:
    """Providers and keys behind a router.

    :param providers: who there is
    :param keys: the keys of each provider by its name; one each unless stated
    """

    def __init__(
        self,
        *providers: Provider,
        keys: Iterable[ProviderKey] | None = None,
        choices: Mapping[tuple[str, str], Choice] | None = None,
        strategies: Mapping[str, Strategy] | None = None,
        profiles: Mapping[str, Profile] | None = None,
        strategy: str = "priority",
    ) -> None:
        self.clock = HandClock()
        self.ledger = Ledger()
        self.health = Health()
        self.corrections = Corrections()
        self.router = Router(self.ledger, self.corrections)
        held = [key(one.name) for one in providers] if keys is None else list(keys)
        self.catalogue: Snapshot = build(providers, held, choices or {}, self.ledger, self.health, {})
        self.gauge = Gauge(self.clock)
        self.gauge.watch(self.catalogue)
        known = offered(self.gauge) if strategies is None else strategies
        self.orders = Orders(self.catalogue, known, self.health, profiles, strategy)

    @property
    def order(self) -> Order:
        """The order of `auto`."""
        return self.orders.auto()

    @property
    def routes(self) -> list[Route]:
        """All routes, in the order of `auto`."""
        return [route for entry in self.catalogue.chain for route in entry.routes]

    def entry(self, name: str) -> Entry:
        """Return an entry by its name."""
        (found,) = self.catalogue.named(name)
        return found

    def route(self, name: str | None = None) -> Route:
        """Return a route by its name, the first one unless stated."""
        return self.routes[0] if name is None else self.catalogue.routes[name]

    def needs(
        self, tokens: int = 100, mask: int = 0, stated: int | None = None, deadline: float = FAR
    ) -> Needs:
        """Return what a request needs; a small one unless stated."""
        return Needs(mask, tokens, stated, deadline)

    def call(self, needs: Needs | None = None, **fields: Any) -> Call:
        """Return a call of `auto` that nothing has been tried for."""
        return Call(
            id="req_1",
            surface="openai",
            model="auto",
            request=ChatRequest(messages=[{"role": "user", "content": "Hello"}]),
            order=self.order,
            needs=needs or self.needs(),
            started=self.clock(),
            **fields,
        )

    def tried(self, route: Route, failure: Failure, status: int = 429, demand: Demand | None = None) -> Tried:
        """Return an attempt that failed."""
        return Tried(
            route=route, failure=failure, status=status, started=self.clock(), ms=12.4, demand=demand
        )
