"""Providers that answer without a key: they serve at once, one pool of the address holds, and a closed door is left alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from faults.faultup import refused_url
from freellm.testing import check_stream
from freellm_simulator import Simulation
from freellm_simulator.clock import VirtualClock
from freellm_simulator.testing import NOON_UTC
from processes import freellm_serving
from running import RunningProxy, running_proxy

SUPER = "nvidia/nemotron-3-super-120b-a12b:free"


@asynccontextmanager
async def without_keys(
    folder: Path, *names: str, **keys: list[str]
) -> AsyncIterator[tuple[RunningProxy, Simulation]]:
    """Run a proxy over simulated providers.

    :param names: the providers
    :param keys: keys of those that have one after all
    """
    async with Simulation(speed=0, clock=VirtualClock(wall=lambda: NOON_UTC)) as simulation:
        base_urls = {name: simulation.base_urls[name] for name in names}
        async with running_proxy(folder, base_urls, keys=keys) as proxy:
            yield proxy, simulation


@pytest.mark.parametrize(("name", "model"), [("kilo", SUPER), ("llm7", "gpt-oss:20b")])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_keyless_provider_answers_without_any_key(
    tmp_path: Path, name: str, model: str, stream: bool
) -> None:
    async with without_keys(tmp_path, name) as (proxy, simulation):
        response = await proxy.chat(f"{name}/{model}", stream=stream)
        assert response.status == 200, await response.text()
        assert response.headers["X-Routed-Via"] == f"{name}/{model}"
        accounts = {quota["account"] for quota in simulation.state()["quotas"]}
        assert accounts == {"ip_127.0.0.1"}


async def test_auto_needs_no_key_either(tmp_path: Path) -> None:
    async with without_keys(tmp_path, "kilo", "llm7") as (proxy, _):
        response = await proxy.chat()
        assert response.status == 200
        assert response.headers["X-Routed-Via"].split("/")[0] in ("kilo", "llm7")


@pytest.mark.parametrize("keys", [[], ["eyJ-one", "eyJ-two"]])
async def test_two_hundred_requests_of_the_address_are_counted_here_and_not_refused_there(
    tmp_path: Path, keys: list[str]
) -> None:
    async with without_keys(tmp_path, "kilo", kilo=keys) as (proxy, simulation):
        statuses = [(await proxy.chat(f"kilo/{SUPER}", max_tokens=1)).status for _ in range(201)]
        assert statuses == [200] * 200 + [429]
        assert {row["status"] for row in simulation.state()["requests"]} == {200}


async def test_a_door_that_closes_is_tried_once_and_others_answer(tmp_path: Path) -> None:
    async with without_keys(tmp_path, "kilo", "openrouter", openrouter=["sk-or-x"]) as (proxy, simulation):
        simulation.fail("kilo", "forbidden", times=None)
        first, second = [await proxy.chat("nemotron-3-super-120b") for _ in range(2)]
        assert {first.headers["X-Routed-Via"], second.headers["X-Routed-Via"]} == {f"openrouter/{SUPER}"}
        tried = [row for row in simulation.state()["requests"] if row["provider"] == "kilo"]
        assert [row["count"] for row in tried] == [1]


async def test_without_a_network_each_address_is_tried_once_and_the_answer_says_why(tmp_path: Path) -> None:
    nobody = {name: refused_url() for name in ("kilo", "llm7")}
    async with running_proxy(tmp_path, nobody, keys={}) as proxy:
        response = await proxy.chat()
        error = (await response.json())["error"]
        assert (response.status, error["code"]) == (502, "all_routes_failed")
        tried = [attempt["route"].split("/")[0] for attempt in error["x_freellm"]["attempts"]]
        assert sorted(tried) == ["kilo", "llm7"]
        assert error["message"].count("no connection to 127.0.0.1: Connection refused") == 2
        again = (await (await proxy.chat()).json())["error"]["x_freellm"]["attempts"]
        assert 1 <= len(again) <= 3, "whether the network is back is looked at, and not at every model"


async def test_a_request_that_found_no_connection_spends_nothing(tmp_path: Path) -> None:
    async with running_proxy(tmp_path, {"llm7": refused_url()}, keys={}) as proxy:
        await proxy.chat()
        views = [pool.view(proxy.runtime.clock.now()) for pool in proxy.runtime.ledger.pools()]
        assert views
        assert {view.used for view in views} == {0}


async def test_a_guard_s_verdict_is_never_the_answer(tmp_path: Path) -> None:
    async with without_keys(tmp_path, "kilo", "openrouter", openrouter=["sk-or-x"]) as (proxy, simulation):
        for stream in (False, True):
            simulation.fail("kilo", "guard")
            simulation.fail("openrouter", "guard")
            response = await proxy.chat("openrouter/free", stream=stream)
            assert response.status == 502
            simulation.reset()
            simulation.fail("kilo", "guard")
            response = await proxy.chat("nemotron-3-super-120b", stream=stream)
            body = await response.read()
            said = check_stream(body).text if stream else json.loads(body)["choices"][0]["message"]["content"]
            assert said.startswith("[simulated by openrouter/")


async def test_another_model_s_answer_is_never_the_answer(tmp_path: Path) -> None:
    async with without_keys(tmp_path, "llm7") as (proxy, _):
        proxy.runtime.store.models.enable("llm7", "qwen3-235b", True)
        proxy.runtime.refresh()
        response = await proxy.chat("llm7/qwen3-235b")
        assert response.status == 502
        assert "gemini-2.5-flash-lite answered in place of qwen3-235b" in await response.text()


async def test_the_server_starts_and_serves_without_any_key(tmp_path: Path) -> None:
    async with Simulation(speed=0) as simulation:
        variables = {
            "FREELLM_DATA_DIR": str(tmp_path / "data"),
            "FREELLM_CONFIG_DIR": str(tmp_path / "config"),
            "FREELLM_LOAD_PLUGINS": "kilo",
            "FREELLM_KILO_BASE_URL": simulation.base_urls["kilo"],
        }
        with freellm_serving([], variables) as (_, facts):
            assert facts["models"] == {"kilo": 19}
