"""Names of requests: ours, or the one the client gave."""

from __future__ import annotations

import itertools
import re

from aiohttp import web

_SANE = re.compile(r"[A-Za-z0-9_.:\-]{1,128}", re.ASCII)
_KEY: web.RequestKey[str] = web.RequestKey("freellm_request_id", str)


class RequestIds:
    """Give every request an id.

    :param boot: what tells this start's ids from another's
    """

    __slots__ = ("_numbers", "_prefix")

    def __init__(self, boot: str) -> None:
        self._prefix = f"req_{boot}"
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """Return an id nobody else has."""
        return f"{self._prefix}{next(self._numbers):08x}"

    def of(self, request: web.Request) -> str:
        """Return the id to answer with: the client's own, if it sent a sane one, else ours; always the same."""
        known = request.get(_KEY)
        return self.name(request) if known is None else known

    def name(self, request: web.Request) -> str:
        """Name a request that has no id yet; see `of`."""
        headers = request.headers
        given = headers.get("X-Request-Id") or headers.get("X-Client-Request-Id")
        name = request[_KEY] = given if given and _SANE.fullmatch(given) else self.new()
        return name
