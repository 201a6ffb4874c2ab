"""The only user of aiohttp's client: one tuned session per guard policy, and safe errors."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any, Final

import orjson
from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.payload import BytesIOPayload
from yarl import URL

from freellm.errors import UpstreamError
from freellm.types import Answer, Kind, Upstream
from freellm.upstream import images
from freellm.upstream.exchange import Exchange
from freellm.upstream.failures import FAILURES, convert
from freellm.upstream.guard import guarded
from freellm.upstream.limits import FirstByteLimits
from freellm.upstream.line import METHOD, Line, Reply
from freellm.upstream.urls import join

CONNECT_SECONDS: Final = 5.0
"""Seconds for connecting and TLS; the first-byte limit covers resolving as well."""

KEEP_ALIVE_SECONDS: Final = 60.0
"""Seconds that an idle connection is kept."""

DNS_SECONDS: Final = 60
"""Seconds that a resolved name is remembered."""

USER_AGENT: Final = "freellm"

PROBE_SECONDS: Final = 15.0
"""Seconds until the first byte of a probe's answer."""

LARGE_BODY: Final = 2**20
"""Bytes from which a body is sent in pieces; a message with images gets there."""

_PUBLIC: Final = "public"
"""The policy of base URLs that packages declare; that of one set by hand is its scheme."""

_JSON: Final = {"Content-Type": "application/json"}


class UpstreamClient:
    """Sends requests to providers. It opens its sessions on first use, inside the running event loop.

    :param resolver: resolves names in place of the system's resolver
    """

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver
        self._lines: dict[str, Line] = {}
        self._closed = False
        self._loop: asyncio.AbstractEventLoop
        self._limits: FirstByteLimits | None = None

    async def send(
        self, upstream: Upstream, base_url: str, *, local: bool, first_byte_timeout: float
    ) -> Exchange:
        """Send a request and return its answer when the headers are here, whatever the status. Follows no redirect.

        :param base_url: origin and path prefix that the relative path is joined to
        :param local: whether loopback and private addresses are allowed, and to them plain http
        :param first_byte_timeout: seconds until the headers, connecting included
        :raises UpstreamError: `timeout`, `network`, or `bad_answer` when what came is not HTTP
        """
        url = join(base_url, upstream.path, local)
        policy = url.scheme if local else _PUBLIC
        line = self._lines.get(policy) or self._open(policy)
        body = None if upstream.body is None else _encoded(upstream.body)
        limits = self._limits
        if limits is None:
            self._loop = asyncio.get_running_loop()
            self._limits = limits = FirstByteLimits(self._loop)
        task = limits.start(first_byte_timeout)
        try:
            response: Reply | ClientResponse
            if body is not None and len(body) < LARGE_BODY and upstream.method == METHOD:
                response = await line.post(url, upstream.headers, body)
            else:
                response = await _request(line.session, upstream, url, body)
        except asyncio.CancelledError:
            if not limits.was_the_cause(task):
                raise
            failure = UpstreamError(Kind.TIMEOUT, f"{url.host} sent nothing for {first_byte_timeout:g} s")
        except FAILURES as error:
            failure = convert(error, str(url.host))
            limits.was_the_cause(task)
        else:
            return Exchange(response, str(url.host), self._loop)
        finally:
            limits.stop(task)
        raise failure

    async def probe(
        self, upstream: Upstream, base_url: str, local: bool, first_byte_timeout: float = PROBE_SECONDS
    ) -> Answer:
        """Send a request and read its whole answer. What prevents that becomes an answer of status 0 with the reason."""
        try:
            exchange = await self.send(upstream, base_url, local=local, first_byte_timeout=first_byte_timeout)
            return await exchange.answer()
        except UpstreamError as error:
            return Answer(0, {}, None, error.message)

    async def fetch_image(self, url: str) -> str:
        """Download an image of a client's message and return it as a data URI. Only global addresses are asked.

        :raises RequestError: when it is no image, too large, or cannot be had; `param` is `messages`
        """
        line = self._lines.get(_PUBLIC) or self._open(_PUBLIC)
        return await images.fetch(line.session, url)

    async def close(self) -> None:
        """Abort what is under way and close every connection."""
        self._closed = True
        lines = list(self._lines.values())
        self._lines.clear()
        for line in lines:
            await line.close()

    def _open(self, policy: str) -> Line:
        if self._closed:
            raise UpstreamError(Kind.NETWORK, "the server is shutting down")
        session = open_session(local=policy != _PUBLIC, plain=policy == "http", resolver=self._resolver)
        line = self._lines[policy] = Line(session, KEEP_ALIVE_SECONDS)
        return line


def open_session(
    *, local: bool, plain: bool = False, resolver: AbstractResolver | None = None
) -> ClientSession:
    """Return a session that neither follows the environment nor keeps cookies nor decompresses, behind a guard.

    :param local: see `freellm.upstream.guard.refusal`
    :param plain: see `freellm.upstream.guard.refusal`
    :param resolver: resolves names in place of the system's resolver
    """
    connector = TCPConnector(
        limit=0,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        ttl_dns_cache=DNS_SECONDS,
        resolver=resolver,
        socket_factory=guarded(local=local, plain=plain),
    )
    return ClientSession(
        connector=connector,
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        headers={"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


async def _request(
    session: ClientSession, upstream: Upstream, url: URL, body: bytes | None
) -> ClientResponse:
    """Send what is no small post: a large body goes as a file, which aiohttp sends in pieces and lets others run in between."""
    headers = upstream.headers if body is None else {**_JSON, **upstream.headers}
    data = None if body is None else BytesIOPayload(BytesIO(body))
    return await session.request(upstream.method, url, data=data, headers=headers, allow_redirects=False)


def _encoded(body: Any) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # its text may quote the body
        pass
    raise UpstreamError(Kind.BAD_ANSWER, "the provider's plugin made a body that is not JSON")
