"""Base URLs as people paste them: what is acceptable, and what was probably meant. Pure text, nothing is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

PORTS: Final = {"http": 80, "https": 443}

_ENDPOINT: Final = re.compile(r"/(?:chat/completions|completions|embeddings|responses|messages|models)$")
_VERSION: Final = re.compile(r"/v\d+[a-z]*\d*$")


def plain_url(url: str) -> str:
    """Return a base URL without its last slash.

    :raises ValueError: when it is none, or says more than scheme, host, port and path
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("expected http://HOST or https://HOST, with an optional port and path")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("a base URL has no user name, no query and no fragment")
    return url.rstrip("/")


def origin(base_url: str) -> str:
    """Return scheme, host and port, the port also where it goes without saying."""
    parts = urlsplit(base_url)
    try:
        return f"{parts.scheme}://{parts.hostname}:{parts.port or PORTS.get(parts.scheme, 0)}"
    except ValueError:  # no port: somebody edited a row, and its key will not open
        return base_url


def candidates(url: str) -> Sequence[str]:
    """Return the base URLs that somebody may have meant, the likeliest first.

    An endpoint's path at the end goes. A URL without a version at the end is also tried with `/v1`: first if it is
    a bare host, because that is where nearly every server has its API.

    :param url: acceptable to `plain_url`
    """
    base = _ENDPOINT.sub("", plain_url(url))
    if _VERSION.search(base):
        return (base,)
    versioned = f"{base}/v1"
    return (base, versioned) if urlsplit(base).path else (versioned, base)
