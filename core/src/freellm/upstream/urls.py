"""Joining a key's base URL and a hook's relative path so that the path can change neither host nor prefix."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from yarl import URL

from freellm.errors import UpstreamError
from freellm.types import Kind

_KEPT: Final = "/%:@!$&'()*+,;=~"
"""What stays as it is in a path, beside letters, digits, `-`, `.` and `_` (RFC 3986, pchar)."""

_BASE: Final = re.compile(r"(?P<scheme>https?)://[^/?#@\\\s]+(?P<prefix>/[^?#\\\s]*)?")


@lru_cache(maxsize=4096)
def join(base_url: str, path: str, local: bool) -> URL:
    """Return the URL of one request.

    :param base_url: origin and path prefix; `https` unless `local`
    :param path: starts with `/`; may have a query; kept byte for byte but for characters no URL may hold
    :param local: whether the base URL may be plain `http`
    :raises UpstreamError: when either is not acceptable; the text holds neither
    """
    base = _BASE.fullmatch(base_url)
    if base is None:
        raise _refused("the base URL must be http(s)://host with an optional path, and nothing else")
    if base["scheme"] != "https" and not local:
        raise _refused("the base URL of a public host must be https")
    bare, question_mark, query = path.partition("?")
    prefix = (base["prefix"] or "").rstrip("/")
    if not bare.startswith("/") or _wanders(prefix) or _wanders(bare):
        raise _refused("the path must start with '/' and hold no '..', '//' or backslash")
    rest = quote(prefix + bare, safe=_KEPT) + question_mark + quote(query, safe=_KEPT + "?")
    try:
        url = URL(f"{URL(base_url).origin()}{rest}", encoded=True)
    except ValueError:
        url = URL()
    if not url.host:
        raise _refused("the base URL names no host")
    return url


def _wanders(path: str) -> bool:
    """Whether some reader of the path, decoding it once or twice, could see it leave its folder."""
    decoded = unquote(unquote(path))
    segments = decoded.replace("\\", "/").split("/")[1:]
    return "\\" in decoded or "//" in path or "." in segments or ".." in segments


def _refused(text: str) -> UpstreamError:
    return UpstreamError(Kind.NETWORK, text)
