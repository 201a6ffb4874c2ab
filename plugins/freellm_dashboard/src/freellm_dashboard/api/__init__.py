"""The API that the pages use, under `/api`."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from freellm import auth
from freellm.version import VERSION
from freellm_dashboard.answers import Handler, answer, answering
from freellm_dashboard.api.analytics import AnalyticsDesk
from freellm_dashboard.api.apikey import UnifiedKeyDesk
from freellm_dashboard.api.desk import Desk, nothing
from freellm_dashboard.api.document import document
from freellm_dashboard.api.endpoints import ENDPOINTS
from freellm_dashboard.api.keys import KeyDesk
from freellm_dashboard.api.log import LogDesk
from freellm_dashboard.api.models import ModelDesk
from freellm_dashboard.api.orders import FallbackDesk, ProfileDesk
from freellm_dashboard.api.overview import OverviewDesk
from freellm_dashboard.api.panels import PanelDesk
from freellm_dashboard.api.playground import Playground
from freellm_dashboard.api.providers import ProviderDesk
from freellm_dashboard.api.sharing import Shared
from freellm_dashboard.api.system import SystemDesk
from freellm_dashboard.context import DASHBOARD

if TYPE_CHECKING:
    from freellm.proxy import Proxy
    from freellm_dashboard.live import Live

LEVEL: Final = "session"


def register(app: web.Application, proxy: Proxy) -> None:
    """Add the routes for who is signed in; signing in itself and events have modules of their own.

    :raises PluginError: when a panel of a plugin will not do
    """
    live = app[DASHBOARD].live
    desk = Desk(proxy, Shared(live))
    app.on_cleanup.append(desk.close)
    takers = {endpoint.name for endpoint in ENDPOINTS if endpoint.body is not None}
    for name, handler in _handlers(desk).items():
        method, path = name.split()
        closed = handler if method == "GET" or name in takers else _takes_nothing(handler)
        if method != "GET":
            closed = _changes(closed, live)
        app.router.add_route(method, path, auth(LEVEL)(answering(closed)))


def _takes_nothing(handler: Handler) -> Handler:
    """Return a handler that refuses a body with anything in it."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        await nothing(request)
        return await handler(request)

    return handle


def _changes(handler: Handler, live: Live) -> Handler:
    """Return a handler after which nothing is told that was read before."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            live.changed()

    return handle


def _handlers(desk: Desk) -> dict[str, Handler]:
    keys, models, system = KeyDesk(desk), ModelDesk(desk), SystemDesk(desk)
    fallback, profiles, log = FallbackDesk(desk), ProfileDesk(desk), LogDesk(desk)
    figures, unified, panels, playground = (
        AnalyticsDesk(desk),
        UnifiedKeyDesk(desk),
        PanelDesk(desk),
        Playground(desk),
    )
    return {
        "GET /api/overview": OverviewDesk(desk).overview,
        "GET /api/keys": keys.every,
        "POST /api/keys": keys.add,
        "POST /api/keys/check": keys.check_all,
        "POST /api/keys/import": keys.import_,
        "POST /api/keys/{id}/check": keys.check,
        "PATCH /api/keys/{id}": keys.change,
        "DELETE /api/keys/{id}": keys.remove,
        "GET /api/providers": ProviderDesk(desk).every,
        "POST /api/clear": keys.clear,
        "GET /api/models": models.every,
        "PATCH /api/models": models.switch,
        "POST /api/models/sync": models.sync,
        "GET /api/fallback": fallback.every,
        "PUT /api/fallback": fallback.arrange,
        "POST /api/fallback/sort": fallback.sort,
        "GET /api/profiles": profiles.every,
        "GET /api/profiles/{name}": profiles.show,
        "PUT /api/profiles/{name}": profiles.make,
        "DELETE /api/profiles/{name}": profiles.remove,
        "POST /api/chat": playground.chat,
        "POST /api/explain": playground.explain,
        "GET /api/requests": log.every,
        "GET /api/requests/{id}": log.show,
        "GET /api/analytics": figures.analytics,
        "GET /api/quotas": figures.quotas,
        "GET /api/quotas/burndown": figures.burndown,
        "GET /api/plugins": system.plugins,
        "GET /api/settings": system.settings,
        "GET /api/apikey": unified.describe,
        "POST /api/apikey/reveal": unified.reveal,
        "POST /api/apikey/rotate": unified.rotate,
        "POST /api/backup": system.backup,
        "GET /api/panels": panels.every,
        "GET /api/panels/{id}": panels.show,
        "GET /api/openapi.json": _Document().show,
    }


class _Document:
    """The OpenAPI document, made once: it says the same as long as the server runs."""

    def __init__(self) -> None:
        self._told: bytes | None = None

    async def show(self, request: web.Request) -> web.Response:
        """Show the OpenAPI document."""
        if self._told is None:
            self._told = await asyncio.to_thread(lambda: msgspec.json.encode(document(VERSION)))
        return answer(msgspec.Raw(self._told))
