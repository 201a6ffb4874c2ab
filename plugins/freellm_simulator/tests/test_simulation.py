import asyncio
import os
import signal
import sys
from typing import Any

import aiohttp
import orjson
import pytest
from click.testing import CliRunner

import freellm_simulator
from freellm_simulator.command import simulate
from freellm_simulator.faults import REFUSALS, Fault, refusal_of
from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import Client
from freellm_simulator.wires import WIRES
from freellm_simulator.worlds import load_worlds

RETIRED = [
    ("groq", "llama-3.3-70b-versatile"),
    ("groq", "llama-3.1-8b-instant"),
    ("cloudflare", "@cf/meta/llama-3.1-70b-instruct"),
]


async def test_the_demo_serves_the_retired_models_it_names() -> None:
    simulation = freellm_simulator.plugin.serve_demo()
    assert sorted(simulation.models) == sorted(RETIRED)
    async with simulation, aiohttp.ClientSession() as session:
        got = await Client(simulation, session).groq(model="llama-3.3-70b-versatile", max_tokens=5)
    assert got.status == 200
    assert Simulation().models == []


async def test_base_urls_differ_in_the_provider_s_own_path_and_keys_work() -> None:
    async with Simulation(speed=0) as simulation:
        assert simulation.base_urls.items() >= {
            ("groq", f"{simulation.url}/groq/openai/v1"),
            ("google", f"{simulation.url}/google/v1beta"),
            ("cloudflare", f"{simulation.url}/cloudflare/client/v4"),
        }
        assert set(simulation.keys) == set(simulation.base_urls)
        account, _, token = simulation.keys["cloudflare"].partition(":")
        async with aiohttp.ClientSession() as session:
            client = Client(simulation, session, {**simulation.keys, "cloudflare": token, "account": account})
            assert [
                got.status for got in (await client.groq(), await client.google(), await client.cloudflare())
            ] == ([200] * 3)


async def test_a_port_that_is_taken_is_said_to_be_so_and_stopping_twice_is_fine() -> None:
    async with Simulation() as simulation:
        with pytest.raises(OSError, match="in use"):
            await Simulation().start(int(simulation.url.rpartition(":")[2]))
    await simulation.stop()


async def test_speed_scales_the_waiting_and_the_same_request_takes_the_same_time(client: Client) -> None:
    loop = asyncio.get_running_loop()
    async with Simulation(speed=0.5) as slow:
        start = loop.time()
        await Client(slow, client.session).groq("Hello", max_tokens=20)
        took = loop.time() - start
    assert 0.025 <= took < 0.5
    start = loop.time()
    await client.groq("Hello", max_tokens=20)
    assert loop.time() - start < took


def test_every_wire_has_words_for_every_refusal() -> None:
    worlds = load_worlds()
    kinds = set(REFUSALS.values()) - {"tool_use_failed"}
    for wire in WIRES:
        facts = next(iter(worlds[wire.provider].models.values()))
        for fault in (name for name, kind in REFUSALS.items() if kind in kinds):
            refusal = refusal_of(Fault(provider=wire.provider, fault=fault), facts.id, facts)
            assert refusal is not None
            orjson.dumps(wire.refuse(refusal, facts.id, None).body)


def test_every_served_model_has_a_quota_and_a_price_for_every_unit_of_the_service_s_own() -> None:
    for world in load_worlds().values():
        for facts in world.served(include_retired=True):
            units = {limit.unit for limit in facts.limits}
            assert units
            assert units - {"requests", "tokens", "concurrent"} == set(facts.prices)


def test_every_simulated_provider_has_the_wire_of_its_name_and_the_base_url_of_its_routes() -> None:
    worlds = load_worlds()
    assert [wire.provider for wire in WIRES] == list(worlds)
    for wire in WIRES:
        assert any(route.path.startswith(worlds[wire.provider].base_path) for route in wire.routes)
        assert worlds[wire.provider].environment


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_the_command_serves_until_it_is_told_to_stop() -> None:
    code = "from freellm_simulator.command import simulate; simulate()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "--port", "0", "--speed", "0", "--include-retired", "--json"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    said: Any = orjson.loads(await process.stdout.readline())
    async with aiohttp.ClientSession() as session, session.get(said["url"] + "/sim/state") as response:
        assert (await response.json())["requests"] == []
    assert sorted(said["retired_models"]) == sorted(f"{provider}/{model}" for provider, model in RETIRED)
    environment = said["environment"]["groq"]
    assert environment["FREELLM_GROQ_BASE_URL"] == said["url"] + "/groq/openai/v1"
    assert environment["GROQ_API_KEY"] == "gsk_simulated"
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_the_command_prints_lines_to_paste() -> None:
    from freellm_simulator.command import as_text

    async with Simulation() as simulation:
        lines = as_text(simulation).splitlines()
        exports = [line for line in lines if line.startswith("export ")]
        assert len(exports) == len(WIRES)
        assert (
            f"export FREELLM_GOOGLE_BASE_URL={simulation.url}/google/v1beta GEMINI_API_KEY=AIza-simulated"
        ) in exports


def test_the_command_refuses_a_negative_speed() -> None:
    result = CliRunner().invoke(simulate, ["--speed", "-1"])
    assert result.exit_code == 2
    assert "--speed" in result.output
