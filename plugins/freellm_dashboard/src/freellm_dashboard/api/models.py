"""Models: what each can do, whether it is used, what is left of its limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from freellm.administration import models, syncing
from freellm.administration.chain import Chain
from freellm.administration.limits import limits_of
from freellm.forecasts import forecast
from freellm_dashboard.answers import answer
from freellm_dashboard.api.desk import Desk, body
from freellm_dashboard.pauses import AT_ONCE, unhurried
from freellm_dashboard.shapes.models import (
    Measured,
    ModelLimit,
    ModelRow,
    Models,
    ModelSwitch,
    Sync,
    Synced,
)

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder
    from freellm.catalogue import Entry
    from freellm.ledger import Pool, Share
    from freellm.proxy import Proxy
    from freellm.reasons import PassedOver


class Availability:
    """Which models would take a request now; of those that have not been looked at, nothing is known."""

    def __init__(self) -> None:
        self.open = set[str]()
        self._closed: dict[str, PassedOver] = {}

    @classmethod
    async def of(cls, proxy: Proxy) -> Availability:
        """Look at every model that is on, a few at a time: requests are served in between."""
        catalogue, found = proxy.catalogue, cls()
        entries = (*catalogue.chain, *catalogue.embedders)
        async for start in unhurried(range(0, len(entries), AT_ONCE), at_once=1):
            found.look(proxy, entries[start : start + AT_ONCE])
        return found

    def look(self, proxy: Proxy, entries: Sequence[Entry]) -> None:
        """Look at some models as they are now."""
        routes, notes = proxy.survey(entries)
        self.open |= {route.entry.name for route in routes}
        for note in notes:
            known = self._closed.get(note.name)
            if known is None or note.opens_at < known.opens_at:
                self._closed[note.name] = note

    def why(self, name: str) -> tuple[str | None, float | None]:
        """Return why a model is closed, and the Unix time at which it opens; nothing for one that is open."""
        note = None if name in self.open else self._closed.get(name)
        if note is None:
            return None, None
        return note.detail, note.opens_at if math.isfinite(note.opens_at) else None


class ModelDesk:
    """Handlers of `/api/models`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._proxy = desk.proxy

    async def every(self, request: web.Request) -> web.Response:
        """List all models."""
        return answer(Models(models=await self._rows(self._proxy.catalogue.entries)))

    async def switch(self, request: web.Request) -> web.Response:
        """Switch models on or off."""
        wanted = await body(request, ModelSwitch)
        refs, _ = await self._desk.change(models.switch, wanted.models, wanted.enabled, field="models")
        entries = self._proxy.catalogue.entries
        return answer(
            Models(models=await self._rows([e for e in entries if (e.provider.name, e.model.id) in refs]))
        )

    async def sync(self, request: web.Request) -> web.Response:
        """Compare with the providers' own lists."""
        wanted = await body(request, Sync)
        return answer(await self._desk.ask(_synced, wanted.providers, field="providers"))

    async def _rows(self, entries: Iterable[Entry]) -> list[ModelRow]:
        """Describe models, a few at a time: requests are served in between."""
        rows = ModelRows(self._proxy, await Availability.of(self._proxy))
        described = [rows.row(entry) async for entry in unhurried(entries)]
        described.sort(key=lambda row: (row.place is None, row.place or 0))
        return described


class ModelRows:
    """Describes models as they are now.

    :param proxy: the running proxy
    :param availability: which of them are open
    """

    def __init__(self, proxy: Proxy, availability: Availability) -> None:
        self._proxy = proxy
        self._now = proxy.clock.now()
        self._chain = Chain(proxy.folder, proxy.catalogue)
        self._places = self._chain.places()
        self._availability = availability
        self._limits = proxy.settings.stated_limits

    def row(self, entry: Entry) -> ModelRow:
        """Describe a model."""
        model, provider = entry.model, entry.provider
        state, why = self._chain.state(entry)
        reason, opens_at = self._availability.why(entry.name)
        return ModelRow(
            name=entry.name,
            provider=provider.name,
            provider_title=provider.info.title,
            model=model.id,
            title=model.title,
            family=model.family,
            task=model.task,
            abilities=sorted(model.abilities) if model.task == "chat" else [],
            dimensions=list(model.dimensions),
            context=model.context,
            max_output=model.max_output,
            status=model.status,
            state="no key" if state == "no key" else "on" if state == "on" else "off",
            why=why,
            note=model.note,
            enabled=entry.enabled,
            place=self._places.get(entry.name),
            by_hand=entry.choice.position is not None,
            intelligence_rank=model.intelligence_rank,
            speed_rank=model.speed_rank,
            available=entry.name in self._availability.open,
            unavailable_because=reason,
            opens_at=opens_at,
            limits=limits_of(model, provider.quotas, self._limits.get(provider.name, {})),
            quotas=_quotas(entry, self._now),
            measured=self._measured(entry),
        )

    def _measured(self, entry: Entry) -> Measured | None:
        found = self._proxy.measured(entry)
        if found.success is None and found.first_token is None and found.tokens_per_second is None:
            return None
        first = None if found.first_token is None else found.first_token * 1000.0
        return Measured(success=found.success, first_ms=first, tokens_per_second=found.tokens_per_second)


def _quotas(entry: Entry, now: float) -> list[ModelLimit]:
    """Return a model's limits over all its keys; the pools of several keys are one limit."""
    alike: dict[tuple[str, float | None], dict[Pool, Share]] = {}
    for route in entry.routes:
        for share in route.shares:
            quota = share.pool.quota
            alike.setdefault((quota.unit, quota.window), {})[share.pool] = share
    return [_limit(unit, window, pools, entry.model.id, now) for (unit, window), pools in alike.items()]


def _limit(
    unit: str, window: float | None, pools: Mapping[Pool, Share], model: str, now: float
) -> ModelLimit:
    told = [forecast(pool, now, unlimited=share.unlimited) for pool, share in pools.items()]
    known = [one.limit for one in told if one.limit is not None and not one.unlimited]
    left = [one.left for one in told if one.left is not None and not one.unlimited]
    whole = len(known) == len(told)
    resets = [one.resets_at for one in told if one.resets_at is not None]
    return ModelLimit(
        unit=unit,
        window=window,
        used=sum(one.used for one in told),
        limit=sum(known) if whole else None,
        left=sum(left) if whole else None,
        resets_at=max(resets, default=None),
        shared=any(tuple(one.members) != (model,) for one in told),
    )


async def _synced(folder: DataFolder, providers: Sequence[str]) -> Synced:
    chosen = syncing.chosen_providers(folder, providers)
    reports, _ = await syncing.synced(folder, chosen, folder.settings.catalogue)
    return msgspec.convert({"providers": reports}, Synced, from_attributes=True)
