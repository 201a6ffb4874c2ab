"""The official OpenAI SDK against the proxy, every provider simulated: what the SDK's users see."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from freellm_simulator import Simulation
from freellm_simulator.clock import VirtualClock
from freellm_simulator.worlds import load_worlds
from running import RunningProxy, running_proxy

PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
PINNED = [
    "openai/gpt-oss-120b",
    "gemini-2.5-flash",
    "gemini-3.5-flash",
    *(
        facts.label
        for world in load_worlds().values()
        for facts in [facts for facts in world.served(include_retired=False) if "tools" in facts.abilities][
            :1
        ]
    ),
]
"""Three families, and of every simulated provider the first model that calls tools."""

NO_TOOLS = [
    facts.label
    for world in load_worlds().values()
    for facts in world.served(include_retired=False)[:1]
    if not any("tools" in other.abilities for other in world.served(include_retired=False))
]
"""Of providers without such a model the first one."""

UNFORCED = ("ollama/", "zhipu/")
"""Providers whose services do not keep to a call that is required."""

HASTE = 5_000.0
"""How much faster the services' clock runs, so that no test waits for a second's or a minute's quota."""


def choice_for(model: str) -> Any:
    """Return the strongest choice of tools that a model's service keeps to."""
    return "auto" if model.startswith(UNFORCED) else "required"


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[RunningProxy]:
    started = time.time()
    clock = VirtualClock(wall=lambda: started + (time.time() - started) * HASTE)
    async with (
        Simulation(speed=0, include_retired=True, clock=clock) as simulation,
        running_proxy(tmp_path, simulation.base_urls, models=simulation.models, unlimited=True) as running,
    ):
        yield running


@pytest.fixture
async def client(proxy: RunningProxy) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key=proxy.key, max_retries=0) as made:
        yield made


async def test_a_chat_says_who_answered(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "Explain neural networks."}]
    )
    assert "simulated" in (answer.choices[0].message.content or "")
    assert answer._routed_via["model"] == answer.model  # type: ignore[attr-defined]
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("model", [*PINNED, *NO_TOOLS])
async def test_a_pinned_model_answers_itself_whole_and_streamed(
    client: openai.AsyncOpenAI, model: str
) -> None:
    whole = await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}])
    assert model.endswith(whole.model)
    stream = await client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert {chunk.model for chunk in chunks} == {whole.model}
    assert len({chunk.id for chunk in chunks}) == 1
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "simulated" in text
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens > 0
    assert chunks[0]._routed_via["model"] == whole.model  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", PINNED)
async def test_a_tool_is_called_and_its_result_used(client: openai.AsyncOpenAI, model: str) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris? Use get_weather."}]
    first = await client.chat.completions.create(
        model=model, messages=messages, tools=[WEATHER], tool_choice=choice_for(model)
    )
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    call = message.tool_calls[0]
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    messages += [
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and sunny"},
    ]
    second = await client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert second.choices[0].finish_reason == "stop"
    assert "18 degrees" in (second.choices[0].message.content or "")


@pytest.mark.parametrize("model", PINNED)
async def test_the_streaming_helper_assembles_tool_calls(client: openai.AsyncOpenAI, model: str) -> None:
    async with client.chat.completions.stream(
        model=model,
        messages=[{"role": "user", "content": "get_weather in Paris and get_weather in Rome, both at once"}],
        tools=[WEATHER],
        tool_choice=choice_for(model),
    ) as stream:
        final = await stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls
    assert len({call.id for call in calls}) == len(calls)
    for call in calls:
        assert json.loads(call.function.arguments)


@pytest.mark.parametrize("model", [model for model in PINNED if model.startswith(UNFORCED)])
async def test_a_call_that_the_service_would_not_keep_to_is_refused_before_it_is_sent(
    client: openai.AsyncOpenAI, model: str
) -> None:
    with pytest.raises(openai.BadRequestError, match="tool_choice"):
        await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Hello"}],
            tools=[WEATHER],  # type: ignore[list-item] - a plain dictionary serves
            tool_choice="required",
        )


class Fact(BaseModel):
    title: str
    year: int
    sources: list[str]


@pytest.mark.parametrize("model", ["openai/gpt-oss-120b", "gemini-2.5-flash"])
async def test_a_json_schema_is_kept_to(client: openai.AsyncOpenAI, model: str) -> None:
    parsed = await client.chat.completions.parse(
        model=model,
        messages=[{"role": "user", "content": "One fact about space."}],
        response_format=Fact,
    )
    assert isinstance(parsed.choices[0].message.parsed, Fact)


async def test_json_mode_returns_json(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "Answer in JSON."}],
        response_format={"type": "json_object"},
    )
    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


async def test_an_image_goes_to_a_model_that_can_see(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="auto",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": PIXEL}},
                ],
            }
        ],
    )
    assert "image/png" in (answer.choices[0].message.content or "")


async def test_an_image_for_a_blind_model_is_refused_before_it_costs_quota(
    client: openai.AsyncOpenAI,
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(
            model="groq/openai/gpt-oss-120b",
            messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}],
        )
    assert caught.value.code == "no_capable_model"
    assert "vision" in caught.value.message


async def test_developer_messages_stop_and_limits_are_honoured(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="auto",
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "A long story."},
        ],
        max_completion_tokens=16,
        temperature=0.5,
        seed=7,
        reasoning_effort="low",
    )
    assert answer.choices[0].finish_reason == "length"


async def test_models_are_listed_and_found_by_ids_with_slashes(client: openai.AsyncOpenAI) -> None:
    ids = [model.id async for model in client.models.list()]
    assert ids[0] == "auto"
    assert {"openai/gpt-oss-120b", "gemini-2.5-flash", "llama-3.3-70b-versatile"} <= set(ids)
    assert (await client.models.retrieve("openai/gpt-oss-120b")).id == "openai/gpt-oss-120b"
    assert (await client.models.retrieve("groq/openai/gpt-oss-120b")).id == "groq/openai/gpt-oss-120b"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nonsense")


async def test_errors_are_the_sdks_own_exceptions(proxy: RunningProxy, client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="there is no model"):
        await client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "x"}])
    with pytest.raises(openai.BadRequestError, match="messages is empty"):
        await client.chat.completions.create(model="auto", messages=[])
    async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="wrong") as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.models.list()


async def test_a_conversation_stays_with_the_model_that_answered_it(client: openai.AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "Hello"}]
    first = await client.chat.completions.create(model="auto", messages=messages)
    for _ in range(4):
        messages += [
            {"role": "assistant", "content": first.choices[0].message.content},
            {"role": "user", "content": "Go on"},
        ]
        following = await client.chat.completions.create(model="auto", messages=messages)
        assert following._routed_via == first._routed_via  # type: ignore[attr-defined]
        first = following
