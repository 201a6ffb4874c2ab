"""Mistral as it is simulated: strict bodies, rules of order, short ids, thinking in parts."""

from typing import Any

import pytest

from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import WEATHER, Client

LARGE = "mistral-large-latest"
TOOL = {"type": "function", "function": WEATHER}
USER = {"role": "user", "content": "Weather in Paris?"}
CALL = {"id": "D681PevKs", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "D681PevKs", "content": "sunny, 21 degrees"}
CALLED = {"role": "assistant", "content": "", "tool_calls": [CALL]}


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"stream_options": {"include_usage": True}}, ["body", "stream_options"]),
        ({"seed": 7}, ["body", "seed"]),
        ({"messages": [{**USER, "name": "ann"}]}, ["body", "messages", 0, "user", "name"]),
    ],
)
async def test_an_unknown_member_is_named_by_its_place(client: Client, more: Any, place: list[Any]) -> None:
    got = await client.ask("mistral", LARGE, **more)
    assert got.status == 422
    (detail,) = got.json["detail"]
    assert (detail["type"], detail["loc"]) == ("extra_forbidden", place)


@pytest.mark.parametrize(
    ("messages", "code", "words"),
    [
        ([USER, CALLED, RESULT, USER], "3230", "Unexpected role 'user' after role 'tool'"),
        ([USER, CALLED], "3230", "Not the same number of function calls and responses"),
        ([USER, {"role": "assistant", "content": ""}, USER], "3230", "either content or tool_calls"),
        ([USER, {"role": "assistant", "content": "It is"}], "3230", "Expected last role User or Tool"),
        (
            [USER, {"role": "assistant", "content": "x"}, {"role": "system", "content": "y"}],
            "3230",
            "'system'",
        ),
        ([USER, {**CALLED, "tool_calls": [{**CALL, "id": "call_abc"}]}, RESULT], "3280", "length of 9"),
        ([USER, CALLED, {**RESULT, "tool_call_id": "call_abc"}], "3280", "length of 9"),
    ],
)
async def test_a_conversation_out_of_order_is_refused(
    client: Client, messages: list[Any], code: str, words: str
) -> None:
    got = await client.ask("mistral", LARGE, messages=messages)
    assert (got.status, got.json["code"]) == (400, code)
    assert words in got.json["message"]


async def test_a_conversation_in_order_is_answered_and_a_prefix_continued(
    client: Client, simulation: Simulation
) -> None:
    got = await client.ask("mistral", LARGE, messages=[USER, CALLED, RESULT], tools=[TOOL])
    assert "sunny, 21 degrees" in got.json["choices"][0]["message"]["content"]
    simulation.clock.advance(1)
    prefix = {"role": "assistant", "content": "It is", "prefix": True}
    assert (await client.ask("mistral", LARGE, messages=[USER, prefix])).status == 200


async def test_calls_have_ids_of_nine_letters_and_come_whole(client: Client, simulation: Simulation) -> None:
    body = {"tools": [TOOL], "tool_choice": "required"}
    whole = await client.ask("mistral", LARGE, "Weather in Paris and Rome?", **body)
    simulation.clock.advance(1)
    streamed = await client.ask("mistral", LARGE, "Weather in Paris and Rome?", stream=True, **body)
    calls = whole.json["choices"][0]["message"]["tool_calls"]
    deltas = [
        call for event in streamed.events for call in event["choices"][0]["delta"].get("tool_calls", ())
    ]
    assert [len(call["id"]) for call in calls] == [9, 9]
    assert [delta["id"] for delta in deltas] == [call["id"] for call in calls]
    assert streamed.events[-1]["usage"] == whole.json["usage"]


async def test_thinking_is_a_part_of_the_content(client: Client, simulation: Simulation) -> None:
    whole = await client.ask("mistral", "magistral-medium-latest", "2 + 2?")
    simulation.clock.advance(1)
    streamed = await client.ask("mistral", "magistral-medium-latest", "2 + 2?", stream=True)
    thinking, text = whole.json["choices"][0]["message"]["content"]
    assert (thinking["type"], text["type"]) == ("thinking", "text")
    contents = [event["choices"][0]["delta"].get("content") for event in streamed.events]
    thoughts = [
        part["thinking"][0]["text"] for content in contents if isinstance(content, list) for part in content
    ]
    assert "".join(thoughts) == thinking["thinking"][0]["text"]
    assert "".join(content for content in contents if isinstance(content, str)) == text["text"]


async def test_a_refused_effort_names_no_field(client: Client) -> None:
    got = await client.ask("mistral", LARGE, reasoning_effort="high")
    assert (got.status, got.json["code"]) == (400, "3051")
    assert "Reasoning effort" in got.json["message"]


async def test_a_second_takes_one_request_and_headers_tell_of_the_minute(
    client: Client, simulation: Simulation
) -> None:
    first = await client.ask("mistral", LARGE)
    second = await client.ask("mistral", LARGE)
    simulation.clock.advance(1)
    third = await client.ask("mistral", LARGE)
    assert [first.status, second.status, third.status] == [200, 429, 200]
    assert second.json["code"] == "1300"
    assert "retry-after" not in second.headers
    assert first.headers["x-ratelimit-limit-req-minute"] == "60"
    assert third.headers["x-ratelimit-remaining-req-minute"] == "58"
    assert not [name for name in third.headers if "reset" in name]


async def test_vectors_and_the_list_of_models(client: Client, simulation: Simulation) -> None:
    body = {"model": "codestral-embed", "input": ["a", "b"], "encoding_format": "float"}
    made = await client.path("mistral", "/embeddings", {**body, "output_dimension": 3072})
    assert [len(row["embedding"]) for row in made.json["data"]] == [3072, 3072]
    refused = await client.path("mistral", "/embeddings", {**body, "dimensions": 3072})
    assert refused.json["detail"][0]["loc"] == ["body", "dimensions"]
    listed = (await client.path("mistral", "/models", method="GET")).json["data"]
    able = {row["id"]: row["capabilities"] for row in listed}
    assert able[LARGE]["vision"]
    assert not able["mistral-embed"]["completion_chat"]
    client.keys["mistral"] = "bad-key"
    assert (await client.path("mistral", "/models", method="GET")).status == 401
