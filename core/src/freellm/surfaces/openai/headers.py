"""The headers of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from freellm.gateway import Call, Served

if TYPE_CHECKING:
    from freellm.proxy import Proxy


def answer_headers(proxy: Proxy, request: web.Request, call: Call, served: Served) -> dict[str, str]:
    """Return the headers that say who answered, and after how many attempts."""
    headers = {
        "X-Request-Id": proxy.ids.of(request),
        "X-Routed-Via": served.route.header,
        "X-Fallback-Attempts": str(len(call.tried)),
    }
    if call.tried:
        headers["X-Fallback-Trail"] = ", ".join(tried.summary for tried in call.tried)
    return headers
