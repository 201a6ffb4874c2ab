"""The panels that plugins add."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import msgspec
from aiohttp import web

from freellm_dashboard.answers import RefusedError, answer
from freellm_dashboard.api.desk import Desk
from freellm_dashboard.shapes import panels

SECONDS: Final = 10.0
"""Seconds that a plugin has to say what is on its panel."""

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_checked = msgspec.json.Decoder(panels.Panel).decode


class PanelDesk:
    """Handlers of `/api/panels`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._proxy = desk.proxy
        self._panels = desk.proxy.panels()

    async def every(self, request: web.Request) -> web.Response:
        """List the plugins' panels."""
        cards = [
            panels.PanelCard(id=panel.id, title=panel.title, subtitle=panel.subtitle)
            for panel in self._panels.values()
        ]
        return answer(panels.PanelList(panels=cards))

    async def show(self, request: web.Request) -> web.Response:
        """Show a panel."""
        id_ = request.match_info["id"]
        panel = self._panels.get(id_)
        if panel is None:
            raise RefusedError(
                f"there is no panel {id_!r}", status=404, field="id", cure="GET /api/panels lists them"
            )
        try:
            async with asyncio.timeout(SECONDS):
                blocks = await panel.draw()
            told = panels.Panel(
                id=id_,
                title=panel.title,
                subtitle=panel.subtitle,
                at=self._proxy.clock.now(),
                blocks=list(blocks),
            )
            return answer(_checked(_encode(told)))
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            _log.exception("the panel %s failed", id_)
            kind = "took too long" if isinstance(error, TimeoutError) else "failed"
            raise RefusedError(
                f"the plugin {kind} when it was to say what is on its panel",
                status=502,
                cure="the server's log has the reason; tell the plugin's author",
            ) from None
