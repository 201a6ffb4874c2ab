from typing import Any

import pytest

from freellm_simulator.testing import Client, Got

MODEL = "gpt-oss:20b"


async def ask(client: Client, model: str = MODEL, **more: Any) -> Got:
    got = await client.ask("llm7", model, "What is jazz?", **more)
    client.simulation.clock.advance(1)
    return got


async def test_it_answers_with_a_token_and_without(client: Client) -> None:
    for token in ("", "token"):
        client.keys["llm7"] = token
        assert (await ask(client, max_tokens=50)).json["model"] == MODEL
        assert (await ask(client, max_tokens=50, stream=True)).events[-1]["model"] == MODEL


async def test_one_request_a_second_sixty_a_minute_and_250_an_hour(client: Client) -> None:
    assert (await client.ask("llm7", MODEL, max_tokens=1)).status == 200
    assert (await client.ask("llm7", MODEL, max_tokens=1)).status == 429
    client.simulation.clock.advance(3_600)
    for number in range(250):
        if number % 50 == 0:
            client.simulation.clock.advance(60)
        assert (await ask(client, max_tokens=1)).status == 200
    client.simulation.clock.advance(60)
    assert (await ask(client, max_tokens=1)).json["error"]["code"] == "rate_limit_exceeded"
    client.keys["llm7"] = "another"
    assert (await ask(client, max_tokens=1)).status == 200


@pytest.mark.parametrize(
    ("model", "more", "status", "code"),
    [
        ("gpt-oss-20b", {}, 400, "model_unavailable"),
        ("nothing", {}, 400, "model_unavailable"),
        ("GLM-4.6V-Flash", {}, 402, None),
        (MODEL, {"logit_bias": {"1": 1}}, 400, None),
        (MODEL, {"response_format": {"type": "json_object"}}, 400, None),
        (MODEL, {"messages": []}, 400, None),
    ],
)
async def test_refusals_are_llm7_s(
    client: Client, model: str, more: Any, status: int, code: str | None
) -> None:
    got = await ask(client, model, **more)
    assert (got.status, got.json["error"]["code"]) == (status, code)


async def test_some_models_are_answered_for_by_another(client: Client) -> None:
    whole = await ask(client, "qwen3-235b", max_tokens=20)
    streamed = await ask(client, "qwen3-235b", max_tokens=20, stream=True)
    assert {whole.json["model"], *(chunk["model"] for chunk in streamed.events)} == {"gemini-2.5-flash-lite"}


async def test_a_wrong_token_is_refused_and_the_list_is_public(client: Client) -> None:
    client.keys["llm7"] = "bad-token"
    assert (await ask(client)).json["error"]["message"] == "Missing API key."
    client.keys["llm7"] = ""
    listed = (await client.path("llm7", "/models", method="GET")).json["data"]
    assert (listed[0]["id"], listed[0]["tier"], listed[0]["tools_calling"]) == (MODEL, "turbo", True)
