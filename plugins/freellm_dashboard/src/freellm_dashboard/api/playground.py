"""Chatting from a page: what clients get at `/v1`, for who is signed in."""

from __future__ import annotations

from aiohttp import web

from freellm.surfaces.insight.routes import Insight
from freellm.surfaces.openai.routes import ChatCompletions
from freellm_dashboard.api.desk import Desk
from freellm_dashboard.headers import API


class Playground:
    """Handlers of `/api/chat` and `/api/explain`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._chat = ChatCompletions(desk.proxy)
        self._insight = Insight(desk.proxy)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Chat; the answer, its headers and its errors are those of `POST /v1/chat/completions`."""
        return await self._chat.handle(request)

    async def explain(self, request: web.Request) -> web.Response:
        """Say what would become of a chat; spends nothing."""
        told = await self._insight.explain(request)
        told.headers.update(API)
        return told
