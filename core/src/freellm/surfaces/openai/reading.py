"""Reading a request: its body, and how long its client waits."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import hdrs, web

from freellm.errors import RequestError

BODY_SECONDS = 30.0
"""Seconds a client may take to send its body."""

DEADLINE_MARGIN = 2.0
"""Seconds before the client's own read timeout at which we give up, so that it hears why."""

_TIMEOUT_HEADERS: Final = ("x-stainless-read-timeout", "x-stainless-timeout")


def patience(request: web.Request, longest: float) -> float:
    """Return the seconds until the client gives up, as far as it says so.

    :param longest: the most it is given, and what it is given when it says nothing
    """
    for name in _TIMEOUT_HEADERS:
        stated = _seconds(request.headers.get(name))
        if stated > 0:
            return min(max(stated - DEADLINE_MARGIN, 1.0), longest)
    return longest


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
    content = request.content
    if content.is_eof():  # it came with the headers
        body = content.read_nowait()
        if len(body) >= request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size, len(body))
        return body
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise RequestError(
            f"the body did not arrive within {BODY_SECONDS:g} s; send it faster or smaller",
            status=408,
            code="body_timeout",
        ) from None
