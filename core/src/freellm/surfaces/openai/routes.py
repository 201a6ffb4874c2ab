"""The HTTP routes of the OpenAI surface."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson
from aiohttp import hdrs, web

from freellm.access import auth
from freellm.errors import RequestError
from freellm.gateway import Call, Served
from freellm.hookspecs import hookimpl
from freellm.sessions import digest, earlier, named
from freellm.surfaces.openai.headers import answer_headers
from freellm.surfaces.openai.listing import ModelListing
from freellm.surfaces.openai.parsing import Parsed, parse
from freellm.surfaces.openai.streaming import StreamAnswer

if TYPE_CHECKING:
    from freellm.proxy import Proxy

BODY_SECONDS = 30.0
"""Seconds a client may take to send its body."""

DEADLINE_MARGIN = 2.0
"""Seconds before the client's own read timeout at which we give up, so that it hears why."""

_PREFIXES = ("", "/v1", "/v1/v1")
"""Base URLs are pasted with and without `/v1`, and twice."""

_TIMEOUT_HEADERS = ("x-stainless-read-timeout", "x-stainless-timeout")
_SESSION_HEADERS = ("X-Session-Id", "X-FreeLLM-Session")


class OpenAISurface:
    """Chat completions and models. A plugin of core's own, on the public hook."""

    @hookimpl
    def register_routes(self, app: web.Application, proxy: Proxy) -> None:
        """Add the routes."""
        chat = ChatCompletions(proxy)
        models = ModelListing(proxy)
        for prefix in _PREFIXES:
            app.router.add_post(f"{prefix}/chat/completions", chat.handle)
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
        call = self._call(request, parsed, started)
        self._proxy.before_request(call)
        if parsed.request.stream:
            return await StreamAnswer(self._proxy, request, call).serve()
        served = await self._proxy.complete(call)
        return web.Response(body=orjson.dumps(served.completion), headers=self._headers(call, served))

    def _headers(self, call: Call, served: Served) -> dict[str, str]:
        headers = answer_headers(call, served)
        headers["Content-Type"] = "application/json"
        lasted = (self._proxy.clock.now() - call.started) * 1000.0
        headers["openai-processing-ms"] = f"{lasted:.0f}"
        headers["X-FreeLLM-Overhead-Ms"] = f"{max(0.0, lasted - call.upstream_ms):.2f}"
        return headers

    def _call(self, request: web.Request, parsed: Parsed, started: float) -> Call:
        messages = parsed.request.messages
        session = _session(request, parsed)
        return Call(
            id=self._proxy.ids.of(request),
            surface="openai",
            model=parsed.model,
            request=parsed.request,
            order=self._proxy.order(parsed.model),
            needs=self._proxy.needs(parsed.request, parsed.mask, started + self._patience(request)),
            session=session or digest(messages),
            earlier=session or earlier(messages),
            include_usage=parsed.include_usage,
            started=started,
            tool_call_ids=parsed.tool_call_ids,
            remote_images=parsed.remote_images,
        )

    def _patience(self, request: web.Request) -> float:
        """Return the seconds until the client gives up, as far as it says so."""
        longest = self._proxy.settings.request_timeout
        for name in _TIMEOUT_HEADERS:
            stated = _seconds(request.headers.get(name))
            if stated > 0:
                return min(max(stated - DEADLINE_MARGIN, 1.0), longest)
        return longest


def _session(request: web.Request, parsed: Parsed) -> bytes | None:
    """Return the digest of the session the client names, None when it names none."""
    for name in _SESSION_HEADERS:
        given = request.headers.get(name)
        if given:
            return named(given)
    key = parsed.request.parameters.get("prompt_cache_key")
    return named(key) if key else None


def _seconds(text: str | None) -> float:
    """Return the seconds a header states, 0 when it states none."""
    if text is None:
        return 0.0
    try:
        return float(text)
    except ValueError:
        return 0.0


async def read_body(request: web.Request) -> bytes:
    """Read a request's whole body.

    :raises RequestError: when it is compressed, or too slow
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
        raise RequestError(
            "the body is compressed; send it as it is, without Content-Encoding",
            status=415,
            code="unsupported_encoding",
        )
    if request.content.is_eof():
        return await request.read()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise RequestError(
            f"the body did not arrive within {BODY_SECONDS:g} s; send it faster or smaller",
            status=408,
            code="body_timeout",
        ) from None
