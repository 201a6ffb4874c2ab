"""Hedging, end to end in virtual time: a second route is asked when the first is slow, one answers, the other is settled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from freellm.delays import FEWEST
from freellm.testing import check_completion, check_stream
from freellm_simulator import Simulation
from running import RunningProxy
from test_patience import now, virtually, world

SLOW, OTHER = "groq", "cloudflare"
HEDGE = {"X-FreeLLM-Hedge": "1"}


@asynccontextmanager
async def known(
    folder: Path, stream: bool, **settings: Any
) -> AsyncIterator[tuple[Simulation, RunningProxy]]:
    """Run a proxy that knows how long its best route takes."""
    async with world(folder, SLOW, OTHER, speed=1.0, **settings) as (simulation, proxy):
        for number in range(FEWEST):
            response = await ask(proxy, stream, f"Hello {number}")
            assert response.headers["X-Routed-Via"].startswith(f"{SLOW}/")
        await asyncio.sleep(61)
        yield simulation, proxy


async def ask(
    proxy: RunningProxy, stream: bool, text: str = "Hello", **headers: str
) -> aiohttp.ClientResponse:
    messages = [{"role": "user", "content": text}]
    return await proxy.post(
        {"model": "auto", "stream": stream, "max_tokens": 20, "messages": messages}, **headers
    )


def leases(proxy: RunningProxy) -> int:
    return len(proxy.runtime.ledger._live)


async def logged(proxy: RunningProxy, response: aiohttp.ClientResponse) -> Any:
    await proxy.runtime.journal.flush()
    found = proxy.runtime.store.request(response.headers["X-Request-Id"])
    assert found is not None
    return found


@pytest.mark.parametrize("stream", [False, True])
def test_the_faster_one_answers_and_the_slower_one_is_cancelled_and_settled(
    tmp_path: Path, stream: bool
) -> None:
    async def scene() -> None:
        async with known(tmp_path, stream) as (simulation, proxy):
            simulation.fail(SLOW, "slow_first_byte", seconds=50)
            began = now()
            response = await ask(proxy, stream, **HEDGE)
            assert now() - began < 10
            assert response.status == 200
            assert response.headers["X-Routed-Via"].startswith(f"{OTHER}/")
            slow = response.headers["X-Fallback-Trail"]
            assert slow.startswith(f"{SLOW}/")
            assert slow.endswith("=hedged")
            assert response.headers["X-Fallback-Attempts"] == "1"
            if stream:
                report = check_stream(await response.read())
                assert report.finish_reason in ("stop", "length")
                assert b'"fallback_attempts":1' in await response.read()
            else:
                check_completion(await response.json())
                assert (await response.json())["x_freellm"]["fallback_attempts"] == 1
            await asyncio.sleep(0.1)
            assert leases(proxy) == 0
            gone = simulation.state()["disconnected"]
            assert [row["provider"] for row in gone] == [SLOW]
            found = await logged(proxy, response)
            assert (found.request.provider, found.request.status, found.request.attempts) == (OTHER, 200, 2)
            assert [(row.provider, row.kind) for row in found.attempts] == [(SLOW, "hedged")]

    virtually(scene)


@pytest.mark.parametrize("stream", [False, True])
def test_nobody_is_hedged_who_did_not_ask_for_it(tmp_path: Path, stream: bool) -> None:
    async def scene() -> None:
        async with known(tmp_path, stream) as (simulation, proxy):
            simulation.fail(SLOW, "slow_first_byte", seconds=12)
            began = now()
            response = await ask(proxy, stream)
            assert response.headers["X-Routed-Via"].startswith(f"{SLOW}/")
            assert now() - began >= 12
            assert "X-Fallback-Trail" not in response.headers

    virtually(scene)


def test_a_setting_hedges_everybody_who_does_not_refuse(tmp_path: Path) -> None:
    async def scene() -> None:
        async with known(tmp_path, False, hedge=True) as (simulation, proxy):
            simulation.fail(SLOW, "slow_first_byte", seconds=25, times=2)
            response = await ask(proxy, False)
            assert response.headers["X-Routed-Via"].startswith(f"{OTHER}/")
            response = await ask(proxy, False, **{"X-FreeLLM-Hedge": "0"})
            assert response.headers["X-Routed-Via"].startswith(f"{SLOW}/")

    virtually(scene)


def test_a_first_route_that_is_faster_after_all_answers(tmp_path: Path) -> None:
    async def scene() -> None:
        async with known(tmp_path, False) as (simulation, proxy):
            simulation.fail(SLOW, "slow_first_byte", seconds=8)
            simulation.fail(OTHER, "slow_first_byte", seconds=50)
            response = await ask(proxy, False, **HEDGE)
            assert response.headers["X-Routed-Via"].startswith(f"{SLOW}/")
            assert response.headers["X-Fallback-Trail"].startswith(f"{OTHER}/")
            await asyncio.sleep(0.1)
            assert leases(proxy) == 0

    virtually(scene)


def test_a_second_route_that_fails_leaves_the_first_its_time(tmp_path: Path) -> None:
    async def scene() -> None:
        async with known(tmp_path, False) as (simulation, proxy):
            simulation.fail(SLOW, "slow_first_byte", seconds=12)
            simulation.fail(OTHER, "rate_limit_minute", seconds=30)
            response = await ask(proxy, False, **HEDGE)
            assert response.headers["X-Routed-Via"].startswith(f"{SLOW}/")
            trail = response.headers["X-Fallback-Trail"]
            assert trail.startswith(f"{OTHER}/")
            assert trail.endswith("=rate_limited")

    virtually(scene)


def test_a_first_route_that_fails_is_left_as_ever(tmp_path: Path) -> None:
    async def scene() -> None:
        async with known(tmp_path, False) as (simulation, proxy):
            simulation.fail(SLOW, "html", times=None)
            response = await ask(proxy, False, **HEDGE)
            assert response.headers["X-Routed-Via"].startswith(f"{OTHER}/")
            assert "hedged" not in response.headers["X-Fallback-Trail"]

    virtually(scene)


def test_quota_that_is_half_spent_is_not_spent_on_speed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with known(tmp_path, False) as (simulation, proxy):
            first = proxy.runtime.snapshot.orders.catalogue.chain[0].routes[0]
            own = {share.pool for share in first.shares}
            for pool in proxy.runtime.ledger.pools():
                if pool not in own:
                    pool.advance(proxy.runtime.clock.now())
                    pool.counter.spend(pool.limit / 2)
            simulation.fail(SLOW, "slow_first_byte", seconds=25)
            response = await ask(proxy, False, **HEDGE)
            assert response.headers["X-Routed-Via"].startswith(f"{SLOW}/")
            assert "X-Fallback-Trail" not in response.headers

    virtually(scene)


def test_a_client_that_leaves_amid_a_race_ends_both(tmp_path: Path) -> None:
    async def scene() -> None:
        async with known(tmp_path, False) as (simulation, proxy):
            for name in (SLOW, OTHER):
                simulation.fail(name, "slow_first_byte", seconds=50)
            async with aiohttp.ClientSession() as session:
                body = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
                asked = asyncio.create_task(
                    session.post(
                        f"{proxy.url}/v1/chat/completions", json=body, headers={**proxy.headers, **HEDGE}
                    )
                )
                await asyncio.sleep(20)
                assert leases(proxy) == 2
                asked.cancel()
                await asyncio.wait({asked})
                await asyncio.sleep(0.1)
            assert leases(proxy) == 0
            assert {row["provider"] for row in simulation.state()["disconnected"]} == {SLOW, OTHER}

    virtually(scene)
