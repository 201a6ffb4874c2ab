"""Conversations that change hands: who takes over, who keeps them, and what of the one model the other gets to see."""

from __future__ import annotations

import json
import time
from importlib.metadata import entry_points
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest

from freellm import ChatRequest, Failure, Key, Kind, Model, Secret
from freellm.plugins import PROVIDERS
from freellm.providers import Provider
from freellm.sessions import REST
from freellm_simulator import Simulation
from freellm_simulator.clock import VirtualClock
from freellm_simulator.testing import NOON_UTC, WEATHER
from recording import recording
from running import KEYS, running_proxy

WIRES = ("google", "groq", "mistral", "cohere", "openrouter")
THINKERS = {
    "google": "gemini-2.5-flash",
    "groq": "openai/gpt-oss-120b",
    "mistral": "mistral-medium-latest",
    "cohere": "command-a-plus-05-2026",
    "openrouter": None,
}
"""The models that conversations begin with; None is the best that can call tools."""

POINTS = sorted(entry_points(group=PROVIDERS), key=lambda point: point.name)
FOUND = Model(
    id="found", family="found", abilities=frozenset({"tools"}), source="a list", checked="2026-11-24"
)
"""A model of a server of one's own."""

TOOL = {"type": "function", "function": WEATHER}
SECRETS = ("SIGNATURE-OF-ANOTHER", "THOUGHTS-OF-ANOTHER")
STAND_IN = "skip_thought_signature_validator"


def hasty() -> Simulation:
    """Return a simulation in which a second's quota is back before anybody asks again."""
    started = time.time()
    return Simulation(speed=0, clock=VirtualClock(wall=lambda: started + (time.time() - started) * 5_000.0))


def question(city: str) -> dict[str, Any]:
    return {"role": "user", "content": f"What is the weather in {city}? Use get_weather."}


def with_thoughts(message: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as clients send it back, with all that models put beside the text."""
    extra = {"google": {"thought_signature": SECRETS[0], "model": "another"}}
    calls = [{**call, "extra_content": extra} for call in message.get("tool_calls") or ()]
    details = [{"type": "reasoning.encrypted", "data": SECRETS[0]}]
    return {
        **message,
        **({"tool_calls": calls} if calls else {}),
        "reasoning": SECRETS[1],
        "reasoning_content": SECRETS[1],
        "reasoning_details": details,
    }


def result(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"role": "tool", "tool_call_id": call["id"], "content": '{"celsius": 21}'}
        for call in message["tool_calls"]
    ]


@pytest.mark.parametrize(("first", "second"), list(permutations(WIRES, 2)))
async def test_a_conversation_with_tools_goes_on_with_another_provider_and_stays_there(
    tmp_path: Path, first: str, second: str
) -> None:
    async with (
        hasty() as simulation,
        recording({name: simulation.base_urls[name] for name in (first, second)}) as relayed,
        running_proxy(
            tmp_path,
            relayed.base_urls,
            keys={name: [KEYS.get(name, simulation.keys[name])] for name in (first, second)},
            unlimited=True,
        ) as proxy,
    ):

        async def turn(model: str = "auto", **fields: Any) -> tuple[str, dict[str, Any]]:
            response = await proxy.post(
                {"model": model, "messages": messages, "tools": [TOOL], **fields}, **{"X-Session-Id": "s"}
            )
            body = await response.json()
            assert response.status == 200, body
            message = body["choices"][0]["message"]
            messages.append(with_thoughts(message))
            return body["_routed_via"]["platform"], message

        messages: list[Any] = [question("Paris")]
        begins = next(
            entry.name
            for entry in proxy.runtime.snapshot.orders.catalogue.chain
            if entry.provider.name == first
            and "tools" in entry.model.abilities
            and THINKERS[first] in (None, entry.model.id)
        )
        who, asked = await turn(begins, tool_choice="required", reasoning_effort="high")
        assert who == first
        assert asked["tool_calls"]
        messages += result(messages[-1])

        standing = proxy.runtime.health.standing(f"provider {first}")
        standing.close(proxy.runtime.clock.now() + 60, Kind.RATE_LIMITED, stated=True)
        who, said = await turn()
        assert who == second
        assert said["content"]
        standing.forget()

        messages.append(question("Rome"))
        who, again = await turn(tool_choice="required")
        assert who == second, "it stays with the one that took over"
        assert again["tool_calls"][0]["function"]["name"] == "get_weather"

        for body in relayed.bodies(second):
            no_trace_of_another(body, second)
        handed_over = relayed.bodies(second)[0]
        assert "Paris" in json.dumps(handed_over), "what was called is told"
        assert "21" in json.dumps(handed_over), "and what came of it"


def no_trace_of_another(body: Any, provider: str) -> None:
    """Check that a body tells no thoughts and no signatures of earlier turns."""
    text = orjson.dumps(body).decode()
    assert not any(secret in text for secret in SECRETS)
    for name in ("extra_content", "reasoning_details", '"reasoning":', "reasoning_content"):
        assert name not in text
    own = [
        part["thoughtSignature"]
        for content in body.get("contents", ())
        for part in content["parts"]
        if "thoughtSignature" in part
    ]
    assert set(own) <= {STAND_IN}
    assert provider == "google" or "ignature" not in text


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_no_provider_is_shown_what_another_one_thought(point: Any) -> None:
    provider = Provider(point.name, point.load())
    info = provider.info
    models = [model for model in provider.models if model.task == "chat"] or [FOUND]
    fields = {field.name: Secret("text") for field in info.key_fields}
    key = Key(id="k", account="a", fields=fields, base_url=info.base_url)
    google = {"google": {"thought_signature": SECRETS[0], "model": "another"}}
    messages = [
        question("Paris"),
        {
            "role": "assistant",
            "content": None,
            "reasoning": SECRETS[1],
            "reasoning_content": SECRETS[1],
            "reasoning_details": [{"type": "reasoning.text", "text": SECRETS[1], "signature": SECRETS[0]}],
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                    "extra_content": google,
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "21"},
    ]
    request = ChatRequest(messages=messages, parameters={"tools": [TOOL]})
    sent = 0
    for model in models:
        upstream = provider.translate_request(request, model, key)
        if isinstance(upstream, Failure):
            continue
        sent += 1
        text = orjson.dumps(upstream.body).decode()
        shown = [secret for secret in SECRETS if secret in text]
        # A server of one's own may be Gemini's own OpenAI endpoint, which wants what stands beside its calls back.
        assert shown == ([SECRETS[0]] if point.name == "custom" else []) or not shown, (model.id, shown)
    assert sent


async def test_a_conversation_goes_back_to_its_first_model_after_a_rest_and_not_before(
    tmp_path: Path,
) -> None:
    now = [0.0]
    async with (
        Simulation(speed=0, clock=VirtualClock(wall=lambda: NOON_UTC + now[0])) as simulation,
        running_proxy(
            tmp_path,
            {name: simulation.base_urls[name] for name in ("groq", "mistral")},
            keys={name: [simulation.keys[name]] for name in ("groq", "mistral")},
            monotonic=lambda: now[0],
        ) as proxy,
    ):

        async def turn() -> str:
            body = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
            now[0] += 2
            response = await proxy.post(body, **{"X-Session-Id": "s"})
            assert response.status == 200
            return response.headers["X-Routed-Via"]

        home = await turn()
        standing = proxy.runtime.health.standing(f"provider {home.split('/')[0]}")
        standing.close(proxy.runtime.clock.now() + 20, Kind.RATE_LIMITED, stated=True)
        away = await turn()
        assert away != home
        now[0] += 30
        assert [await turn() for _ in range(3)] == [away] * 3
        now[0] += REST
        standing.close(proxy.runtime.clock.now() + 20, Kind.RATE_LIMITED, stated=True)
        assert await turn() == away, "the first model is closed again"
        now[0] += REST
        assert [await turn() for _ in range(3)] == [home] * 3
