"""What the proxy says is going on: requests under way, the last ones, and what is closed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from faults.faultup import faultup
from freellm.gateway.activity import MOST, Activity
from running import RunningProxy, running_proxy
from small_world import World, model, provider


async def activity(proxy: RunningProxy) -> Any:
    async with proxy.session.get(f"{proxy.url}/v1/freellm/activity", headers=proxy.headers) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_a_stream_is_under_way_until_its_client_leaves(tmp_path: Path) -> None:
    async with faultup() as upstream, running_proxy(tmp_path, {"groq": upstream.url("stall_mid")}) as proxy:
        body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "a secret"}]}
        url = f"{proxy.url}/v1/chat/completions"
        async with proxy.session.post(url, json=body, headers=proxy.headers) as answer:
            await answer.content.readany()
            told = await activity(proxy)
            (one,) = told["under_way"]
            assert one["id"] == answer.headers["X-Request-Id"]
            assert (one["asking"], one["stream"]) == (answer.headers["X-Routed-Via"], True)
            assert "a secret" not in str(told)
        async with asyncio.timeout(10):
            while (told := await activity(proxy))["under_way"]:
                await asyncio.sleep(0.01)
        assert (told["last"][0]["id"], told["last"][0]["status"]) == (one["id"], 499)


async def test_what_is_closed_is_told_with_when_it_opens(tmp_path: Path) -> None:
    async with faultup() as upstream, running_proxy(tmp_path, {"groq": upstream.url("429")}) as proxy:
        assert (await proxy.chat()).status == 429
        told = await activity(proxy)
        closed = told["closed"]
        assert closed
        assert [one["until"] for one in closed] == sorted(one["until"] for one in closed)
        assert all(one["until"] > told["at"] and one["kind"] == "rate_limited" for one in closed)
        assert told["last"][0]["error"] == "all_routes_exhausted"


async def test_a_request_that_breaks_off_by_our_own_mistake_is_not_under_way_for_ever(tmp_path: Path) -> None:
    async with faultup() as upstream, running_proxy(tmp_path, {"groq": upstream.url("ok")}) as proxy:
        routes = proxy.runtime.proxy.routes
        for route in routes:
            route.entry.context = None  # type: ignore[assignment]
            route.entry.mask = None  # type: ignore[assignment]
        assert (await proxy.chat()).status == 500
        assert (await activity(proxy))["under_way"] == []


def test_requests_that_are_never_recorded_do_not_pile_up() -> None:
    world, known = World(provider("lab", [model("a")])), Activity()
    calls = [world.call() for _ in range(MOST + 5)]
    for call in calls:
        known.began(call)
    assert len(known.under_way) == MOST
    known.ended(calls[-1])
    known.ended(calls[0])
    assert len(known.under_way) == MOST - 1
