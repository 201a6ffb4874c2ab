"""Who may call which route, and what a caller sees when something goes wrong.

Authorization hangs on the route that was resolved, never on a path: a path can be written in many ways.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from freellm.access import LEVELS, level_of
from freellm.errors import RequestError
from freellm.surfaces.errors import render
from freellm.surfaces.ids import RequestIds

if TYPE_CHECKING:
    from freellm.access import Check

_log = logging.getLogger(__name__)

_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[\w.\-]+)(?::\d{1,5})?", re.ASCII)


def unmarked(app: web.Application, levels: Collection[str] = LEVELS) -> list[str]:
    """Return the routes whose handlers do not say who may call them.

    :param levels: what they may say
    """
    return sorted(
        {
            f"{route.method} {route.resource.canonical if route.resource else '?'}"
            for route in app.router.routes()
            if level_of(route.handler) not in levels
        }
    )


class Credentials:
    """The unified key.

    :param key: the key; None lets everyone in
    """

    __slots__ = ("_bearer", "_digest")

    def __init__(self, key: str | None) -> None:
        self._bearer = b""
        self._digest = b""
        self.replace(key)

    def replace(self, key: str | None) -> None:
        """Take another key."""
        self._digest = b"" if key is None else _digest(key)
        self._bearer = b"" if key is None else f"Bearer {key}".encode()

    def check(self, request: web.Request) -> None:
        """Let a request pass or not; one key in several headers must be the same one.

        :raises RequestError: when the key is missing or wrong
        """
        if not self._digest:
            return
        headers = request.headers
        given_bearer = headers.get(hdrs.AUTHORIZATION, "").encode("utf-8", "surrogateescape")
        if (
            hmac.compare_digest(given_bearer, self._bearer)
            and "x-api-key" not in headers
            and "api-key" not in headers
        ):
            return  # what nearly every client sends
        given = _given(request)
        if not given:
            raise RequestError(
                "no API key given; send the unified key as 'Authorization: Bearer fl-…' "
                "(freellm apikey show prints it)",
                status=401,
                code="invalid_api_key",
            )
        if sum(hmac.compare_digest(_digest(key), self._digest) for key in given) != len(given):
            raise RequestError(
                "this is not the unified key of this freellm; freellm apikey show prints it. "
                "Provider keys do not go here: store them with freellm keys add",
                status=401,
                code="invalid_api_key",
            )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _given(request: web.Request) -> list[str]:
    headers = request.headers
    given = []
    bearer = headers.get(hdrs.AUTHORIZATION)
    if bearer is not None:
        given.append(bearer[7:].strip() if bearer[:7].lower() == "bearer " else "")
    given += [headers[name] for name in ("x-api-key", "api-key") if name in headers]
    return given


class Hosts:
    """The names a request may be addressed to: a page of another site cannot reach us under its own name.

    :param names: the names; empty lets any name pass
    """

    __slots__ = ("_names",)

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(name.lower() for name in names)

    def check(self, request: web.Request) -> None:
        """Let a request pass or not.

        :raises RequestError: when it is addressed to somebody else
        """
        host = request.headers.get(hdrs.HOST, "")
        if (
            not request.raw_path.startswith("/")
            or len(request.headers.getall(hdrs.HOST, ())) > 1
            or not _HOST.fullmatch(host)
        ):
            raise RequestError("the request line or the Host header is malformed", code="bad_host")
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        if self._names and name.lower() not in self._names:
            raise RequestError(
                f"this server does not answer to the name {name!r}; if it should, set FREELLM_ALLOWED_HOSTS={name}",
                status=421,
                code="unknown_host",
            )


class Guard:
    """What every request passes first.

    :param credentials: who may come in
    :param hosts: the names that requests may be addressed to
    :param ids: names requests
    :param checks: plugins' own ways to say who may call a route
    """

    __slots__ = ("_checked_hosts", "_checks", "_credentials", "_hosts", "_ids")

    def __init__(
        self,
        credentials: Credentials,
        hosts: Hosts,
        ids: RequestIds,
        checks: Mapping[str, Check] | None = None,
    ) -> None:
        self._checks = checks or {}
        self._credentials = credentials
        self._hosts = hosts
        self._ids = ids
        self._checked_hosts: set[str] = set()

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, whose route is resolved, with its handler's answer or an error in OpenAI's shape."""
        try:
            host = request.headers.get(hdrs.HOST, "")
            if host not in self._checked_hosts or not request.raw_path.startswith("/"):
                self._hosts.check(request)
                if len(self._checked_hosts) < 100:
                    self._checked_hosts.add(host)
            level = level_of(request.match_info.handler)
            if level == "key":
                self._credentials.check(request)
            elif level in self._checks and (refusal := await self._checks[level](request)) is not None:
                return refusal
            return await handler(request)
        except RequestError as error:
            return render(error, self._ids.of(request))
        except web.HTTPException as error:
            if error.status < 400:  # a redirect is no error
                raise
            return _plain(error, request, self._ids)
        except ConnectionError:  # the client has left: nobody reads this answer, and it is no error of ours
            return web.Response(status=499)
        except Exception:  # noqa: BLE001 - a mistake of ours must not stop the server
            request_id = self._ids.of(request)
            _log.exception("request %s failed", request_id)
            return render(
                RequestError(
                    f"freellm failed on this request; its log has the reason under {request_id}",
                    status=500,
                    type_="api_error",
                    code="internal_error",
                ),
                request_id,
            )

    def middleware(self) -> Middleware:
        """Return it as an application's middleware."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.serve(request, handler)

        return guarded


def _plain(error: web.HTTPException, request: web.Request, ids: RequestIds) -> web.Response:
    """Return an error of the web server itself as JSON."""
    if error.status == 405:
        allowed = error.headers.get(hdrs.ALLOW, "")
        refused = RequestError(
            f"{request.method} is not allowed on {request.path}; use {allowed}",
            status=405,
            code="method_not_allowed",
        )
        return render(refused, ids.of(request), {hdrs.ALLOW: allowed})
    if error.status == 413:
        refused = RequestError(
            "the body is larger than this server takes; send less, or raise FREELLM_BODY_LIMIT",
            status=413,
            code="request_too_large",
        )
        return render(refused, ids.of(request))
    if error.status == 404:
        refused = RequestError(
            f"there is nothing at {request.method} {request.path}; the API is under /v1, such as POST /v1/chat/completions",
            status=404,
            code="unknown_url",
        )
        return render(refused, ids.of(request))
    return render(RequestError(error.reason, status=error.status, code="http_error"), ids.of(request))
