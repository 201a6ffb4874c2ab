"""The services' official clients, pointed at the simulation by their base URL alone."""

from typing import Any

import openai
import pytest
from google import genai
from google.genai import errors, types

from freellm_simulator.simulation import Simulation
from freellm_simulator.testing import WEATHER

# google-genai subclasses aiohttp's ClientSession, which aiohttp discourages.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

TOOL: Any = {"type": "function", "function": WEATHER}
MODEL = "openai/gpt-oss-120b"
ASK: Any = [{"role": "user", "content": "Weather in Paris and Tokyo?"}]


def groq(simulation: Simulation, key: str = "gsk_simulated") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=simulation.base_urls["groq"], api_key=key, max_retries=0)


def gemini(simulation: Simulation, key: str = "AIza-simulated") -> genai.Client:
    options = types.HttpOptions(
        base_url=simulation.base_urls["google"].removesuffix("/v1beta"), api_version="v1beta"
    )
    return genai.Client(api_key=key, http_options=options)


async def test_the_openai_client_gets_answers_streams_and_calls(simulation: Simulation) -> None:
    async with groq(simulation) as client:
        whole = await client.chat.completions.create(model=MODEL, messages=ASK, max_tokens=200)
        stream = await client.chat.completions.create(
            model=MODEL, messages=ASK, max_tokens=200, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        called = await client.chat.completions.create(model=MODEL, messages=ASK, max_tokens=200, tools=[TOOL])
        listed = [model.id async for model in client.models.list()]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert len(called.choices[0].message.tool_calls or ()) == 2
    assert MODEL in listed


async def test_the_openai_client_tells_refusals_apart(simulation: Simulation) -> None:
    async with groq(simulation, "bad-key") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    simulation.fail("groq", "rate_limit_minute", seconds=7)
    simulation.fail("groq", "error_mid_stream")
    async with groq(simulation) as client:
        with pytest.raises(openai.RateLimitError) as limited:
            await client.chat.completions.create(model=MODEL, messages=ASK)
        stream = await client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
        with pytest.raises(openai.APIError, match="Internal Server Error"):
            _ = [chunk async for chunk in stream]
    assert limited.value.response.headers["retry-after"] == "7"
    assert limited.value.code == "rate_limit_exceeded"


async def test_the_gemini_client_gets_answers_streams_calls_and_schemas(simulation: Simulation) -> None:
    function: Any = {"name": WEATHER["name"], "parametersJsonSchema": WEATHER["parameters"]}
    tools: Any = [{"functionDeclarations": [function]}]
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    async with gemini(simulation).aio as client:
        whole = await client.models.generate_content(model="gemini-2.5-flash", contents="What is jazz?")
        stream = await client.models.generate_content_stream(
            model="gemini-2.5-flash", contents="What is jazz?"
        )
        chunks = [chunk async for chunk in stream]
        called = await client.models.generate_content(
            model="gemini-3-flash-preview",
            contents="Weather in Paris?",
            config=types.GenerateContentConfig(
                tools=tools, automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
            ),
        )
        kept = await client.models.generate_content(
            model="gemini-2.5-flash",
            contents="Count",
            config=types.GenerateContentConfig(
                response_mime_type="application/json", response_json_schema=schema
            ),
        )
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert chunks[-1].usage_metadata == whole.usage_metadata
    calls = called.function_calls or []
    assert [call.args for call in calls] == [{"city": "Paris", "unit": "celsius"}]
    assert kept.text == '{"n":1}'


async def test_the_gemini_client_carries_a_signature_through_a_conversation(simulation: Simulation) -> None:
    def get_weather(city: str) -> str:
        """Tell the weather of a city."""
        return f"sunny in {city}"

    async with gemini(simulation).aio as client:
        chat = client.chats.create(
            model="gemini-3-flash-preview", config=types.GenerateContentConfig(tools=[get_weather])
        )
        answer = await chat.send_message("What is the weather in Paris?")
    assert "sunny in Paris" in (answer.text or "")


async def test_the_gemini_client_tells_refusals_apart(simulation: Simulation) -> None:
    async with gemini(simulation, "bad-key").aio as client:
        with pytest.raises(errors.ClientError, match="API_KEY_INVALID") as bad:
            await client.models.generate_content(model="gemini-2.5-flash", contents="Hi")
    assert bad.value.code == 400
    simulation.fail("google", "rate_limit_day")
    async with gemini(simulation).aio as client:
        with pytest.raises(errors.ClientError, match="GenerateRequestsPerDay") as spent:
            await client.models.generate_content(model="gemini-2.5-flash", contents="Hi")
    assert spent.value.code == 429
