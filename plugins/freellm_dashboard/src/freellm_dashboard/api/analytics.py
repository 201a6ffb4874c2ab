"""Figures over the request log, and what becomes of quotas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import web

from freellm.capacity import overview
from freellm.forecasts import forecasts
from freellm_dashboard.answers import RefusedError, answer
from freellm_dashboard.api.burndown import Price, burndown
from freellm_dashboard.api.desk import Desk, query
from freellm_dashboard.api.figures import Titles, summed_up
from freellm_dashboard.shapes.analytics import (
    Analytics,
    AnalyticsQuery,
    BurndownQuery,
    Grouping,
    Quotas,
    Range,
)

if TYPE_CHECKING:
    from freellm.proxy import Proxy

_FRESH: Final[Mapping[Range, float]] = {"1h": 1.0, "24h": 2.0, "7d": 5.0, "30d": 10.0, "90d": 10.0}
"""Seconds that the figures of a range are told again as they are, so that many open pages cost no more than one."""


class AnalyticsDesk:
    """Handlers of `/api/analytics` and `/api/quotas`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._proxy = desk.proxy
        self._told: dict[tuple[Range, Grouping], tuple[float, Analytics]] = {}

    async def analytics(self, request: web.Request) -> web.Response:
        """Sum the log up."""
        asked = query(request, AnalyticsQuery)
        now = self._proxy.clock.now()
        until, told = self._told.get((asked.range, asked.by), (0.0, None))
        if told is None or now >= until:
            told = await self._desk.look(summed_up, asked.range, asked.by, now, _titles(self._proxy))
            self._told[asked.range, asked.by] = now + _FRESH[asked.range], told
        return answer(told)

    async def quotas(self, request: web.Request) -> web.Response:
        """List what is left of every quota."""
        told = overview(self._proxy.routes, self._proxy.clock.now())
        return answer(Quotas(at=told.at, pools=list(told.pools), totals=told.totals))

    async def burndown(self, request: web.Request) -> web.Response:
        """Show how a quota is spent."""
        asked = query(request, BurndownQuery)
        now, routes = self._proxy.clock.now(), self._proxy.routes
        drawing = [
            (route, share) for route in routes for share in route.shares if share.pool.identity == asked.pool
        ]
        if not drawing:
            raise RefusedError(
                f"no key draws on a quota {asked.pool!r}",
                status=404,
                field="pool",
                cure="GET /api/quotas lists them",
            )
        told = next(
            pool for pool in forecasts([route for route, _ in drawing], now) if pool.pool == asked.pool
        )
        prices = {
            (route.provider.name, route.model.id, route.key.id): Price(
                share.per_request, share.per_input, share.per_output
            )
            for route, share in drawing
        }
        return answer(await self._desk.look(burndown, told, prices, now))


def _titles(proxy: Proxy) -> Titles:
    providers = {provider.name: provider.info.title for provider in proxy.providers}
    models = {entry.name: entry.model.title or entry.model.id for entry in proxy.catalogue.entries}
    keys = {
        key.id: f"{providers.get(key.provider, key.provider)}: {key.label or key.id[:8]}"
        for key in proxy.keys
    }
    return Titles({"provider": providers, "model": models, "key": keys})
