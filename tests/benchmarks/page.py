"""A page of the dashboard without the browser: it holds the stream of events and asks what the page asks, when it asks.

Run by `open_pages` as `python -m benchmarks.page PORT TOKEN PAGE`; says `ready` when everything was read once, and ends with
its standard input. Nothing is drawn, so that what is measured is the server's part.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Final

import aiohttp

TOPICS: Final[Mapping[str, Sequence[str]]] = {
    "request": ("requests", "analytics", "panels"),
    "quotas": ("quotas", "overview", "models"),
    "keys": ("keys", "providers", "overview", "models", "fallback", "quotas"),
    "models": ("models", "fallback", "profiles", "overview"),
    "settings": ("settings", "apikey", "session"),
}
"""What a page reads again when it is told: `TOPICS` of the pages' own `live.ts`."""

PACE: Final = 1.0
"""Seconds between two readings of a topic: `PACE` of `live.ts`."""

_EVERYWHERE: Final = ("/api/session", "/api/settings")

PAGES: Final[Mapping[str, Sequence[str]]] = {
    "overview": ("/api/overview", *_EVERYWHERE),
    "analytics": (
        "/api/analytics?range=24h&by=provider",
        "/api/analytics?range=1h&by=provider",
        "/api/requests?limit=8",
        "/api/quotas",
        *_EVERYWHERE,
    ),
}
"""What each page reads; the quota that it draws is added when it is known."""


class Page:
    """One open page.

    :param session: signed in
    :param paths: what it shows
    :ivar again: how often it read something that had changed
    """

    def __init__(self, session: aiohttp.ClientSession, paths: Sequence[str]) -> None:
        self._session = session
        self._paths = list(paths)
        self._read_at: dict[str, float] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self.again = 0

    async def begin(self) -> None:
        """Read everything once."""
        for path in tuple(self._paths):
            answer = await self._read(path)
            if path == "/api/quotas" and (pools := (await answer.json())["pools"]):
                self._paths.append(f"/api/quotas/burndown?pool={pools[0]['pool']}")

    async def listen(self) -> None:
        """Read again what is told to have changed, as long as the server tells."""
        async with self._session.get("/api/events", timeout=aiohttp.ClientTimeout()) as stream:
            async for line in stream.content:
                if line.startswith(b"event: "):
                    for topic in TOPICS.get(line[7:].strip().decode(), ()):
                        self._pace(topic)

    def _pace(self, topic: str) -> None:
        if topic not in self._waiting and any(_topic(path) == topic for path in self._paths):
            self._waiting[topic] = asyncio.create_task(self._refresh(topic))

    async def _refresh(self, topic: str) -> None:
        await asyncio.sleep(self._read_at.get(topic, 0.0) + PACE - monotonic())
        self._read_at[topic] = monotonic()
        del self._waiting[topic]
        paths = [path for path in self._paths if _topic(path) == topic]
        self.again += len(paths)
        await asyncio.gather(*map(self._read, paths))

    async def _read(self, path: str) -> aiohttp.ClientResponse:
        async with self._session.get(path) as answer:
            answer.raise_for_status()
            await answer.read()
            return answer


def _topic(path: str) -> str:
    return path.partition("?")[0].split("/")[2]


async def run(port: int, token: str, name: str) -> None:
    """Sign in, and be a page until standard input ends."""
    root = f"http://127.0.0.1:{port}"
    cookies = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(root, cookie_jar=cookies) as session:
        signing = session.post("/api/login", json={"token": token}, headers={"Origin": root})
        async with signing as answer:
            answer.raise_for_status()
        page = Page(session, PAGES[name])
        listening = asyncio.create_task(page.listen())
        await page.begin()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        listening.cancel()
        print(page.again, flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), *sys.argv[2:]))
