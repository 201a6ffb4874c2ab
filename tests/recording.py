"""A relay in front of a simulation that remembers what was sent through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import orjson
from aiohttp import web


class Sent(NamedTuple):
    """One request that went through.

    :param provider: to whom, by the first part of the path
    :param body: its JSON; None if it had none
    """

    provider: str
    body: Any


class Recording:
    """The relay.

    :ivar sent: what went through, in order
    :ivar base_urls: where each provider is reached through it
    """

    def __init__(self, base_urls: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        self.sent: list[Sent] = []
        self.base_urls: dict[str, str] = {}
        self._behind = base_urls
        self._session = session

    async def relay(self, request: web.BaseRequest) -> web.Response:
        """Pass one request on and its whole answer back."""
        _, provider, *rest = request.raw_path.split("/")
        body = await request.read()
        self.sent.append(Sent(provider, orjson.loads(body) if body else None))
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in ("host", "content-length")
        }
        url = "/".join((self._behind[provider], *rest))
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOPS}
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)

    def bodies(self, provider: str) -> list[Any]:
        """Return the bodies that a provider got, in order."""
        return [sent.body for sent in self.sent if sent.provider == provider and sent.body is not None]


_HOPS = {"transfer-encoding", "content-length", "connection", "date", "server"}


@asynccontextmanager
async def recording(base_urls: Mapping[str, str]) -> AsyncIterator[Recording]:
    """Run a relay in front of some base URLs, in the test's own event loop."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        made = Recording(base_urls, session)
        runner = web.ServerRunner(web.Server(made.relay, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        root = f"http://127.0.0.1:{runner.addresses[0][1]}"
        made.base_urls = {name: f"{root}/{name}" for name in base_urls}
        try:
            yield made
        finally:
            await runner.cleanup()
