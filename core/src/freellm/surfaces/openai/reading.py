"""Reading a request: its body, and how long its client waits."""

from __future__ import annotations

import asyncio
import math
from typing import Final

from aiohttp import hdrs, web

from freellm.errors import RequestError

BODY_SECONDS = 30.0
"""Seconds a client may take to send its body."""

DEADLINE_MARGIN = 2.0
"""Seconds before the client's own read timeout at which we give up, so that it hears why."""

MAX_WAIT, HEDGE = "X-FreeLLM-Max-Wait", "X-FreeLLM-Hedge"

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


def max_wait(request: web.Request, usual: float) -> float:
    """Return the seconds that a request may be held until a route opens.

    :param usual: what holds when the client says nothing
    :raises RequestError: when it says something else than a number of seconds
    """
    stated = request.headers.get(MAX_WAIT)
    if stated is None:
        return usual
    try:
        seconds = float(stated)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds < math.inf:
        raise RequestError(f"{MAX_WAIT} must be a number of seconds, 0 or more", param=MAX_WAIT)
    return seconds


def hedge(request: web.Request, usual: bool) -> bool:
    """Return whether a second route may be asked when the first is slow.

    :param usual: what holds when the client says nothing
    :raises RequestError: when it says something else than 0 or 1
    """
    stated = request.headers.get(HEDGE)
    if stated is None:
        return usual
    if stated not in ("0", "1"):
        raise RequestError(f"{HEDGE} must be 1 (yes) or 0 (no)", param=HEDGE)
    return stated == "1"


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
