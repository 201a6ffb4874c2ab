from typing import Any

import pytest

from freellm_simulator.testing import WEATHER, Client

TOOL = {"type": "function", "function": WEATHER}


async def test_a_whole_answer_is_a_completion_that_says_it_is_simulated(client: Client) -> None:
    got = await client.groq("What is jazz?", max_tokens=200)
    assert got.status == 200
    choice, usage = got.json["choices"][0], got.json["usage"]
    assert choice["message"]["content"].startswith("[simulated by groq/openai/gpt-oss-120b] ")
    assert "What is jazz?" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert got.json["x_groq"]["id"].startswith("req_")


async def test_a_stream_has_the_same_text_and_its_usage_in_the_last_chunk(client: Client) -> None:
    whole = await client.groq("What is jazz?", max_tokens=200)
    streamed = await client.groq("What is jazz?", max_tokens=200, stream=True)
    chunks = streamed.events
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.text.endswith("data: [DONE]\n\n")
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == whole.json["choices"][0]["message"]["content"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["x_groq"]["usage"] == whole.json["usage"]
    assert len({chunk["id"] for chunk in chunks}) == 1


async def test_a_usage_chunk_without_choices_comes_only_when_asked_for(client: Client) -> None:
    got = await client.groq(stream=True, stream_options={"include_usage": True}, max_tokens=50)
    assert got.events[-1]["choices"] == []
    assert got.events[-1]["usage"] == got.events[-2]["x_groq"]["usage"]


@pytest.mark.parametrize(("stop", "length"), [(None, True), (["You"], False)])
async def test_an_answer_ends_at_max_tokens_or_before_a_stop_sequence(
    client: Client, stop: Any, length: bool
) -> None:
    body = {"max_tokens": 12, **({"stop": stop, "max_tokens": 300} if stop else {})}
    got = await client.groq("Tell me about trees", **body)
    choice = got.json["choices"][0]
    assert choice["finish_reason"] == ("length" if length else "stop")
    assert ("You" in choice["message"]["content"]) is False
    if length:
        assert got.json["usage"]["completion_tokens"] <= 12


async def test_a_number_of_words_is_kept_exactly(client: Client) -> None:
    got = await client.groq("Give me one interesting fact about space in exactly 20 words.", max_tokens=300)
    content = got.json["choices"][0]["message"]["content"]
    assert len(content.partition("words.”")[2].split()) == 20


async def test_two_places_make_two_calls_and_one_when_parallel_calls_are_off(client: Client) -> None:
    question = "What is the weather in Paris and Tokyo?"
    both = await client.groq(question, tools=[TOOL], max_tokens=300)
    one = await client.groq(question, tools=[TOOL], max_tokens=300, parallel_tool_calls=False)
    calls = both.json["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == [
        '{"city":"Paris","unit":"celsius"}',
        '{"city":"Tokyo","unit":"celsius"}',
    ]
    assert len({call["id"] for call in calls}) == 2
    assert both.json["choices"][0]["finish_reason"] == "tool_calls"
    assert len(one.json["choices"][0]["message"]["tool_calls"]) == 1


async def test_streamed_calls_are_indexed_and_whole(client: Client) -> None:
    got = await client.groq("Weather in Paris and Tokyo?", tools=[TOOL], max_tokens=300, stream=True)
    calls = [call for chunk in got.events for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert [call["index"] for call in calls] == [0, 1]
    assert all(call["id"] and call["function"]["arguments"].endswith("}") for call in calls)


@pytest.mark.parametrize(
    ("choice", "question", "called"),
    [
        ("auto", "Who wrote Hamlet?", False),
        ("auto", "Is the weather fine?", True),
        ("none", "Is the weather fine?", False),
        ("required", "Who wrote Hamlet?", True),
        ({"type": "function", "function": {"name": "get_weather"}}, "Who wrote Hamlet?", True),
    ],
)
async def test_tool_choice_is_obeyed(client: Client, choice: Any, question: str, called: bool) -> None:
    got = await client.groq(question, tools=[TOOL], tool_choice=choice, max_tokens=300)
    assert ("tool_calls" in got.json["choices"][0]["message"]) is called


async def test_a_result_is_used_in_the_answer(client: Client) -> None:
    first = await client.groq("Weather in Paris?", tools=[TOOL], max_tokens=300)
    call = first.json["choices"][0]["message"]["tool_calls"][0]
    messages = [
        {"role": "user", "content": "Weather in Paris?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "sunny, 21 degrees"},
    ]
    body = {"model": "openai/gpt-oss-120b", "messages": messages, "tools": [TOOL], "max_tokens": 300}
    got = await client.groq_path("/chat/completions", body)
    assert "get_weather: sunny, 21 degrees" in got.json["choices"][0]["message"]["content"]


async def test_json_mode_and_a_schema_are_kept_to(client: Client) -> None:
    mode = await client.groq("Answer in JSON", response_format={"type": "json_object"}, max_tokens=300)
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    kept = await client.groq(response_format=form, max_tokens=300)
    assert '"simulated":true' in mode.json["choices"][0]["message"]["content"]
    assert kept.json["choices"][0]["message"]["content"] == '{"ok":true}'


async def test_reasoning_comes_in_the_field_that_was_asked_for(client: Client) -> None:
    shown = await client.groq(reasoning_effort="low", max_tokens=300)
    hidden = await client.groq(reasoning_effort="low", reasoning_format="hidden", max_tokens=300)
    raw = await client.groq(reasoning_effort="low", reasoning_format="raw", max_tokens=300)
    assert shown.json["choices"][0]["message"]["reasoning"]
    assert shown.json["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert "reasoning" not in hidden.json["choices"][0]["message"]
    assert raw.json["choices"][0]["message"]["content"].startswith("<think>")
    streamed = await client.groq(reasoning_effort="low", max_tokens=300, stream=True)
    thoughts = "".join(chunk["choices"][0]["delta"].get("reasoning", "") for chunk in streamed.events)
    assert thoughts == shown.json["choices"][0]["message"]["reasoning"]


async def test_pictures_are_counted_and_weighed(client: Client) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAAAAAA"}}
    content = [{"type": "text", "text": "What is this?"}, picture, picture]
    got = await client.groq(content, model="qwen/qwen3.8-27b", max_tokens=300)
    assert "2 images: image/png, 6 bytes; image/png, 6 bytes" in got.json["choices"][0]["message"]["content"]
    refused = await client.groq(content)
    assert refused.status == 400
    assert "value must be a string" in refused.json["error"]["message"]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"n": 2}, "n"),
        ({"reasoning_effort": "none"}, "reasoning_effort"),
        ({"reasoning_format": "parsed", "include_reasoning": True}, "reasoning_format"),
        ({"max_tokens": 70_000}, "max_tokens"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "x", "reasoning_content": "y"}]}, "messages.0"),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": None}]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "?"}]}, "messages.0.tool_call_id"),
        (
            {
                "stream": True,
                "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
            },
            "response_format",
        ),
    ],
)
async def test_what_groq_refuses_is_refused_by_field(client: Client, more: Any, param: str) -> None:
    got = await client.groq(**more)
    assert got.status == 400
    assert got.json["error"]["type"] == "invalid_request_error"
    assert got.json["error"]["param"] == param


async def test_a_malformed_request_is_the_client_s_fault(client: Client) -> None:
    for body in ({"messages": [{"content": "x"}]}, {"messages": [{"role": "user", "content": [1]}]}, ["x"]):
        got = await client.groq_path(
            "/chat/completions", {"model": "openai/gpt-oss-120b", **body} if isinstance(body, dict) else body
        )
        assert got.status == 400
        assert got.json["error"]["type"] == "invalid_request_error"


async def test_bad_keys_and_models_that_are_gone_are_told_apart(client: Client) -> None:
    retired = await client.groq(model="llama-3.3-70b-versatile")
    unknown = await client.groq(model="gpt-5")
    client.keys["groq"] = "bad-key"
    bad = await client.groq()
    assert (bad.status, bad.json["error"]["code"]) == (401, "invalid_api_key")
    assert (retired.status, retired.json["error"]["code"]) == (400, "model_decommissioned")
    assert (unknown.status, unknown.json["error"]["code"]) == (404, "model_not_found")
    assert (await client.groq_path("/models", method="GET")).status == 401


async def test_too_long_a_prompt_exceeds_the_context_before_any_quota(client: Client) -> None:
    got = await client.groq("word " * 140_000)
    assert (got.status, got.json["error"]["code"]) == (400, "context_length_exceeded")


async def test_the_list_of_models_has_what_is_served(client: Client) -> None:
    listed = (await client.groq_path("/models", method="GET")).json["data"]
    assert [model["id"] for model in listed] == [
        "openai/gpt-oss-120b",
        "openai/gpt-oss-20b",
        "openai/gpt-oss-safeguard-20b",
        "qwen/qwen3.8-27b",
    ]
    one = await client.groq_path("/models/qwen/qwen3.8-27b", method="GET")
    assert one.json == listed[3]
    assert (await client.groq_path("/models/x", method="GET")).status == 404
    assert (await client.groq_path("/nowhere", method="GET")).json["error"]["code"] == "unknown_url"
