"""What walks over every model or quota lets requests be served in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from dashboards import Browser
from freellm.capacity import overview
from freellm.forecasts import each_forecast, forecasts
from freellm_dashboard.api.models import Availability
from freellm_dashboard.api.remaining import remaining
from freellm_dashboard.pauses import AT_ONCE, unhurried

_Result = TypeVar("_Result")


async def turns_during(make: Callable[[], Awaitable[_Result]]) -> tuple[int, _Result]:
    """Return how often somebody else had a turn while something was made, and what was made."""
    turns, over = 0, False

    async def others() -> None:
        nonlocal turns
        while not over:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    await asyncio.sleep(0)
    before = turns
    made = await make()
    over = True
    during = turns - before
    await task
    return during, made


@pytest.mark.parametrize(("items", "pauses"), [(0, 0), (AT_ONCE - 1, 0), (AT_ONCE, 1), (5 * AT_ONCE + 3, 5)])
async def test_others_have_a_turn_after_every_few(items: int, pauses: int) -> None:
    async def walk() -> list[int]:
        return [item async for item in unhurried(range(items))]

    assert await turns_during(walk) == (pauses, list(range(items)))


async def test_which_models_are_open_is_the_same_a_few_at_a_time(browser: Browser) -> None:
    proxy = browser.proxy.runtime.proxy
    entries = (*proxy.catalogue.chain, *proxy.catalogue.embedders)
    assert proxy.clear(entries[0].provider.name) is not None
    for pool in {share.pool for route in entries[0].routes for share in route.shares}:
        pool.closed_until = proxy.clock.now() + 60.0
    whole = Availability()
    whole.look(proxy, entries)
    turns, found = await turns_during(lambda: Availability.of(proxy))
    assert found.open == whole.open
    assert 0 < len(found.open) < len(entries)
    assert [found.why(entry.name)[0] for entry in entries] == [whole.why(entry.name)[0] for entry in entries]
    assert turns >= len(entries) // AT_ONCE > 1


async def test_what_is_left_is_the_same_a_few_at_a_time(browser: Browser) -> None:
    proxy = browser.proxy.runtime.proxy
    now, routes = proxy.clock.now(), proxy.routes
    turns, found = await turns_during(lambda: remaining(routes, now))
    assert found == overview(routes, now).totals
    assert found.routes > 0
    assert turns > 0
    assert list(each_forecast(routes, now)) == forecasts(routes, now)
