"""Quirks of single services that only provider package, gateway and simulated service together can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from freellm import Key, Secret
from freellm.checking import check_key
from freellm.providers import load_providers
from freellm.testing import check_error
from freellm.types import Verdict
from freellm.upstream import UpstreamClient
from freellm_simulator import Simulation
from running import running_proxy


async def verdict_on(name: str, token: str, simulation: Simulation) -> Verdict:
    (provider,) = load_providers([name])[0]
    client = UpstreamClient()
    try:
        base_url = simulation.base_urls[name]
        key = Key(id="k", account="a", fields={"token": Secret(token)}, base_url=base_url)
        return await check_key(provider, key, client, local=True)
    finally:
        await client.close()


async def test_a_key_without_a_tier_is_neither_valid_nor_invalid() -> None:
    async with Simulation(speed=0) as simulation:
        verdict = await verdict_on("sambanova", "unpaid-key", simulation)
    assert verdict.state == "inconclusive"
    assert "payment method" in verdict.message


async def test_a_key_of_a_retired_service_is_said_to_be_of_no_use() -> None:
    async with Simulation(speed=0) as simulation:
        verdict = await verdict_on("github", "github_pat_x", simulation)
    assert verdict.state == "inconclusive"
    assert "retired on 2026-07-30" in verdict.message


async def test_a_retired_service_is_closed_whole_by_its_first_refusal(tmp_path: Path) -> None:
    models = [("github", "openai/gpt-4.1"), ("github", "openai/gpt-4o")]
    async with (
        Simulation(speed=0) as simulation,
        running_proxy(tmp_path, {"github": simulation.base_urls["github"]}, models=models) as proxy,
    ):
        untouched = await proxy.chat("github/openai/o3")
        first, second = await proxy.chat("openai/gpt-4.1"), await proxy.chat("openai/gpt-4o")
        asked = [row for row in simulation.state()["requests"] if row["provider"] == "github"]
    body: Any = await untouched.json()
    assert (untouched.status, body["error"]["code"]) == (404, "model_not_found")
    assert "retired" in body["error"]["message"]
    assert sum(row["count"] for row in asked) == 1
    told: Any = await first.json()
    check_error(told)
    assert first.status == 502
    assert "retired on 2026-07-30" in str(told)
    assert second.status == 502


async def test_llama_gets_one_call_a_turn_through_the_gateway(tmp_path: Path) -> None:
    calls = [
        {
            "id": f"call_{city}",
            "type": "function",
            "function": {"name": "get_weather", "arguments": f'{{"city": "{city}"}}'},
        }
        for city in ("Paris", "Rome")
    ]
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "What is the weather in Paris and Rome?"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"} for call in calls),
    ]
    async with (
        Simulation(speed=0) as simulation,
        running_proxy(tmp_path, {"nvidia": simulation.base_urls["nvidia"]}) as proxy,
    ):
        body = {"model": "nvidia/meta/llama-3.1-70b-instruct", "messages": messages, "tools": [tool]}
        response = await proxy.post(body)
    answer: Any = await response.json()
    assert response.status == 200
    assert "18 degrees" in answer["choices"][0]["message"]["content"]
