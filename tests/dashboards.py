"""A browser on the dashboard of a proxy that runs in the test's own event loop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from freellm_dashboard.context import Dashboard
from running import RunningProxy, running_proxy

PASSWORD = "correct horse battery"

NAVIGATION = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""What a browser that goes to a page asks for."""


class Answer:
    """What came back.

    :ivar status: the HTTP status
    :ivar headers: its headers
    :ivar body: its bytes, decompressed
    """

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = body

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """What is wrong, checked for its form."""
        error: dict[str, Any] = self.json["error"]
        assert error.keys() == {"message", "field", "cure"}
        assert error["message"]
        return error


class Browser:
    """A browser with cookies of its own, which says of its requests what browsers say.

    :param proxy: whose dashboard it is on
    :param session: keeps the cookies
    """

    def __init__(self, proxy: RunningProxy, session: aiohttp.ClientSession) -> None:
        self.proxy = proxy
        self.url = proxy.url
        self.session = session
        self.dashboard = Dashboard(proxy.runtime.proxy)

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request as a page of the dashboard does; headers given replace those."""
        sent = {"Sec-Fetch-Site": "same-origin"}
        if method != "GET":
            sent |= {"Content-Type": "application/json", "Origin": self.url}
        return await self.ask_as_told(method, path, body, {**sent, **(headers or {})})

    async def ask_as_told(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request with these headers and no others but the cookie."""
        data = body if isinstance(body, bytes) else None if method == "GET" else json.dumps(body or {})
        async with self.session.request(
            method,
            f"{self.url}{path}",
            data=data,
            headers=headers or {},
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
        ) as response:
            return Answer(response, await response.read())

    async def get(self, path: str) -> Answer:
        """Read."""
        return await self.ask("GET", path)

    async def sign_in(self) -> Answer:
        """Sign in through a link."""
        link = self.dashboard.links.make(self.url)
        return await self.ask("POST", "/api/login", {"token": link.partition("token=")[2]})


@asynccontextmanager
async def browsing(proxy: RunningProxy) -> AsyncIterator[Browser]:
    """Open a browser that is not signed in."""
    jar = aiohttp.CookieJar(unsafe=True)  # an address is a host to browsers, too
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(proxy, session)


@asynccontextmanager
async def signed_in(folder: Path, **settings: Any) -> AsyncIterator[Browser]:
    """Run a proxy without providers and open a browser that is signed in."""
    async with (
        running_proxy(folder, settings.pop("base_urls", {}), **settings) as proxy,
        browsing(proxy) as browser,
    ):
        assert (await browser.sign_in()).status == 200
        yield browser


def routes_of(proxy: RunningProxy) -> list[tuple[str, str, Any]]:
    """Return the method, the path and what the handler says of who may call it, of every route of a server."""
    runner = proxy.server._runner
    assert runner is not None
    assert isinstance(runner.app, web.Application)
    return sorted(
        (route.method, route.resource.canonical, getattr(route.handler, "freellm_auth", None))
        for route in runner.app.router.routes()
        if route.resource is not None
    )
