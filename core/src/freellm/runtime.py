"""Putting the parts together: everything between the settings and a proxy that answers."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence

from freellm import catalogue, profiles, strategies
from freellm.administration.folder import DataFolder
from freellm.auto_family import AutoFamily
from freellm.built_in import BUILT_IN
from freellm.clock import Clock
from freellm.errors import FreeLLMError
from freellm.extensions import load_extensions, refuse_broken
from freellm.gateway.activity import Activity
from freellm.gateway.assembly import assemble
from freellm.gateway.embedding import Embedder
from freellm.gateway.records import Recorder
from freellm.gauge import Gauge
from freellm.health import Health
from freellm.journal import Journal
from freellm.keychain import Keychain
from freellm.keyring import Keyring
from freellm.leases import LeaseFile
from freellm.ledger import Ledger, PoolState
from freellm.plugin_files import load_files
from freellm.providers import Provider, load_providers
from freellm.proxy import Proxy, Snapshot
from freellm.roster import Roster, stated_base_urls
from freellm.routing import Orders, Router
from freellm.secret import Secret
from freellm.settings import Settings
from freellm.store import ServerLock, Store
from freellm.surfaces.ids import RequestIds
from freellm.sync import LiveCatalogue
from freellm.tokens import Corrections
from freellm.upstream import UpstreamClient
from freellm.vault import open_vault, unified_key

_log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two looks at whether another process changed keys, models or settings."""

LEASE_FILE = "leases.bin"


class Runtime:
    """One proxy on one data folder.

    :param settings: the settings
    :param environ: where providers' usual variables are looked up
    :param wall: returns Unix time; asked once
    :param monotonic: returns seconds since any fixed moment; a test may let its own time pass
    :param client: asks the providers; None: over the network
    :param demo: whether every provider is simulated
    :raises PluginError: when a plugin breaks the contract
    :raises StoreError: when the database cannot be used or another server holds it
    :raises VaultError: when the master key is not the database's
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        client: UpstreamClient | None = None,
        demo: bool = False,
    ) -> None:
        self.settings = settings
        self._demo = demo
        self._client = client or UpstreamClient()
        files = load_files(settings.data_dir, settings.load_plugins)
        self.extensions, self.plugins = load_extensions(settings.load_plugins, BUILT_IN, files)
        loaded, provider_records = load_providers(settings.load_plugins, files)
        self.plugins += provider_records
        refuse_broken(self.plugins, strict=settings.strict_plugins)
        self._lock = ServerLock(settings.data_dir)
        try:
            self.store = Store(settings.data_dir)
            self.roster = Roster(loaded, provider_records, settings, self.store)
            self.roster.check()
            self._vault = open_vault(self.store, settings)
            self._folder = DataFolder(settings, environ, (loaded, provider_records))
        except BaseException:
            self._lock.close()
            raise
        self.clock = Clock(wall, monotonic, not_before=self.store.last_time())
        self._assemble(environ)

    def _assemble(self, environ: Mapping[str, str]) -> None:
        settings, clock = self.settings, self.clock
        boot = os.urandom(6).hex()
        self.health = Health()
        self.ledger = self.extensions.create_ledger(settings) or Ledger()
        self._leases = LeaseFile(settings.data_dir / LEASE_FILE, sequence=self.store.lease_sequence())
        self._corrections, self._activity = Corrections(), Activity()
        self.keyring = Keyring(
            (),
            self.store,
            self._vault,
            environ,
            base_urls=stated_base_urls(settings),
            unlimited=settings.unlimited,
        )
        self.keychain = Keychain(
            self.keyring, self.health, self._client, clock, settings.base_urls, self._stale
        )
        self._live = LiveCatalogue(
            self.roster.providers, self.store, settings, self.health, self._client, self.keychain, clock
        )
        self._gauge = Gauge(clock.now)
        self.strategies = strategies.gathered(
            self.extensions.register_strategies, self._gauge, settings.strategies, settings.strategy
        )
        profiles.check(
            settings.profiles, self.strategies, [provider.name for provider in self.roster.providers()]
        )
        self._dumped = -1.0
        self._problems: Mapping[str, str] = {}
        self.journal = Journal(
            self.store,
            clock.now,
            fold=self._fold,
            measured=self.health.measurements.dump,
            written=self._activity.written,
            retention=settings.journal_retention_days,
        )
        self._router = Router(self.ledger, self._corrections)
        self._restore()
        self.snapshot = self._snapshot()
        self._replay()
        self.on_change: list[Callable[[], None]] = []
        self.proxy = self._proxy(boot)
        self._task: asyncio.Task[None] | None = None
        self._is_stale = False

    def _proxy(self, boot: str) -> Proxy:
        settings, clock = self.settings, self.clock
        recorder = Recorder(self.journal, self.extensions, clock, self._activity)
        gateway, line = assemble(
            settings=settings,
            clock=clock,
            ledger=self.ledger,
            leases=self._leases,
            health=self.health,
            corrections=self._corrections,
            router=self._router,
            client=self._client,
            keychain=self.keychain,
            recorder=recorder,
            changed=self._stale,
            boot=boot,
            renewed=lambda call: self.proxy.renewed(call),
        )
        self.on_change.append(line.wake_all)
        self.health.watcher = line.wake_all
        return Proxy(
            gateway=gateway,
            embedder=Embedder(gateway, self._router, self.ledger, recorder, clock),
            auto_family=AutoFamily(self.store, settings.embeddings_model),
            router=self._router,
            extensions=self.extensions,
            snapshot=lambda: self.snapshot,
            ledger=self.ledger,
            health=self.health,
            activity=self._activity,
            strategies=self.strategies,
            settings=settings,
            clock=clock,
            ids=RequestIds(boot),
            storage=self.store.plugin,
            folder=self._folder,
            refresh=self.refresh,
            plugins=self.plugins,
            checked=self.keychain.checked,
            demo=self._demo,
        )

    @property
    def providers(self) -> Sequence[Provider]:
        """The providers that can be asked, instances included."""
        return self.snapshot.providers

    @property
    def unified_key(self) -> Secret:
        """The key that clients send."""
        if self.settings.api_key is not None:
            return Secret(self.settings.api_key.get_secret_value())
        return unified_key(self.store, self._vault)

    def _snapshot(self) -> Snapshot:
        self._seen = self.store.data_version()
        providers = self.roster.providers()
        self.keyring.use([provider.info for provider in providers])
        self._warn()
        keys = self.keychain.keys()
        built = catalogue.build(
            self._live.providers(),
            [key for key in keys if key.usable],
            self.store.models.overrides(),
            self.ledger,
            self.health,
            self.settings.stated_limits,
        )
        self._live.recall(built.entries)
        self._gauge.watch(built)
        named = {**self.store.profiles.all(), **self.settings.profiles}
        orders = Orders(built, self.strategies, self.health, named, self.settings.strategy)
        return Snapshot(orders, keys, providers)

    def _warn(self) -> None:
        """Say which instances cannot be asked, each time it changes."""
        problems = self.roster.problems()
        for name, problem in problems.items():
            if self._problems.get(name) != problem:
                _log.warning("%s is left out: %s", name, problem)
        self._problems = problems

    def _restore(self) -> None:
        self.ledger.load(self.store.pools.load(), self.clock.now())
        self.health.measurements.load(self.store.measurements.load())

    def _replay(self) -> None:
        """Book what an earlier process dispatched after its last writing."""
        routes = self.snapshot.orders.catalogue.by_route_hash
        now = self.clock.now()
        for record in self._leases.records(self.store.lease_sequence()):
            route = routes.get(record.route)
            if route is not None:
                tokens, at = (record.input, record.output), record.stamped
                self.ledger.restore(route.shares, *tokens, at, now, record.ceiling, record.requests)

    def _fold(self) -> tuple[Sequence[PoolState], int]:
        now = self.clock.now()
        states, self._dumped = self.ledger.dump(self._dumped), now
        return states, self._leases.sequence

    def refresh(self) -> None:
        """Take over what was changed in keys, models and settings."""
        self.snapshot = self._snapshot()
        for listener in self.on_change:
            listener()

    def look(self) -> None:
        """Take over what has changed since the last look, if anything has: a started runtime looks by itself.

        :raises FreeLLMError: when keys, models or settings cannot be read
        """
        for lease in self.ledger.age(self.clock.now()):
            self._leases.settle(lease.slot, lease.at, None, None)
        self._live.note()
        if self._is_stale or self.store.data_version() != self._seen:
            self._is_stale = False
            self.refresh()

    def _stale(self) -> None:
        self._is_stale = True

    async def start(self) -> None:
        """Begin to write behind and to look for changes.

        :raises FreeLLMError: when a plugin cannot start
        """
        await self.journal.start()
        self._task = asyncio.create_task(self._look(), name="look for changes")
        self._live.start()
        await self.extensions.startup(self.proxy)

    async def stop(self) -> None:
        """Stop, with everything written that is known."""
        await self.extensions.shutdown(self.proxy)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._live.stop()
        await self.keychain.stop()
        await self._client.close()
        await self.journal.stop()
        self.close()

    def close(self) -> None:
        """Let go of the data folder."""
        self._leases.close()
        self._folder.close()
        self.store.close()
        self._lock.close()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                self.look()
            except FreeLLMError as error:
                _log.error("changes to keys and models are not taken over for now: %s", error)
