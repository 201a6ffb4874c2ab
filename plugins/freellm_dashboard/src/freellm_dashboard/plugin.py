"""The dashboard as a plugin: what it adds to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freellm import hookimpl
from freellm_dashboard import static

if TYPE_CHECKING:
    from aiohttp import web


class Plugin:
    """The dashboard."""

    @hookimpl
    def register_routes(self, app: web.Application) -> None:
        """Add the pages and what they ask for."""
        static.register(app)
