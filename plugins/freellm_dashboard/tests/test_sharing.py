"""An answer is made once for all open pages, and never told when it is older than what pages were told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dashboards import Browser
from freellm_dashboard.api.sharing import LONGEST, LONGEST_BUSY, SHARE, Shared
from freellm_dashboard.live import Live
from freellm_dashboard.sessions import Session


class World:
    """Answers that are counted, and a clock that stands until it is set.

    :param live: the open pages
    """

    def __init__(self, live: Live) -> None:
        self.live = live
        self.time = 100.0
        self.made = 0
        self.takes = 0.0
        self.shared = Shared(live, lambda: self.time)

    async def ask(self, name: str = "overview") -> int:
        """Ask for an answer; return which one came."""
        told = await self.shared.told(name, self._make)
        assert isinstance(told.body, bytes)
        return int(told.body)

    async def _make(self) -> int:
        self.made += 1
        number = self.made
        await asyncio.sleep(0)
        self.time += self.takes
        if self.takes < 0:
            raise RuntimeError("cannot be made")
        return number


@pytest.fixture
def browser(plain_browser: Browser) -> Browser:
    return plain_browser


@pytest.fixture
async def world(browser: Browser) -> AsyncIterator[World]:
    """A world in which one page is open."""
    live = browser.dashboard.live
    listener = live.join(Session(created_at=1.0, seen_at=1.0))
    assert listener is not None
    yield World(live)
    live.leave(listener)


async def test_pages_that_ask_at_the_same_time_get_the_same_answer(world: World) -> None:
    assert await asyncio.gather(*(world.ask() for _ in range(20))) == [1] * 20
    assert await world.ask() == 1
    assert await world.ask("quotas") == 2


async def test_after_a_notice_the_answer_is_made_anew(world: World) -> None:
    assert await world.ask() == 1
    world.live.version += 1
    assert await world.ask() == 2


async def test_an_answer_that_was_begun_before_a_notice_is_not_told_after_it(world: World) -> None:
    first = asyncio.create_task(world.ask())
    await asyncio.sleep(0)
    world.live.version += 1
    assert [await world.ask(), await first] == [2, 1]


async def test_without_a_notice_it_is_told_for_a_few_seconds(world: World) -> None:
    assert await world.ask() == 1
    world.time += LONGEST - 0.1
    assert await world.ask() == 1
    world.time += 0.2
    assert await world.ask() == 2


async def test_while_busy_what_took_long_is_told_for_longer_and_a_change_by_hand_ends_that(
    world: World,
) -> None:
    world.live.busy = True
    world.takes = 0.2
    assert await world.ask() == 1
    world.live.version += 1
    world.time += 0.2 / SHARE - 0.3
    assert await world.ask() == 1
    world.live.changed()
    assert await world.ask() == 2
    world.live.version += 1
    world.time += 0.2 / SHARE
    assert await world.ask() == 3


async def test_however_long_it_took_it_is_made_anew_now_and_then_and_when_it_is_quiet(world: World) -> None:
    world.live.busy = True
    world.takes = 5.0
    assert await world.ask() == 1
    world.live.version += 1
    world.time += LONGEST_BUSY
    assert await world.ask() == 2
    world.live.version += 1
    assert await world.ask() == 2
    world.live.busy = False
    assert await world.ask() == 3


async def test_what_could_not_be_made_is_tried_again(world: World) -> None:
    world.takes = -1.0
    with pytest.raises(RuntimeError):
        await world.ask()
    world.takes = 0.0
    assert await world.ask() == 2


async def test_while_no_page_is_open_every_answer_is_made(browser: Browser) -> None:
    world = World(browser.dashboard.live)
    assert [await world.ask(), await world.ask()] == [1, 2]


async def test_a_page_that_leaves_takes_no_answer_from_the_others(world: World) -> None:
    leaving, staying = asyncio.create_task(world.ask()), asyncio.create_task(world.ask())
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 1


async def test_what_a_page_changes_is_in_the_next_answer(browser: Browser) -> None:
    async with browser.session.get(f"{browser.url}/api/events") as stream:
        await stream.content.readany()
        before = (await browser.get("/api/overview")).json["providers"][0]
        assert before["keys"] == 1
        added = await browser.ask(
            "POST", "/api/keys", {"provider": "groq", "fields": {"token": "gsk_another"}, "check": False}
        )
        assert added.status == 201, added.body
        assert (await browser.get("/api/overview")).json["providers"][0]["keys"] == 2
