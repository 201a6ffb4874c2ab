"""Requests that wait for a route to open, end to end, in virtual time: gateway, simulator, sockets and SDK are the real ones."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from freellm import Kind
from freellm.keyring import parse_key
from freellm.testing import check_error, check_stream
from freellm_simulator import Simulation
from freellm_simulator.clock import VirtualClock
from freellm_simulator.days.virtual import run
from running import RunningProxy, running_proxy

MODEL = "groq/openai/gpt-oss-120b"
"""Thirty requests a minute."""

EMBEDDER = "gemini-embedding-001"
"""A hundred inputs a minute."""


def virtually(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(scene())


@asynccontextmanager
async def world(
    folder: Path, *providers: str, speed: float = 0.0, **settings: Any
) -> AsyncIterator[tuple[Simulation, RunningProxy]]:
    """Run a simulation and a proxy that live in the loop's time."""
    loop = asyncio.get_running_loop()
    start = time.time() - loop.time()
    names = providers or ("groq",)
    async with (
        Simulation(speed=speed, clock=VirtualClock(wall=lambda: start + loop.time())) as simulation,
        running_proxy(
            folder,
            {name: simulation.base_urls[name] for name in names},
            keys={name: [simulation.keys[name]] for name in names},
            monotonic=loop.time,
            **settings,
        ) as proxy,
    ):
        yield simulation, proxy


def refusals(simulation: Simulation) -> int:
    return sum(row["count"] for row in simulation.state()["requests"] if row["status"] == 429)


async def exhaust(proxy: RunningProxy) -> None:
    """Use up the minute."""
    for _ in range(30):
        assert (await proxy.chat(MODEL, "Hi", max_tokens=1)).status == 200


def chats(simulation: Simulation) -> int:
    """Return how many chats the simulated services have had; the server asks for their lists of models by itself."""
    return sum(row["count"] for row in simulation.state()["requests"] if row["model"])


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_next_answer_comes_when_the_minute_is_over(tmp_path: Path) -> None:
    async def scene() -> None:
        async with (
            world(tmp_path) as (simulation, proxy),
            openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key=proxy.key, max_retries=0) as client,
        ):
            await (
                client.models.list()
            )  # the SDK looks at its platform once, in a thread, while virtual time flies
            await exhaust(proxy)
            began = now()
            told = await client.chat.completions.with_raw_response.create(
                model=MODEL,
                messages=[{"role": "user", "content": "Hello"}],
                max_tokens=5,
                extra_headers={"X-FreeLLM-Max-Wait": "90"},
            )
            lasted = now() - began
            assert 55 < lasted < 62
            answer = told.parse()
            assert answer.choices[0].message.content
            queued = int(told.headers["X-FreeLLM-Queue-Ms"])
            assert queued == pytest.approx(lasted * 1000, abs=50)
            assert answer.x_freellm["queue_ms"] == queued  # type: ignore[attr-defined]
            assert float(told.headers["X-FreeLLM-Overhead-Ms"]) < 1_000, "waiting is no overhead"
            assert told.headers["X-Fallback-Attempts"] == "0"
            assert refusals(simulation) == 0

    virtually(scene)


def test_an_answer_that_did_not_wait_says_nothing_of_it(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path) as (_, proxy):
            response = await proxy.chat(MODEL)
            assert "X-FreeLLM-Queue-Ms" not in response.headers
            assert "queue_ms" not in (await response.json())["x_freellm"]

    virtually(scene)


@pytest.mark.parametrize("headers", [{}, {"X-FreeLLM-Max-Wait": "0"}, {"x-stainless-read-timeout": "20"}])
def test_what_opens_too_late_is_refused_at_once(tmp_path: Path, headers: dict[str, str]) -> None:
    async def scene() -> None:
        async with world(tmp_path, max_wait=90.0 if "x-stainless-read-timeout" in headers else 15.0) as (
            _,
            proxy,
        ):
            await exhaust(proxy)
            began = now()
            response = await proxy.post(
                {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}, **headers
            )
            assert now() - began < 1.0
            assert response.status == 429
            error = (await response.json())["error"]
            check_error({"error": error})
            assert error["x_freellm"]["queue_ms"] == 0
            assert "in the queue" not in error["message"]
            assert 50_000 < int(response.headers["Retry-After-Ms"]) <= 61_000

    virtually(scene)


def test_who_waited_in_vain_is_told_how_long(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path) as (_, proxy):
            standing = proxy.runtime.health.standing(f"model {MODEL}")
            begins = proxy.runtime.clock.now()
            standing.close(begins + 5, Kind.RATE_LIMITED, stated=True)
            asked = asyncio.create_task(proxy.chat(MODEL))
            await asyncio.sleep(1)
            standing.close(begins + 500, Kind.RATE_LIMITED, stated=True)
            response = await asked
            error = (await response.json())["error"]
            assert response.status == 429
            assert error["x_freellm"]["queue_ms"] == pytest.approx(5_000, abs=100)
            assert "within 5.0 s in the queue" in error["message"]
            assert int(response.headers["Retry-After"]) == pytest.approx(495, abs=1)

    virtually(scene)


@pytest.mark.parametrize("stated", ["soon", "-1", "nan", "inf", ""])
def test_a_wait_that_is_no_number_of_seconds_is_refused(tmp_path: Path, stated: str) -> None:
    async def scene() -> None:
        async with world(tmp_path) as (_, proxy):
            body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
            for name, value in (("X-FreeLLM-Max-Wait", stated), ("X-FreeLLM-Hedge", stated)):
                response = await proxy.post(body, **{name: value})
                error = (await response.json())["error"]
                assert (response.status, error["param"]) == (400, name)

    virtually(scene)


def test_a_stream_that_waits_long_gets_its_headers_early_and_comments(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, max_wait=90.0) as (_, proxy):
            await exhaust(proxy)
            body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
            began = now()
            async with proxy.session.post(
                f"{proxy.url}/v1/chat/completions", json={**body, "max_tokens": 9}, headers=proxy.headers
            ) as response:
                assert now() - began == pytest.approx(15, abs=0.5)
                assert response.headers["X-FreeLLM-Headers"] == "early"
                assert "X-Routed-Via" not in response.headers
                whole = await response.read()
            assert 55 < now() - began < 62
            assert whole.count(b": keep-alive") == 4 - (now() - began < 60)
            report = check_stream(whole)
            assert report.error is None
            assert report.text
            told = next(json.loads(line[6:]) for line in whole.splitlines() if b"queue_ms" in line)
            assert told["x_freellm"]["queue_ms"] == pytest.approx((now() - began) * 1000, abs=200)

    virtually(scene)


def test_a_stream_that_waits_shortly_keeps_its_headers(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path) as (_, proxy):
            standing = proxy.runtime.health.standing("provider groq")
            standing.close(proxy.runtime.clock.now() + 7, Kind.RATE_LIMITED, stated=True)
            response = await proxy.chat(MODEL, stream=True)
            assert response.headers["X-Routed-Via"] == MODEL
            assert int(response.headers["X-FreeLLM-Queue-Ms"]) == pytest.approx(7_000, abs=100)

    virtually(scene)


def test_a_client_that_leaves_the_queue_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, max_wait=90.0) as (simulation, proxy):
            await exhaust(proxy)
            body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
            used = [pool.counter.used for pool in proxy.runtime.ledger.pools()]
            sent = chats(simulation)
            async with aiohttp.ClientSession() as session:
                asked = asyncio.create_task(
                    session.post(
                        f"{proxy.url}/v1/chat/completions",
                        json=body,
                        headers={**proxy.headers, "X-Request-Id": "req_left"},
                    )
                )
                await asyncio.sleep(10)
                assert proxy.runtime.ledger.watcher is not None
                asked.cancel()
                await asyncio.wait({asked})
                await asyncio.sleep(0.1)
            assert proxy.runtime.ledger.watcher is None, "nobody waits"
            assert [pool.counter.used for pool in proxy.runtime.ledger.pools()] == used
            await proxy.runtime.journal.flush()
            logged = proxy.runtime.store.request("req_left")
            assert logged is not None
            assert logged.request is not None
            assert (logged.request.status, logged.request.error, logged.request.attempts) == (
                499,
                "cancelled",
                0,
            )
            assert chats(simulation) == sent

    virtually(scene)


def test_as_many_wait_as_may_and_the_next_is_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, max_wait=90.0, max_waiting=5) as (simulation, proxy):
            await exhaust(proxy)
            tasks = []
            for _ in range(7):
                tasks.append(asyncio.create_task(proxy.chat(MODEL, "Hi", max_tokens=1)))
                await asyncio.sleep(0.2)
            answers = await asyncio.gather(*tasks)
            assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
            assert all(int(answer.headers["Retry-After"]) > 50 for answer in answers[5:])
            assert refusals(simulation) == 0

    virtually(scene)


def test_concurrency_opens_for_the_next_when_the_one_before_has_its_answer(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, "zhipu", speed=1.0) as (simulation, proxy):
            model = first_of_one(proxy)
            answers = await asyncio.gather(*(proxy.chat(model, "Hi", max_tokens=20) for _ in range(3)))
            assert [answer.status for answer in answers] == [200] * 3
            assert sum("X-FreeLLM-Queue-Ms" in answer.headers for answer in answers) == 2
            assert refusals(simulation) == 0

    virtually(scene)


def first_of_one(proxy: RunningProxy) -> str:
    """Return a model that takes one request at a time."""
    return next(
        entry.name
        for entry in proxy.runtime.snapshot.orders.catalogue.chain
        if any(share.concurrent and share.pool.limit == 1 for share in entry.routes[0].shares)
    )


def test_a_key_that_is_added_serves_those_who_wait(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, max_wait=90.0) as (_, proxy):
            await exhaust(proxy)
            began = now()
            asked = asyncio.create_task(proxy.chat(MODEL, "Hi", max_tokens=1))
            await asyncio.sleep(3)
            (groq,) = proxy.runtime.providers
            proxy.runtime.keyring.add(
                "groq", parse_key(groq.info, "gsk_another"), now=proxy.runtime.clock.now(), label="another"
            )
            response = await asked
            assert response.status == 200
            assert now() - began < 5

    virtually(scene)


def test_a_cooldown_that_a_person_clears_serves_those_who_wait(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, max_wait=90.0) as (_, proxy):
            standing = proxy.runtime.health.standing(f"model {MODEL}")
            standing.close(proxy.runtime.clock.now() + 60, Kind.RATE_LIMITED, stated=True)
            began = now()
            asked = asyncio.create_task(proxy.chat(MODEL, "Hi", max_tokens=1))
            await asyncio.sleep(3)
            assert not asked.done()
            url = f"{proxy.url}/v1/freellm/clear"
            async with proxy.session.post(url, json={"name": MODEL}, headers=proxy.headers) as cleared:
                assert (await cleared.json())["cleared"] == [standing.name]
            response = await asked
            assert response.status == 200
            assert 3 <= now() - began < 4
            assert int(response.headers["X-FreeLLM-Queue-Ms"]) == pytest.approx(3_000, abs=500)

    virtually(scene)


def test_parts_of_a_request_for_vectors_wait_as_any_request_does(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, "google", max_wait=150.0) as (simulation, proxy):
            began = now()
            response = await proxy.session.post(
                f"{proxy.url}/v1/embeddings",
                json={"model": EMBEDDER, "input": ["a"] * 250},
                headers=proxy.headers,
            )
            body = await response.json()
            assert response.status == 200, body
            assert len(body["data"]) == 250
            assert 110 < now() - began < 130
            assert 50_000 < int(response.headers["X-FreeLLM-Queue-Ms"]) <= (now() - began) * 1000 + 1
            assert body["x_freellm"]["queue_ms"] == int(response.headers["X-FreeLLM-Queue-Ms"])
            assert refusals(simulation) == 0

    virtually(scene)


def test_a_request_that_was_refused_waits_for_the_time_the_service_stated(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path) as (simulation, proxy):
            simulation.fail("groq", "rate_limit_minute", seconds=8)
            began = now()
            response = await proxy.chat(MODEL)
            assert response.status == 200
            assert response.headers["X-Fallback-Trail"] == f"{MODEL}=rate_limited"
            assert now() - began == pytest.approx(8, abs=0.6)

    virtually(scene)


def test_a_route_that_failed_otherwise_has_had_its_chance(tmp_path: Path) -> None:
    async def scene() -> None:
        async with world(tmp_path, max_wait=90.0) as (simulation, proxy):
            for _ in range(29):
                assert (await proxy.chat(MODEL, "Hi", max_tokens=1)).status == 200
            simulation.fail("groq", "html")
            began = now()
            response = await proxy.chat(MODEL, "Hi", max_tokens=1)
            assert response.status == 502, "its last request of the minute was answered badly"
            assert now() - began < 1.0

    virtually(scene)
