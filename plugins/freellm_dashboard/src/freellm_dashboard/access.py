"""Who gets at `/api`: a browser with a session, on a page of ours. The unified key opens nothing here."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from aiohttp import hdrs, web

from freellm import auth
from freellm_dashboard.answers import RefusedError
from freellm_dashboard.context import DASHBOARD
from freellm_dashboard.sessions import LONGEST, Session

LEVEL: Final = "session"
"""What handlers state with `freellm.auth`."""

SESSION: Final = web.RequestKey("freellm_dashboard_session", Session)
"""Where a handler finds who asks: `request[SESSION]`."""

COOKIE: Final = "freellm_session"
"""The cookie's name, before the port: browsers do not tell the ports of a host apart, and each may be a freellm."""

LOCKED: Final = "__Host-"
"""What the cookie's name begins with where the browser came by TLS: browsers take such a cookie from the host itself only."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS: Final = frozenset({"same-origin", "none"})
_PORT: Final = re.compile(r":(\d{1,5})$")


async def check(request: web.Request) -> web.StreamResponse | None:
    """Let a request of somebody who is signed in pass, or say what is missing."""
    try:
        request[SESSION] = await _signed_in(request)
    except RefusedError as refused:
        return refused.render()
    return None


async def _signed_in(request: web.Request) -> Session:
    refuse_others(request)
    session = find(request)
    if session is None:
        raise RefusedError(
            "nobody is signed in here, or the session has ended",
            status=401,
            cure="open the link that freellm serve printed, or a new one: freellm dashboard link",
        )
    sessions = request.app[DASHBOARD].sessions
    if sessions.is_due(session):
        await asyncio.to_thread(sessions.touch, session)
    return session


@auth(LEVEL)
async def nothing(request: web.Request) -> web.StreamResponse:
    """Say that the API has no such route."""
    raise RefusedError(
        f"there is nothing at {request.method} {request.path}",
        status=404,
        cure="GET /api/openapi.json describes what there is",
    )


def find(request: web.Request) -> Session | None:
    """Return the session of a request; None when it has none that is good."""
    name = cookie_name(request)
    secret = request.cookies.get(LOCKED + name) or request.cookies.get(name)
    return request.app[DASHBOARD].sessions.find(secret) if secret else None


def refuse_others(request: web.Request) -> None:
    """Refuse what a page of another site made a browser send.

    The browser's own word is asked for, `Sec-Fetch-Site` or `Origin`. A request that changes something needs one of
    them, and a content type that no form can send.

    :raises RefusedError: when it comes from elsewhere
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get(hdrs.ORIGIN)
    foreign = (site is not None and site not in _OURS) or (
        origin is not None and not _is_ours(origin, request)
    )
    changes = request.method not in _SAFE
    if foreign or (changes and site is None and origin is None):
        raise RefusedError(
            "this request does not come from a page of this dashboard",
            status=403,
            cure=f"a program states the origin itself: 'Origin: http://{request.host}'",
        )
    if changes and request.content_type != "application/json":
        raise RefusedError(
            "a request that changes something has the content type application/json",
            status=415,
            cure="send 'Content-Type: application/json'",
        )


def _is_ours(origin: str, request: web.Request) -> bool:
    """Tell whether an origin is the host that was asked; its scheme may be that of a proxy in front."""
    scheme, separator, host = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and host.lower() == request.host.lower()


def cookie_name(request: web.Request) -> str:
    """Return the cookie's name for the port that was asked."""
    port = _PORT.search(request.host)
    return f"{COOKIE}_{port[1]}" if port else COOKIE


def hand_cookie(request: web.Request, response: web.Response, secret: str) -> None:
    """Hand a session's secret to the browser; no script sees it, and no other site's page makes it be sent."""
    by_tls = request.secure or request.headers.get(hdrs.ORIGIN, "").startswith("https://")
    response.set_cookie(
        f"{LOCKED if by_tls else ''}{cookie_name(request)}",
        secret,
        max_age=int(LONGEST),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=by_tls,
    )


def take_cookie(request: web.Request, response: web.Response) -> None:
    """Let the browser forget its secret."""
    name = cookie_name(request)
    for given in (name, LOCKED + name):
        if given in request.cookies:
            secure = given.startswith(LOCKED)
            response.del_cookie(given, path="/", httponly=True, samesite="Strict", secure=secure)
