"""Z.ai as it is simulated: codes of its own, one request at a time, thinking that is switched."""

import asyncio
from typing import Any

import pytest

from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import WEATHER, Client

FLASH = "glm-4.7-flash"
TOOL = {"type": "function", "function": WEATHER}


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 0},
        {"temperature": 1},
        {"top_p": 1.0},
        {"tools": [TOOL], "tool_choice": "required"},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
    ],
)
async def test_what_is_not_taken_has_code_1210(client: Client, more: Any) -> None:
    got = await client.ask("zhipu", FLASH, **more)
    assert (got.status, got.json["error"]["code"]) == (400, "1210")


async def test_thinking_is_on_unless_it_is_switched_off(client: Client) -> None:
    thinks = await client.ask("zhipu", FLASH)
    silent = await client.ask("zhipu", FLASH, thinking={"type": "disabled"})
    assert thinks.json["choices"][0]["message"]["reasoning_content"]
    assert "reasoning_content" not in silent.json["choices"][0]["message"]


async def test_a_stream_has_its_usage_in_the_last_chunk(client: Client) -> None:
    got = await client.ask("zhipu", FLASH, stream=True)
    assert got.events[-1]["choices"][0]["finish_reason"] == "stop"
    assert got.events[-1]["usage"]["total_tokens"] > 0


async def test_a_second_request_at_the_same_time_is_too_many(client: Client, simulation: Simulation) -> None:
    simulation.fail("zhipu", "slow_first_byte", seconds=30)
    first = asyncio.create_task(client.ask("zhipu", FLASH, stream=True))
    while not simulation.state()["requests"]:
        await asyncio.sleep(0)
    second = await client.ask("zhipu", "glm-4.5-flash")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (second.status, second.json["error"]["code"]) == (429, "1302")
    assert "retry-after" not in second.headers


async def test_keys_and_models_have_codes(client: Client) -> None:
    unknown = await client.ask("zhipu", "glm-9")
    assert unknown.json["error"]["code"] == "1211"
    assert (await client.path("zhipu", "/models", method="GET")).json["data"][0]["id"] == FLASH
    client.keys["zhipu"] = "bad-key"
    bad = await client.ask("zhipu", FLASH)
    assert (bad.status, bad.json["error"]["code"]) == (401, "1002")
