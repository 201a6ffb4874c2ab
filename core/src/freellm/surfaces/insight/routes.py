"""The HTTP routes that look into the proxy; they spend nothing."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from freellm.access import auth
from freellm.capacity import overview
from freellm.clearing import names
from freellm.errors import RequestError
from freellm.forecasts import PoolForecast
from freellm.gateway import Call
from freellm.hookspecs import hookimpl
from freellm.surfaces.insight.activity import closed, last, under_way
from freellm.surfaces.openai.embedding_parsing import parse_embeddings
from freellm.surfaces.openai.embeddings import Embeddings
from freellm.surfaces.openai.parsing import parse
from freellm.surfaces.openai.reading import read_body
from freellm.surfaces.openai.routes import ChatCompletions

if TYPE_CHECKING:
    from freellm.proxy import Proxy

_encode = msgspec.json.Encoder().encode


class InsightSurface:
    """Explanations, quotas and activity. A plugin of core's own, on the public hook."""

    @hookimpl
    def register_routes(self, app: web.Application, proxy: Proxy) -> None:
        """Add the routes."""
        insight = Insight(proxy)
        app.router.add_post("/v1/freellm/explain", insight.explain)
        app.router.add_get("/v1/freellm/quotas", insight.quotas)
        app.router.add_get("/v1/freellm/activity", insight.activity)
        app.router.add_post("/v1/freellm/clear", insight.clear)


class Insight:
    """Their handlers.

    :param proxy: what is looked into
    """

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._chat = ChatCompletions(proxy)
        self._embeddings = Embeddings(proxy)

    @auth("key")
    async def explain(self, request: web.Request) -> web.Response:
        """Answer a request with what would become of it; plugins that watch requests do not see it.

        What has `input` and no `messages` asks for vectors; of one in several parts the first is explained.
        """
        body, started = await read_body(request), self._proxy.clock.now()
        call: Call
        if _asks_for_vectors(body):
            call = self._embeddings.call(request, parse_embeddings(body), started).parts()[0]
        else:
            call = self._chat.call(request, parse(body), started)
        return self._answer(request, self._proxy.explain(call))

    @auth("key")
    async def quotas(self, request: web.Request) -> web.Response:
        """Answer with every pool and what becomes of it; `?provider=` names one, `?used=true` leaves out the full."""
        told = overview(self._proxy.routes, self._proxy.clock.now())
        pools = told.pools
        if provider := request.query.get("provider"):
            pools = _of(provider, pools)
        if request.query.get("used") == "true":
            pools = [pool for pool in pools if pool.used or pool.closed_until]
        return self._answer(request, msgspec.structs.replace(told, pools=pools))

    @auth("key")
    async def activity(self, request: web.Request) -> web.Response:
        """Answer with the requests under way, the last ones, and what is closed."""
        now, proxy = self._proxy.clock.now(), self._proxy
        told = {
            "at": now,
            "under_way": [under_way(call) for call in proxy.activity.under_way],
            "last": [last(record) for record in reversed(proxy.activity.last)],
            "closed": [*proxy.closed, *closed(proxy.quotas, now)],
        }
        return self._answer(request, told)

    @auth("key")
    async def clear(self, request: web.Request) -> web.Response:
        """Forget what closes a provider, a model, a route, a key or a pool, named by `{"name": …}`."""
        name = _name(await read_body(request))
        cleared = self._proxy.clear(name)
        if cleared is None:
            near = tuple(difflib.get_close_matches(name, names(self._proxy.routes), 3, cutoff=0.0))
            raise RequestError(
                f"nothing is called {name!r}; name a provider, provider/model, provider/model#key or a pool, "
                f"such as {', '.join(near) or 'those that GET /v1/freellm/quotas lists'}",
                status=404,
                code="unknown_name",
                param="name",
                suggestions=near,
            )
        return self._answer(request, {"name": name, "cleared": cleared})

    def _answer(self, request: web.Request, told: Any) -> web.Response:
        headers = {"Content-Type": "application/json", "X-Request-Id": self._proxy.ids.of(request)}
        return web.Response(body=_encode(told), headers=headers)


def _of(provider: str, pools: Sequence[PoolForecast]) -> Sequence[PoolForecast]:
    own = [pool for pool in pools if pool.provider == provider]
    if not own:
        known = tuple(dict.fromkeys(pool.provider for pool in pools))
        raise RequestError(
            f"no provider with a key is called {provider!r}; there are {', '.join(known) or 'none'}",
            status=404,
            code="unknown_name",
            param="provider",
            suggestions=known,
        )
    return own


def _asks_for_vectors(body: bytes) -> bool:
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False  # the parser of chat requests says what is wrong
    return isinstance(raw, dict) and "input" in raw and "messages" not in raw


def _name(body: bytes) -> str:
    try:
        name = msgspec.json.decode(body)["name"]
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError, KeyError):
        name = None
    if not isinstance(name, str) or not name:
        raise RequestError('the body must be a JSON object such as {"name": "lab/a"}', param="name")
    return name
