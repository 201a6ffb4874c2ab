"""What went wrong at a socket, in words that are safe to show.

aiohttp's exceptions are never formatted: their texts hold URLs, their representations hold request headers, the
key among them. The errors made here are raised outside the `except` block, so that they do not carry them either.
"""

from __future__ import annotations

import os
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from freellm.errors import UpstreamError
from freellm.types import Kind
from freellm.upstream.guard import UNENCRYPTED, BlockedAddressError

FAILURES: Final = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError, RuntimeError)
"""What a request or a read can raise. `OSError` covers `TimeoutError`, `RuntimeError` covers `RecursionError` and what
aiohttp raises when its session or a connection is closed under it."""

_TABLE: Final[tuple[tuple[type[BaseException], Kind, str], ...]] = (
    (TimeoutError, Kind.TIMEOUT, "{host} did not answer in time"),
    (aiohttp.ClientConnectorDNSError, Kind.NETWORK, "the name {host} cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, Kind.NETWORK, "the certificate of {host} is not trusted"),
    (aiohttp.ClientSSLError, Kind.NETWORK, "TLS with {host} failed"),
    (aiohttp.ClientPayloadError, Kind.NETWORK, "{host} broke off in the middle of its answer"),
    (aiohttp.ServerDisconnectedError, Kind.NETWORK, "{host} closed the connection without an answer"),
    (aiohttp.ClientResponseError, Kind.BAD_ANSWER, "{host} does not speak proper HTTP"),
    (HttpProcessingError, Kind.BAD_ANSWER, "{host} does not speak proper HTTP"),
    (aiohttp.InvalidURL, Kind.NETWORK, "the URL is not acceptable"),
    (aiohttp.ClientConnectionError, Kind.NETWORK, "the connection to {host} was lost"),
    (OSError, Kind.NETWORK, "the connection to {host} was lost"),
    (ValueError, Kind.BAD_ANSWER, "the request to {host} cannot be expressed in HTTP"),
)


_UNREACHED: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.InvalidURL,
)
"""What is raised before anything is sent: no name, no connection, no handshake."""


def convert(error: BaseException, host: str) -> UpstreamError:
    """Name a failure in the router's words.

    :param error: one of `FAILURES`
    :param host: whom the request was for
    """
    if isinstance(error, UpstreamError):
        return error
    if type(error) is aiohttp.ClientConnectorError:
        return UpstreamError(
            Kind.NETWORK, f"no connection to {host}: {_reason(error.os_error)}", reached=False
        )
    for kind_of_error, kind, text in _TABLE:
        if isinstance(error, kind_of_error):
            return UpstreamError(kind, text.format(host=host), reached=not isinstance(error, _UNREACHED))
    return UpstreamError(Kind.NETWORK, f"the connection to {host} was closed")


def _reason(error: OSError) -> str:
    if isinstance(error, BlockedAddressError):
        if error.reason == UNENCRYPTED:
            return "public addresses are asked over https only"
        return f"{error.reason} addresses are refused"
    return os.strerror(error.errno) if error.errno else "connection failed"
