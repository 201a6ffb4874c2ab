"""The catalogue of a running server: what requests find out about models, and when lists are asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from freellm.catalogue import Entry
from freellm.clock import Clock
from freellm.errors import FreeLLMError
from freellm.health import Health
from freellm.keychain import Keychain
from freellm.keyring import ProviderKey
from freellm.listings import Listing, Sign
from freellm.providers import Provider
from freellm.settings import Settings
from freellm.store import Store
from freellm.sync.files import current, fetch, filed, take
from freellm.sync.lists import ListReport, Lists
from freellm.sync.schedule import DAY, due
from freellm.types import ListedModel
from freellm.upstream import UpstreamClient

_log = logging.getLogger(__name__)

_LOOK_EVERY = 600.0
"""Seconds between two looks at what is due, at most: keys come and go."""

RETRY = 15.0
"""Seconds between two questions to an instance of which no model is known."""

FILE = ""
"""What stands for the catalogue file among the names of providers."""


class LiveCatalogue:
    """What is known of models beside what packages declare, while the server runs.

    :param declared: returns the providers as their packages declare them
    :param store: keeps what lists and refusals say
    :param health: tells what requests found out
    :param client: asks for lists
    :param keychain: has the keys
    :param clock: tells the time
    :param sleep: waits so many seconds
    """

    def __init__(
        self,
        declared: Callable[[], Sequence[Provider]],
        store: Store,
        settings: Settings,
        health: Health,
        client: UpstreamClient,
        keychain: Keychain,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._declared = declared
        self._store = store
        self._settings = settings
        self._health = health
        self._client = client
        self._keychain = keychain
        self._clock = clock
        self._sleep = sleep
        self._lists = Lists(store, client, keychain.open_key, keychain.is_local, clock.now)
        self._retired: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._troubles: dict[str, str] = {}

    def providers(self) -> list[Provider]:
        """Return every provider with the models and quotas that count at the moment."""
        return current(self._declared(), self._store, self._settings)

    def recall(self, entries: Iterable[Entry]) -> None:
        """Let health know what was known before this server started, or was found out by another process.

        :param entries: the models of the new snapshot
        """
        listings, retired = self._store.listings.all(), set()
        for entry in entries:
            listing = listings.get(entry.provider.name, {}).get(entry.model.id)
            standing = entry.standing
            if listing is None or not listing.signs:
                standing.gone = None
            elif listing.retired:
                retired.add(standing.name)
            else:
                standing.gone = (listing.signs[0].at, listing.signs[0].by)
        for name in self._retired - retired:
            self._health.clear(name)
        self._retired = retired

    def note(self) -> None:
        """Store what requests found out about models being there.

        :raises StoreError: when it cannot be stored
        """
        while self._health.sightings:
            name, at, by = self._health.sightings.popleft()
            provider, _, model = name.removeprefix("model ").partition("/")
            known = self._store.listings.of(provider).get(model) or Listing(facts=ListedModel(id=model))
            after = known.without(refusals=True) if by is None else known.with_sign(Sign(at, by))
            if after != known:
                self._store.listings.save(provider, {model: after})

    def start(self) -> None:
        """Begin to ask for lists: instances' at once, the others' unless the settings say never."""
        self._tasks.append(asyncio.create_task(self._discover(), name="ask instances for their models"))
        if self._settings.models_sync_days:
            self._tasks.append(asyncio.create_task(self._run(), name="ask for lists of models"))

    async def stop(self) -> None:
        """Stop asking."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _discover(self) -> None:
        """Ask every instance once, and those of which no model is known again and again."""
        wanted = self._instances()
        while True:
            await asyncio.gather(*map(self._ask_instance, wanted))
            await asyncio.sleep(RETRY)
            wanted = [provider for provider in self._instances() if not provider.models]

    def _instances(self) -> list[Provider]:
        return [provider for provider in self._declared() if provider.is_instance and provider.lists_models]

    async def _ask_instance(self, provider: Provider) -> None:
        keys = [key for key in self._usable() if key.provider == provider.name]
        if not keys:
            return
        try:
            report = await self._lists.sync(provider, keys)
        except FreeLLMError as error:
            report = ListReport(provider=provider.name, problem=str(error))
        if report.changes or report.problem != self._troubles.get(provider.name, ""):
            tell(report)  # a trouble once, not every few seconds
        self._troubles[provider.name] = report.problem

    async def _run(self) -> None:
        started = last = self._clock.now()
        while True:
            next_ = self._next(started, last)
            wait = _LOOK_EVERY if next_ is None else next_[0] - self._clock.now()
            if next_ is None or wait > 0:
                await self._sleep(min(wait, _LOOK_EVERY))
                continue
            try:
                await self._sync(next_[1])
            except FreeLLMError as error:
                _log.warning("what a list says could not be taken over: %s", error)
            except Exception:  # noqa: BLE001 - one provider's trouble must not keep the others from being asked
                _log.exception("asking for a list of models failed")
            last = self._clock.now()

    def _next(self, started: float, last: float) -> tuple[float, str] | None:
        keyed, known = {key.provider for key in self._usable()}, self._store.listings.all()
        names = [
            provider.name
            for provider in self._declared()
            if provider.name in keyed
            and (provider.lists_models or any(row.retired for row in known.get(provider.name, {}).values()))
        ]
        missing = {
            name
            for name, listings in known.items()
            if any(listing.is_missing and not listing.retired for listing in listings.values())
        }
        return due(
            [*names, FILE] if self._settings.catalogue else names,
            self._store.listings.lists(),
            missing,
            every=self._settings.models_sync_days * DAY,
            started=started,
            last=last,
        )

    def _usable(self) -> list[ProviderKey]:
        keys = self._keychain.keys()
        return [key for key in keys if key.usable]

    async def _sync(self, name: str) -> None:
        if name == FILE:
            await self._sync_file()
            return
        stated = next(p for p in filed(self._declared(), self._store, self._settings) if p.name == name)
        keys = [key for key in self._usable() if key.provider == name]
        tell(await self._lists.sync(stated, keys))

    async def _sync_file(self) -> None:
        source, key, now = self._settings.catalogue, self._settings.catalogue_key, self._clock.now()
        if source is None or key is None:
            return
        problem = ""
        try:
            taken = take(await fetch(source, self._client), key, self._declared(), self._store, now)
            if taken.is_new:
                _log.info("the catalogue file %s is in use, serial %d", taken.source, taken.serial)
        except FreeLLMError as error:
            problem = str(error)
            _log.warning("the catalogue file is not taken, the last good one stays in use: %s", problem)
        self._store.listings.asked(FILE, now, problem)


def tell(report: ListReport) -> None:
    """Log what a list has changed."""
    if report.problem:
        _log.warning("the list of models of %s: %s", report.provider, report.problem)
    for change in report.changes:
        _log.info("%s/%s is %s: %s", report.provider, change.model, change.kind, change.detail)
