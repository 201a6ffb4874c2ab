"""Ollama Cloud as it is simulated: plain refusals, subscriptions, usage in windows, a list open to everybody."""

from typing import Any

import pytest

from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import WEATHER, Client, Got

TOOL = {"type": "function", "function": WEATHER}


async def ask(client: Client, content: Any = "Hello", model: str = "gpt-oss:120b", **more: Any) -> Got:
    body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
    return await client.path("ollama", "/v1/chat/completions", body)


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("gpt-oss:120b-cloud", 404, "model 'gpt-oss:120b-cloud' not found"),
        ("kimi-k3", 403, "this model requires a subscription"),
        ("devstral-2:123b", 410, "has been retired"),
    ],
)
async def test_a_model_that_does_not_answer_is_refused_in_a_plain_text(
    client: Client, model: str, status: int, words: str
) -> None:
    got = await ask(client, model=model)
    assert got.status == status
    assert words in got.json["error"]


async def test_a_choice_of_tools_is_ignored(client: Client) -> None:
    forced = await ask(client, "Who wrote Hamlet?", tools=[TOOL], tool_choice="required")
    forbidden = await ask(client, "Is the weather fine in Paris?", tools=[TOOL], tool_choice="none")
    assert "tool_calls" not in forced.json["choices"][0]["message"]
    assert forbidden.json["choices"][0]["message"]["tool_calls"]


async def test_reasoning_is_in_its_own_member_and_images_come_inline(client: Client) -> None:
    thinks = await ask(client, reasoning_effort="low")
    assert thinks.json["choices"][0]["message"]["reasoning"]
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
    got = await ask(client, [picture], model="gemma4:31b")
    assert (got.status, got.json["error"]) == (400, "invalid image input")


async def test_usage_ends_with_the_hour_first(client: Client, simulation: Simulation) -> None:
    long = "word " * 60_000
    statuses = [(await ask(client, long)).status for _ in range(4)]
    spent = await ask(client, long)
    assert statuses == [200] * 4
    assert spent.status == 429
    assert "have reached your hourly usage limit" in spent.json["error"]
    simulation.clock.advance(3600)
    assert (await ask(client)).status == 200


async def test_the_list_is_open_and_the_usage_is_not(client: Client) -> None:
    client.keys["ollama"] = "bad-key"
    assert (await client.path("ollama", "/v1/models", method="GET")).status == 200
    refused = await client.path("ollama", "/api/usage", method="GET")
    assert (refused.status, refused.json) == (401, {"error": "Unauthorized"})
    client.keys["ollama"] = "ollama-simulated"
    assert "limits" in (await client.path("ollama", "/api/usage", method="GET")).json
