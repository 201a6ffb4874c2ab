"""Figures over the request log, and what becomes of quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from freellm.forecasts import each_forecast, forecasts
from freellm_dashboard.answers import RefusedError
from freellm_dashboard.api.burndown import Price, burndown
from freellm_dashboard.api.desk import Desk, query
from freellm_dashboard.api.figures import Titles, summed_up
from freellm_dashboard.api.remaining import remaining
from freellm_dashboard.pauses import unhurried
from freellm_dashboard.shapes.analytics import (
    Analytics,
    AnalyticsQuery,
    Burndown,
    BurndownQuery,
    Quotas,
)

if TYPE_CHECKING:
    from freellm.proxy import Proxy


class AnalyticsDesk:
    """Handlers of `/api/analytics` and `/api/quotas`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._proxy = desk.proxy

    async def analytics(self, request: web.Request) -> web.Response:
        """Sum the log up."""
        asked = query(request, AnalyticsQuery)
        return await self._desk.shared.told(f"analytics {asked!r}", lambda: self._summed_up(asked))

    async def _summed_up(self, asked: AnalyticsQuery) -> Analytics:
        now, titles = self._proxy.clock.now(), _titles(self._proxy)
        return await self._desk.look(summed_up, asked.range, asked.by, now, titles)

    async def quotas(self, request: web.Request) -> web.Response:
        """List what is left of every quota."""
        return await self._desk.shared.told("quotas", self._left)

    async def _left(self) -> Quotas:
        now, routes = self._proxy.clock.now(), self._proxy.routes
        pools = [pool async for pool in unhurried(each_forecast(routes, now))]
        return Quotas(at=now, pools=pools, totals=await remaining(routes, now))

    async def burndown(self, request: web.Request) -> web.Response:
        """Show how a quota is spent."""
        asked = query(request, BurndownQuery)
        return await self._desk.shared.told(f"burndown {asked!r}", lambda: self._burnt_down(asked))

    async def _burnt_down(self, asked: BurndownQuery) -> Burndown:
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
        return await self._desk.look(burndown, told, prices, now)


def _titles(proxy: Proxy) -> Titles:
    providers = {provider.name: provider.info.title for provider in proxy.providers}
    models = {entry.name: entry.model.title or entry.model.id for entry in proxy.catalogue.entries}
    keys = {
        key.id: f"{providers.get(key.provider, key.provider)}: {key.label or key.id[:8]}"
        for key in proxy.keys
    }
    return Titles({"provider": providers, "model": models, "key": keys})
