"""Open pages are told what changes; nobody pays for pages that are not open."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from dashboards import Browser, signed_in
from endpoints import Endpoint, serving
from freellm.store import Store
from freellm_dashboard import live
from freellm_dashboard.context import DASHBOARD
from freellm_dashboard.live import Listener, Live, encoded
from freellm_dashboard.sessions import Session
from freellm_dashboard.shapes.system import Notice


class Stream:
    """An open page's stream.

    :param response: it
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._rest = b""

    async def next(self) -> tuple[str, Any]:
        """Return the next event: its name and what it tells."""
        while True:
            while b"\n\n" not in self._rest:
                data = await asyncio.wait_for(self.response.content.readany(), 5)
                assert data, "the stream has ended"
                self._rest += data
            block, _, self._rest = self._rest.partition(b"\n\n")
            lines = dict(
                line.split(": ", 1) for line in block.decode().splitlines() if not line.startswith(":")
            )
            if "event" in lines:
                return lines["event"], json.loads(lines["data"])

    async def until(self, name: str) -> tuple[Any, list[str]]:
        """Read up to an event; return what it tells and the names of all before it."""
        names: list[str] = []
        while True:
            event, told = await self.next()
            if event == name:
                return told, names
            names.append(event)


@asynccontextmanager
async def listening(browser: Browser) -> AsyncIterator[Stream]:
    async with browser.session.get(f"{browser.url}/api/events") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        stream = Stream(response)
        assert [(await stream.next())[0], (await stream.next())[0]] == ["hello", "activity"]
        yield stream


def live_of(browser: Browser) -> Live:
    """Return the open pages that the server knows; `browser.dashboard` is another look at the same store."""
    runner = browser.proxy.server._runner
    assert runner is not None
    found: Live = runner.app[DASHBOARD].live  # type: ignore[index]
    return found


@pytest.fixture
def browser(plain_browser: Browser) -> Browser:
    return plain_browser


async def test_a_request_is_told_with_its_id_and_what_it_spent(browser: Browser) -> None:
    async with listening(browser) as stream:
        response = await browser.proxy.chat()
        told, before = await stream.until("request")
        assert told["ids"] == [response.headers["X-Request-Id"]]
        assert before[:2] == ["activity", "quotas"]


async def test_a_request_is_told_when_it_begins_and_the_overview_knows_of_it(tmp_path: Path) -> None:
    class Thinking(Endpoint):
        async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "POST":
                await read.wait()
            return await super().answer(request)

    read = asyncio.Event()
    async with (
        serving(Thinking()) as endpoint,
        signed_in(tmp_path, base_urls={"groq": f"{endpoint.url}/v1"}) as browser,
        listening(browser) as stream,
    ):
        asked = asyncio.create_task(browser.proxy.chat())
        await stream.until("quotas")
        under_way = (await browser.get("/api/overview")).json["under_way"]
        read.set()
        assert len(under_way) == 1
        assert (await asked).status == 200


async def test_what_is_told_to_be_in_the_log_is_there(browser: Browser) -> None:
    async with listening(browser) as stream:
        for number in range(1, 4):
            response = await browser.proxy.chat()
            told, _ = await stream.until("request")
            listed = (await browser.get("/api/requests?limit=1")).json["requests"]
            assert [one["id"] for one in listed] == told["ids"] == [response.headers["X-Request-Id"]]
            assert (await browser.get("/api/analytics?range=90d")).json["totals"]["requests"] == number


async def test_the_overview_knows_of_a_request_as_soon_as_pages_are_told_what_it_spent(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await browser.proxy.chat()
    await browser.proxy.runtime.journal.flush()
    monkeypatch.setattr(browser.proxy.runtime.journal, "_interval", 60.0)
    async with listening(browser) as stream:
        response = await browser.proxy.chat()
        await stream.until("quotas")
        last = (await browser.get("/api/overview")).json["last"]
        assert (len(last), last[0]["id"]) == (2, response.headers["X-Request-Id"])


async def test_a_request_that_a_page_knows_of_can_be_opened_before_the_log_has_it(browser: Browser) -> None:
    for _ in range(3):
        response = await browser.proxy.chat()
        opened = await browser.get(f"/api/requests/{response.headers['X-Request-Id']}")
        assert opened.status == 200
        assert len(opened.json["attempts"]) == 1


async def test_under_load_pages_are_told_now_and_then_and_all_of_it_at_the_end(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(live, "FEW", 0)
    async with listening(browser) as stream:
        for _ in range(40):
            await browser.proxy.chat()
            await asyncio.sleep(0.01)
        last = await browser.proxy.chat()
        names: list[str] = []
        told: dict[str, Any] = {"ids": []}
        while last.headers["X-Request-Id"] not in told["ids"]:
            told, before = await stream.until("request")
            names += before
        assert names.count("quotas") <= 3


async def test_the_activity_tells_how_many_are_under_way_and_when_the_last_one_came(browser: Browser) -> None:
    async with listening(browser) as stream:
        before = time.time()
        await asyncio.gather(*(browser.proxy.chat() for _ in range(5)))
        told: dict[str, Any] = {"last": None}
        while told["last"] is None or told["under_way"]:
            told, _ = await stream.until("activity")
        assert before - 1 < told["last"] < time.time() + 1


async def test_a_change_of_keys_or_models_by_another_process_is_told(browser: Browser) -> None:
    async with listening(browser) as stream:
        with Store(browser.proxy.runtime.settings.data_dir) as store:
            store.models.enable("groq", "openai/gpt-oss-120b", False)
        _, before = await stream.until("models")
        assert "keys" not in before
        with Store(browser.proxy.runtime.settings.data_dir) as store:
            store.keys.remove(store.keys.all()[0].uuid)
        _, before = await stream.until("keys")
        assert "request" not in before


async def test_nothing_looks_while_nobody_listens(browser: Browser) -> None:
    watching = live_of(browser)
    assert (watching.listeners, watching.looks) == (0, False)
    async with listening(browser), listening(browser):
        assert (watching.listeners, watching.looks) == (2, True)
    await browser.proxy.chat()
    deadline = time.monotonic() + 5
    while watching.looks and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert (watching.listeners, watching.looks) == (0, False)


async def test_what_came_before_a_page_is_not_told_as_news(browser: Browser) -> None:
    await browser.proxy.chat()
    await browser.proxy.runtime.journal.flush()
    async with listening(browser) as stream:
        second = await browser.proxy.chat()
        told, _ = await stream.until("request")
        assert told["ids"] == [second.headers["X-Request-Id"]]


async def test_too_many_pages_are_told_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_LISTENERS", 1)
    async with listening(browser):
        told = await browser.get("/api/events")
        assert (told.status, told.headers["Retry-After"]) == (503, "5")
        assert told.error["cure"] == "close some of them"


async def test_a_server_that_stops_does_not_wait_for_open_pages(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as browser, listening(browser) as stream:
        began = time.perf_counter()
        await browser.proxy.server.stop()
        assert time.perf_counter() - began < 2
        assert await stream.response.content.read() is not None


async def test_of_each_kind_the_latest_is_told_however_slow_the_page_is() -> None:
    listener = Listener(Session(created_at=1.0, seen_at=1.0))
    for number in range(1000):
        listener.tell(Notice(kind="activity", at=1.0, under_way=number))
        listener.tell(Notice(kind="quotas", at=2.0))
    assert list(await listener.due()) == [
        Notice(kind="activity", at=1.0, under_way=999),
        Notice(kind="quotas", at=2.0),
    ]


async def test_silence_is_broken_by_a_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.01)
    listener = Listener(Session(created_at=1.0, seen_at=1.0))
    assert encoded(await listener.due()) == b": still here\n\n"
    told = encoded([Notice(kind="quotas", at=1.0)])
    assert told.startswith(b'event: quotas\ndata: {"kind":"quotas","at":1.0,')
    assert told.endswith(b"}\n\n")
