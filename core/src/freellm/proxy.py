"""What surfaces and plugins may use of the running proxy."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from freellm.administration.folder import DataFolder
from freellm.auto_family import AutoFamily, stays
from freellm.catalogue import Catalogue, Entry, Route
from freellm.clearing import clear
from freellm.clock import Clock
from freellm.errors import RequestError
from freellm.explanations import Cooldown, Explanation, cooldowns
from freellm.extensions import Extensions
from freellm.gateway import Activity, Call, Embedded, Embedder, EmbeddingsCall, Gateway, Served
from freellm.gauge import quota_left
from freellm.health import Health
from freellm.ledger import Ledger, Pool
from freellm.measurements import Measured
from freellm.naming import AUTO, vector_space
from freellm.orders import Space
from freellm.panels import Panel
from freellm.parameters import refused_parameters
from freellm.plugins import PluginRecord
from freellm.preferences import Preferences
from freellm.profiles import Profile
from freellm.routing import Needs, Order, Orders, PassedOver, Router, Strategy
from freellm.selection import chat_order
from freellm.settings import Settings
from freellm.store import PluginTable
from freellm.surfaces.ids import RequestIds
from freellm.tokens import estimate_messages
from freellm.types import ChatRequest, Verdict

if TYPE_CHECKING:
    from freellm.keyring import ProviderKey
    from freellm.providers import Provider


_MODEST: Final = 16
"""Tokens of the request whose routes decide whether a model counts as available."""


class Demo(Protocol):
    """Stand-ins of providers, for trying everything without a key and without a network; they run while entered."""

    async def __aenter__(self) -> object:
        """Start them."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them."""

    @property
    def base_urls(self) -> Mapping[str, str]:
        """Where each provider is simulated; known once they run."""

    @property
    def keys(self) -> Mapping[str, str]:
        """A key for each provider, in its one-line form."""

    @property
    def models(self) -> Sequence[tuple[str, str]]:
        """Models to switch on though their real provider has retired them, as (provider, model id)."""


class Snapshot(msgspec.Struct, frozen=True):
    """What is replaced whole when keys, models or their order change.

    :param orders: the catalogue's orders
    :param keys: the keys, sealed
    :param providers: the providers, instances included
    """

    orders: Orders
    keys: Sequence[ProviderKey]
    providers: Sequence[Provider]


class Proxy:
    """The running proxy, for surfaces and plugins.

    :param gateway: serves calls
    :param embedder: serves requests for vectors
    :param auto_family: knows which vectors `auto` stands for
    :param router: finds routes
    :param extensions: the plugins that watch
    :param snapshot: returns the current snapshot
    :param ledger: the quotas
    :param health: the standings
    :param activity: what is under way
    :param strategies: the orders of models on offer, by name
    :param settings: the settings
    :param clock: tells the time
    :param ids: names requests
    :param storage: returns a plugin's own rows
    :param folder: what a person may change, as the command line does; of threads, never of the event loop
    :param refresh: takes over at once what was changed there
    :param plugins: what became of each installed plugin
    :param checked: told of a key that was checked, and of what was found
    :param demo: whether every provider is simulated
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        embedder: Embedder,
        auto_family: AutoFamily,
        router: Router,
        extensions: Extensions,
        snapshot: Callable[[], Snapshot],
        ledger: Ledger,
        health: Health,
        activity: Activity,
        strategies: Mapping[str, Strategy],
        settings: Settings,
        clock: Clock,
        ids: RequestIds,
        storage: Callable[[str], PluginTable],
        folder: DataFolder,
        refresh: Callable[[], None],
        plugins: Sequence[PluginRecord],
        checked: Callable[[ProviderKey, Verdict], None],
        demo: bool = False,
    ) -> None:
        self.router = router
        self.strategies = strategies
        self.settings = settings
        self.clock = clock
        self.ids = ids
        self._gateway = gateway
        self._embedder = embedder
        self._auto_family = auto_family
        self._extensions = extensions
        self._snapshot = snapshot
        self._ledger = ledger
        self._health = health
        self._storage = storage
        self.folder = folder
        self.refresh = refresh
        self.plugins = plugins
        self.checked = checked
        self.demo = demo
        self.activity = activity

    def storage(self, plugin: str) -> PluginTable:
        """Return the rows of the database that are a plugin's own.

        :param plugin: its name
        """
        return self._storage(plugin)

    def panels(self) -> Mapping[str, Panel]:
        """Ask the plugins for their panels, by id.

        :raises PluginError: when one of them will not do
        """
        return self._extensions.panels(self)

    def survey(self, models: Order | Sequence[Entry] | None = None) -> tuple[list[Route], list[PassedOver]]:
        """Return the routes that take a modest request now, best first, and why the others do not; changes nothing.

        :param models: of which models, in an order or in any; None is every model that is on
        """
        passed_over: list[PassedOver] = []
        if not isinstance(models, Order):
            catalogue = self.catalogue
            wanted = (*catalogue.chain, *catalogue.embedders) if models is None else models
            models = Order(wanted, catalogue.routes, self._health)
        return list(self._open(models, passed_over)), passed_over

    def first(self, order: Order) -> Route | None:
        """Return the first route that takes a modest request now; None: there is none. Changes nothing."""
        return next(self._open(order, []), None)

    def _open(self, order: Order, passed_over: list[PassedOver]) -> Iterator[Route]:
        now, needs = self.clock.now(), Needs(0, _MODEST, None, math.inf)
        found = self.router.candidates(order, needs, lambda: now, passed_over=passed_over, dry=True)
        return (route for route, _ in found)

    def measured(self, entry: Entry) -> Measured:
        """Return what was measured of a model lately."""
        now = self.clock.now()
        return entry.track.measured(now, lambda: quota_left(entry, now))

    @property
    def providers(self) -> Sequence[Provider]:
        """The providers that can be asked, instances included."""
        return self._snapshot().providers

    @property
    def catalogue(self) -> Catalogue:
        """The current catalogue."""
        return self._snapshot().orders.catalogue

    @property
    def keys(self) -> Sequence[ProviderKey]:
        """The providers' keys, sealed."""
        return self._snapshot().keys

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The profiles on offer, by name."""
        return self._snapshot().orders.profiles

    @property
    def quotas(self) -> Sequence[Pool]:
        """The quota pools."""
        return list(self._ledger.pools())

    @property
    def routes(self) -> Sequence[Route]:
        """Every route there is, in the fallback order."""
        return list(self.catalogue.routes.values())

    @property
    def closed(self) -> Sequence[Cooldown]:
        """What is closed at the moment, the next to open first."""
        return cooldowns(self._health, self.clock.now())

    def clear(self, name: str) -> list[str] | None:
        """Forget what closes a provider, a model, a route, a key or a pool; see `freellm.clearing.clear`."""
        return clear(name, self.routes, self._health, self._ledger, self.clock.now())

    def before_request(self, call: Call) -> None:
        """Show a call to the plugins.

        :raises RequestError: when one refuses it
        """
        self._extensions.before_request(call.asked, call.model)

    def complete(self, call: Call) -> Coroutine[None, None, Served]:
        """Serve a call; see `freellm.gateway.Gateway.serve`."""
        return self._gateway.serve(call)

    def embed(self, call: EmbeddingsCall) -> Coroutine[None, None, Embedded]:
        """Serve a request for vectors; see `freellm.gateway.Embedder.serve`."""
        return self._embedder.serve(call)

    def explain(self, call: Call) -> Explanation:
        """Say which routes would serve a call, and why the others would not; spends and changes nothing."""
        return self._gateway.explain(call)

    def needs(
        self, request: ChatRequest, mask: int, deadline: float, preferences: Preferences | None = None
    ) -> Needs:
        """Return what a request needs of a model.

        :param mask: the abilities it needs, as bits
        :param deadline: Unix time at which the client gives up
        :param preferences: what else the request says about who may answer
        """
        tokens = estimate_messages(request.messages, request.parameters.get("tools"))
        refusal = partial(refused_parameters, request) if preferences and preferences.all_parameters else None
        return Needs(mask, tokens, request.parameters.get("max_tokens"), deadline, refusal=refusal)

    def order(self, model: str, preferences: Preferences | None = None) -> Order:
        """Return the entries that may answer a request for a model, by any of its names.

        :param preferences: what else the request says about who may answer
        :raises RequestError: when there is none; says why and what there is instead
        """
        return chat_order(self._snapshot().orders, model, preferences)

    def renewed(self, call: Call) -> Order:
        """Return the entries that may answer a call, by the catalogue as it is now.

        :raises RequestError: when there are none any more
        """
        if isinstance(call, EmbeddingsCall):
            return self.space(call.model, call.space.dimensions).order
        return self.order(call.model, call.preferences)

    def makes_embeddings(self, model: str) -> bool:
        """Tell whether a model name stands for models that make embeddings."""
        return bool(self._snapshot().orders.embedders(model))

    def space(self, model: str, dimensions: int | None) -> Space:
        """Return the vector space that an embeddings request for a model goes to, by any of its names.

        :param dimensions: the length of vector wanted; None is the model's usual one
        :raises RequestError: when nobody makes such vectors; says why and what there is instead
        """
        orders = self._snapshot().orders
        if model != AUTO:
            return vector_space(orders, model, dimensions)
        name = self._auto_family.choose(orders.catalogue)
        try:
            return vector_space(orders, name, dimensions)
        except RequestError as error:
            raise stays(name, error) from None
