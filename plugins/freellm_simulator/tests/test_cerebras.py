from typing import Any

import pytest

from freellm_simulator.testing import WEATHER, Client

TOOL = {"type": "function", "function": WEATHER}
GPT_OSS, QWEN = "gpt-oss-120b", "qwen-3.8-27b"


async def ask(client: Client, content: Any = "Hello there", model: str = GPT_OSS, **more: Any) -> Any:
    return await client.ask("cerebras", model, content, **{"max_completion_tokens": 300, **more})


async def test_an_answer_has_its_reasoning_in_a_member_and_its_buckets_in_headers(client: Client) -> None:
    got = await ask(client, "What is jazz?")
    message = got.json["choices"][0]["message"]
    assert message["content"].startswith("[simulated by cerebras/gpt-oss-120b] ")
    assert message["reasoning"]
    assert got.headers["x-ratelimit-limit-requests-minute"] == "5"
    assert got.headers["x-ratelimit-remaining-requests-hour"] == "149"
    assert got.headers["x-ratelimit-limit-tokens-hour"] == "1000000"
    assert float(got.headers["x-ratelimit-reset-tokens-day"]) > 0


async def test_reasoning_is_shown_hidden_raw_or_left_out(client: Client) -> None:
    hidden = await ask(client, reasoning_format="hidden")
    raw = await ask(client, reasoning_format="raw")
    none = await ask(client, model=QWEN, reasoning_effort="none")
    assert "reasoning" not in hidden.json["choices"][0]["message"]
    assert raw.json["choices"][0]["message"]["content"].startswith("<think>")
    assert "reasoning" not in none.json["choices"][0]["message"]
    assert (await ask(client, reasoning_effort="none")).json["param"] == "reasoning_effort"


async def test_a_minute_s_requests_end_in_a_flat_refusal_and_the_headers_tell_the_wait(
    client: Client,
) -> None:
    assert [(await ask(client)).status for _ in range(5)] == [200] * 5
    got = await ask(client)
    assert (got.status, got.json["code"], got.json["type"]) == (
        429,
        "request_quota_exceeded",
        "too_many_requests_error",
    )
    assert got.json["message"].startswith("Requests per minute limit exceeded")
    assert "retry-after" not in got.headers
    assert got.headers["x-ratelimit-remaining-requests-minute"] == "0"
    client.simulation.clock.advance(float(got.headers["x-ratelimit-reset-requests-minute"]) + 1)
    assert (await ask(client)).status == 200


async def test_tokens_are_counted_at_the_door_with_the_whole_maximum(client: Client) -> None:
    got = await ask(client, max_completion_tokens=30_000)
    assert (got.status, got.json["code"]) == (429, "token_quota_exceeded")
    assert got.json["message"].startswith("Tokens per minute limit exceeded")


@pytest.mark.parametrize(
    ("more", "param"), [({"top_k": 40}, "top_k"), ({"max_completion_tokens": 40_000}, "max_tokens")]
)
async def test_what_cerebras_refuses_is_refused_by_field(
    client: Client, more: dict[str, Any], param: str
) -> None:
    got = await ask(client, **more)
    assert (got.status, got.json["param"]) == (422, param)


async def test_keys_models_and_traffic_are_told_apart(client: Client) -> None:
    assert (await ask(client, model="llama3.1-8b")).json["code"] == "model_archived"
    assert (await ask(client, model="gpt-5")).json["code"] == "model_not_found"
    client.simulation.fail("cerebras", "overloaded")
    busy = await ask(client)
    assert (busy.status, busy.json["code"]) == (429, "queue_exceeded")
    listed = await client.path("cerebras", "/models", method="GET")
    assert [model["id"] for model in listed.json["data"]] == [GPT_OSS, QWEN]
    client.keys["cerebras"] = "bad-key"
    assert (await ask(client)).json["code"] == "wrong_api_key"
    assert (await client.path("cerebras", "/models", method="GET")).status == 401


async def test_tools_are_called_in_a_stream_that_ends_with_the_usage(client: Client) -> None:
    got = await ask(
        client, "Weather in Paris?", tools=[TOOL], stream=True, stream_options={"include_usage": True}
    )
    assert got.events[-1]["choices"] == []
    assert got.events[-1]["usage"]["total_tokens"] > 0
    assert got.events[-2]["choices"][0]["finish_reason"] == "tool_calls"
