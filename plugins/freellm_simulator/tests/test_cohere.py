"""Cohere as it is simulated: the compatible chat endpoint, and Cohere's own for the rest."""

from typing import Any

import pytest

from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import WEATHER, Client, Got

MODEL = "command-a-plus-05-2026"
SCHEMA = {"type": "object", "properties": {"additionalProperties": {"type": "string"}}}
TOOL = {"type": "function", "function": {**WEATHER, "parameters": SCHEMA}}


async def ask(client: Client, **more: Any) -> Got:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], **more}
    return await client.path("cohere", "/compatibility/v1/chat/completions", body)


def function(**more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, **more}}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"temperature": 1.5}, "temperature"),
        ({"tools": [TOOL], "response_format": {"type": "json_object"}}, "not supported with tools"),
        ({"tools": [function(name="get-weather")]}, "letters, digits and underscores"),
        (
            {"tools": [function(parameters={"type": "object", "additionalProperties": False})]},
            "additionalProperties",
        ),
        ({"tools": [function(parameters={"anyOf": [{"$schema": "x"}]})]}, "$schema"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
            "REQUIRED",
        ),
    ],
)
async def test_what_the_compatible_endpoint_does_not_take_is_refused(
    client: Client, more: Any, words: str
) -> None:
    got = await ask(client, **more)
    assert got.status == 400
    assert words in got.json["message"]


async def test_a_property_may_be_called_like_a_keyword(client: Client) -> None:
    assert (await ask(client, tools=[TOOL])).status == 200


async def test_who_reasons_does_so_unless_told_not_to(client: Client) -> None:
    thinks = await ask(client)
    silent = await ask(client, reasoning_effort="none")
    assert thinks.json["choices"][0]["message"]["reasoning_content"]
    assert "reasoning_content" not in silent.json["choices"][0]["message"]


async def test_a_model_has_its_minute_and_the_account_its_month(
    client: Client, simulation: Simulation
) -> None:
    statuses = [(await ask(client)).status for _ in range(20)]
    minute = await ask(client)
    assert statuses == [200] * 20
    assert (minute.status, "20 API calls / minute" in minute.json["message"]) == (429, True)
    for _ in range(49):
        simulation.clock.advance(60)
        for _ in range(20):
            await ask(client)
    simulation.clock.advance(60)
    month = await ask(client)
    assert (month.status, "1000 API calls / month" in month.json["message"]) == (429, True)
    embedded = await client.path(
        "cohere", "/v2/embed", {"model": "embed-v4.0", "texts": ["a"], "input_type": "classification"}
    )
    assert embedded.status == 429


async def test_vectors_come_by_type_and_need_a_purpose(client: Client) -> None:
    body = {"model": "embed-v4.0", "texts": ["a", "b"], "embedding_types": ["float"], "output_dimension": 256}
    made = await client.path("cohere", "/v2/embed", {**body, "input_type": "search_query"})
    assert [len(vector) for vector in made.json["embeddings"]["float"]] == [256, 256]
    assert made.json["meta"]["billed_units"]["input_tokens"] == 2
    assert (await client.path("cohere", "/v2/embed", body)).status == 400
    many = {**body, "texts": ["a"] * 97, "input_type": "search_query"}
    assert (await client.path("cohere", "/v2/embed", many)).status == 400


async def test_a_key_is_checked_without_a_body_and_models_are_listed(client: Client) -> None:
    checked = await client.path("cohere", "/v1/check-api-key")
    assert checked.json["valid"]
    assert checked.json["organization_id"].startswith("org-")
    listed = (await client.path("cohere", "/v1/models?endpoint=embed", method="GET")).json["models"]
    assert [row["name"] for row in listed] == ["embed-v4.0"]
    client.keys["cohere"] = "bad-key"
    assert (await client.path("cohere", "/v1/check-api-key")).json["message"] == "invalid api token"
