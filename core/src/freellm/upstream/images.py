"""Downloading the images of a message for models that take them inline."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from typing import Final

from aiohttp import ClientSession, hdrs
from yarl import URL

from freellm.errors import RequestError, UpstreamError
from freellm.upstream.exchange import Exchange
from freellm.upstream.failures import FAILURES, convert

IMAGE_LIMIT: Final = 20 * 2**20
"""Bytes of one image at most."""

IMAGE_SECONDS: Final = 15.0
"""Seconds for one image, redirects included."""

REDIRECTS: Final = 3
"""Redirects followed at most; the guard judges the address of each."""

_MEDIA_TYPE: Final = re.compile(r"image/[a-z0-9][a-z0-9.+-]*")


async def fetch(session: ClientSession, url: str) -> str:
    """Download an image and return it as a data URI.

    :param session: its guard decides which addresses may be asked
    :param url: http or https
    :raises RequestError: when it is no image, too large, or cannot be had; `param` is `messages`
    """
    try:
        async with asyncio.timeout(IMAGE_SECONDS):
            return await _fetch(session, _parse(url))
    except TimeoutError:
        reason = f"it did not arrive within {IMAGE_SECONDS:g} s"
    except UpstreamError as error:
        reason = error.message
    raise _refused(reason)


async def _fetch(session: ClientSession, url: URL) -> str:
    for _ in range(REDIRECTS + 1):
        exchange = await _get(session, url)
        target = exchange.headers.get("location")
        if exchange.status not in (301, 302, 303, 307, 308) or not target:
            return await _read(exchange, str(url.host))
        exchange.close()
        url = _parse(target, url)
    raise _refused("it redirects too often")


async def _get(session: ClientSession, url: URL) -> Exchange:
    try:
        response = await session.get(url, headers={hdrs.ACCEPT: "image/*"}, allow_redirects=False)
    except FAILURES as error:
        failure = convert(error, str(url.host))
    else:
        return Exchange(response, str(url.host), asyncio.get_running_loop())
    raise failure


async def _read(exchange: Exchange, host: str) -> str:
    media_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
    if exchange.status != 200:
        exchange.close()
        raise _refused(f"{host} answered with status {exchange.status}")
    if not _MEDIA_TYPE.fullmatch(media_type):
        exchange.close()
        raise _refused(f"what {host} sent is not an image")
    body = await exchange.body(IMAGE_LIMIT, IMAGE_SECONDS)
    return f"data:{media_type};base64,{b64encode(body).decode()}"


def _parse(text: str, base: URL | None = None) -> URL:
    try:
        url = URL(text)
        if base is not None:
            url = base.join(url)
        acceptable = url.scheme in ("http", "https") and bool(url.host) and not url.user and not url.password
    except ValueError:
        acceptable = False
    if not acceptable:
        raise _refused("its URL must be http(s)://host/path, without a user name")
    return url


def _refused(reason: str) -> RequestError:
    return RequestError(
        f"An image of the messages could not be fetched: {reason}. Send it as a data URI instead.",
        code="invalid_image_url",
        param="messages",
    )
