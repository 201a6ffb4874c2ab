"""Signing in and out, and who is signed in: the handlers."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from freellm import auth
from freellm.version import VERSION
from freellm_dashboard import passwords
from freellm_dashboard.access import LEVEL, SESSION, find, hand_cookie, refuse_others, take_cookie
from freellm_dashboard.answers import Handler, RefusedError, answer, answering, body_of
from freellm_dashboard.context import DASHBOARD, Dashboard
from freellm_dashboard.sessions import Session
from freellm_dashboard.shapes import access as shapes
from freellm_dashboard.throttle import peer_of

_LARGEST = 64 * 1024
_SET_ONE = "run: freellm dashboard password"


@auth("public")
async def session(request: web.Request) -> web.StreamResponse:
    """Say whether the browser is signed in, and how it could be."""
    refuse_others(request)
    return answer(_described(request.app[DASHBOARD], find(request)))


def _described(dashboard: Dashboard, session: Session | None) -> shapes.Session:
    return shapes.Session(
        signed_in=session is not None,
        password_set=dashboard.password.is_set,
        password_required=dashboard.needs_password,
        expires_at=session.expires_at if session else None,
        version=VERSION,
    )


@auth("public")
async def login(request: web.Request) -> web.StreamResponse:
    """Sign in with the token of a link or with the password."""
    refuse_others(request)
    dashboard = request.app[DASHBOARD]
    body = await body_of(request, shapes.Login, _LARGEST)
    if dashboard.needs_password:
        raise RefusedError(
            "this server can be reached from other machines, so nobody signs in before a password is set",
            status=403,
            cure=_SET_ONE,
        )
    if body.token is not None:
        await _use_link(dashboard, body.token)
    elif body.password is not None:
        await _try_password(request, body.password)
    else:
        raise RefusedError(
            "neither a password nor a token is given", field="password", cure="send one of them"
        )
    return await _begun(request)


async def _use_link(dashboard: Dashboard, token: str) -> None:
    if not await asyncio.to_thread(dashboard.links.use, token):
        raise RefusedError(
            "this link was used already, or is older than 15 minutes",
            status=401,
            field="token",
            cure="get a new one: freellm dashboard link",
        )


async def _try_password(request: web.Request, password: str, field: str = "password") -> None:
    """Check a password, as often as a peer may try.

    :raises RefusedError: when it is wrong, or when it is too early for another try
    """
    dashboard = request.app[DASHBOARD]
    if not dashboard.password.is_set:
        raise RefusedError(
            "no password is set",
            status=401,
            field=field,
            cure=f"get a link: freellm dashboard link; {_SET_ONE}",
        )
    peer = peer_of(request.remote)
    if wait := dashboard.throttle.enter(peer):
        raise RefusedError(
            "too many wrong passwords",
            status=429,
            field=field,
            cure=f"try again in {wait:.0f} s, or get a link: freellm dashboard link",
            retry_after=wait,
        )
    if len(password) > passwords.LONGEST or not await dashboard.password.checked(password):
        raise RefusedError(
            "this is not the password",
            status=401,
            field=field,
            cure="freellm dashboard password sets another one, freellm dashboard link does without",
        )
    dashboard.throttle.passed(peer)


async def _begun(request: web.Request) -> web.Response:
    """Answer with a new session."""
    dashboard = request.app[DASHBOARD]
    secret, begun = await asyncio.to_thread(
        dashboard.sessions.begin, request.headers.get(hdrs.USER_AGENT, "")
    )
    response = answer(_described(dashboard, begun))
    hand_cookie(request, response, secret)
    return response


@auth(LEVEL)
async def logout(request: web.Request) -> web.StreamResponse:
    """End the session of who asks."""
    await asyncio.to_thread(request.app[DASHBOARD].sessions.end, request[SESSION].id)
    response = answer(shapes.Done())
    take_cookie(request, response)
    return response


@auth(LEVEL)
async def list_sessions(request: web.Request) -> web.StreamResponse:
    """List the browsers that are signed in."""
    own = request[SESSION].id
    rows = [
        shapes.SessionRow(
            id=one.id,
            current=one.id == own,
            created_at=one.created_at,
            seen_at=one.seen_at,
            expires_at=one.expires_at,
            client=one.client,
        )
        for one in request.app[DASHBOARD].sessions.all()
    ]
    return answer(shapes.Sessions(sessions=rows))


@auth(LEVEL)
async def end_session(request: web.Request) -> web.StreamResponse:
    """Sign a browser out."""
    id_ = request.match_info["id"]
    if not await asyncio.to_thread(request.app[DASHBOARD].sessions.end, id_):
        raise RefusedError(f"no session is called {id_!r}", status=404, cure="GET /api/sessions lists them")
    response = answer(shapes.Done())
    if id_ == request[SESSION].id:
        take_cookie(request, response)
    return response


@auth(LEVEL)
async def set_password(request: web.Request) -> web.StreamResponse:
    """Set, change or remove the password; whoever is signed in with the old one, this browser aside, is signed out."""
    dashboard = request.app[DASHBOARD]
    body = await body_of(request, shapes.NewPassword, _LARGEST)
    if dashboard.password.is_set:
        if body.current is None:
            raise RefusedError("the present password is needed", field="current", cure="send it as `current`")
        await _try_password(request, body.current, "current")
    if body.password is None:
        if not dashboard.is_local:
            raise RefusedError(
                "this server can be reached from other machines and needs a password",
                status=409,
                field="password",
                cure="send another one",
            )
        await asyncio.to_thread(dashboard.password.remove)
    elif problem := passwords.problem_of(body.password):
        raise RefusedError(problem, field="password", cure="choose a longer one, or a shorter one")
    else:
        await dashboard.password.changed(body.password)
    await asyncio.to_thread(dashboard.sign_out_all)
    return await _begun(request)


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/api/session", session),
    ("POST", "/api/login", login),
    ("POST", "/api/logout", logout),
    ("GET", "/api/sessions", list_sessions),
    ("DELETE", "/api/sessions/{id}", end_session),
    ("PUT", "/api/password", set_password),
)


def register(app: web.Application) -> None:
    """Add the routes."""
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, answering(handler))
