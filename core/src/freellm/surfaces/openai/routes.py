"""The HTTP routes of the OpenAI surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from freellm.access import auth
from freellm.gateway import Call
from freellm.hookspecs import hookimpl
from freellm.sessions import digests, named
from freellm.surfaces.openai.embeddings import Embeddings
from freellm.surfaces.openai.headers import whole_headers
from freellm.surfaces.openai.listing import ModelListing
from freellm.surfaces.openai.parsing import Parsed, parse
from freellm.surfaces.openai.reading import hedge, max_wait, patience, read_body
from freellm.surfaces.openai.streaming import StreamAnswer
from freellm.surfaces.whole import WholeAnswer

if TYPE_CHECKING:
    from freellm.proxy import Proxy

_PREFIXES = ("", "/v1", "/v1/v1")
"""Base URLs are pasted with and without `/v1`, and twice."""

_SESSION_HEADERS = ("X-Session-Id", "X-FreeLLM-Session")


class OpenAISurface:
    """Chat completions, embeddings and models. A plugin of core's own, on the public hook."""

    @hookimpl
    def register_routes(self, app: web.Application, proxy: Proxy) -> None:
        """Add the routes."""
        chat = ChatCompletions(proxy)
        embeddings = Embeddings(proxy)
        models = ModelListing(proxy)
        for prefix in _PREFIXES:
            app.router.add_post(f"{prefix}/chat/completions", chat.handle)
            app.router.add_post(f"{prefix}/embeddings", embeddings.handle)
            app.router.add_get(f"{prefix}/models", models.all)
            app.router.add_get(prefix + "/models/{id:.+}", models.one)


class ChatCompletions:
    """`POST /v1/chat/completions`.

    :param proxy: the gateway and what surrounds it
    """

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    @auth("key")
    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, whole or streamed."""
        started = self._proxy.clock.now()
        parsed = parse(await read_body(request))
        call = self.call(request, parsed, started)
        self._proxy.before_request(call)
        if parsed.request.stream:
            return await StreamAnswer(self._proxy, request, call).serve()
        served = await self._proxy.complete(call)
        headers = whole_headers(call, (served.route,), served.dropped, self._proxy.clock.now())
        return WholeAnswer(orjson.dumps(served.completion), headers)

    def call(self, request: web.Request, parsed: Parsed, started: float) -> Call:
        """Return what a request asks for, ready to be served or explained.

        :raises RequestError: when there is no such model
        """
        messages = parsed.request.messages
        settings = self._proxy.settings
        if (session := _session(request, parsed)) is not None:
            earlier: bytes | None = session
        else:
            session, earlier = digests(messages)
        return Call(
            id=self._proxy.ids.name(request),
            surface="openai",
            model=parsed.model,
            request=parsed.request,
            order=self._proxy.order(parsed.model, parsed.preferences),
            needs=self._proxy.needs(
                parsed.request,
                parsed.mask,
                started + patience(request, settings.request_timeout),
                parsed.preferences,
            ),
            session=session,
            earlier=earlier,
            include_usage=parsed.include_usage,
            started=started,
            tool_call_ids=parsed.tool_call_ids,
            remote_images=parsed.remote_images,
            preferences=parsed.preferences,
            max_wait=max_wait(request, settings.max_wait),
            hedge=hedge(request, settings.hedge),
        )


def _session(request: web.Request, parsed: Parsed) -> bytes | None:
    """Return the digest of the session the client names, None when it names none."""
    for name in _SESSION_HEADERS:
        given = request.headers.get(name)
        if given:
            return named(given)
    key = parsed.request.parameters.get("prompt_cache_key")
    return named(key) if key else None
