"""The short way to a handler: a request for an exact path is not looked up piece by piece.

aiohttp's application resolves every request anew and builds a chain of middlewares around its handler: 28,000
instructions of some 860,000 that a chat costs (aiohttp 3.14.5). What is resolved is the same here, once for all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias, cast

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

_KNOWN = (web.PlainResource, web.DynamicResource, web.StaticResource)
"""Kinds of resources of which an exact path comes first; of others, such as whole domains, aiohttp alone knows."""

Serve: TypeAlias = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def shorten(runner: web.AppRunner, serve: Serve) -> None:
    """Let posts to exact paths go straight to their handlers, unless a plugin wants to see requests before that.

    :param runner: set up, and not listening yet
    :param serve: what the application's only middleware does with a request and its handler
    """
    app, server = runner.app, runner.server
    plain = all(isinstance(one, _KNOWN) for one in app.router.resources())
    if server is None or not plain or len(app.middlewares) != 1:
        return
    known = dict(_exact(app))
    through = cast(Callable[[web.Request], Awaitable[web.StreamResponse]], server.request_handler)

    async def direct(request: web.Request) -> web.StreamResponse:
        found = known.get(request.raw_path)
        if found is None or request.method != hdrs.METH_POST or hdrs.EXPECT in request.headers:
            return await through(request)
        request._match_info = found  # noqa: SLF001 - where aiohttp's own application puts it
        return await serve(request, found.handler)

    server.request_handler = cast(Any, direct)


def _exact(app: web.Application) -> Iterator[tuple[str, web.UrlMappingMatchInfo]]:
    for route in app.router.routes():
        if route.method == hdrs.METH_POST and isinstance(route.resource, web.PlainResource):
            found = web.UrlMappingMatchInfo({}, route)
            found.add_app(app)
            found.freeze()
            yield route.resource.canonical, found
