"""The dashboard as a plugin: what it adds to the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from freellm import hookimpl
from freellm_dashboard import access, api, events, signing, static
from freellm_dashboard.answers import answering
from freellm_dashboard.context import DASHBOARD, URL, Dashboard

if TYPE_CHECKING:
    from aiohttp import web

    from freellm.access import Check
    from freellm.proxy import Proxy


class Plugin:
    """The dashboard; one object for every server of this process, and without a memory."""

    @hookimpl
    def register_auth(self, register: Callable[[str, Check], None]) -> None:
        """Let handlers say that a session is needed."""
        register(access.LEVEL, access.check)

    @hookimpl
    def register_routes(self, app: web.Application, proxy: Proxy) -> None:
        """Add the pages, and the API that they use."""
        app[DASHBOARD] = Dashboard(proxy)
        static.register(app)
        signing.register(app)
        events.register(app)
        api.register(app, proxy)
        app.router.add_route(
            "*", "/api/{rest:.*}", answering(access.nothing)
        )  # the last one, for all the others

    @hookimpl
    def announce(self, proxy: Proxy, url: str) -> Mapping[str, str]:
        """Say where the dashboard is, with a link that opens it once."""
        dashboard = Dashboard(proxy)
        dashboard.table.set(URL, url.encode())
        if dashboard.needs_password:
            return {"dashboard": f"closed until it has a password: freellm dashboard password  ({url}/)"}
        return {"dashboard": dashboard.links.make(url)}
