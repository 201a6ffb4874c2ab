from typing import Any

import pytest

from freellm_simulator.testing import Client

LLAMA, DEEPSEEK = "Meta-Llama-3.3-70B-Instruct", "DeepSeek-V3.1"


async def ask(client: Client, content: Any = "Hello there", model: str = LLAMA, **more: Any) -> Any:
    return await client.ask("sambanova", model, content, **{"max_tokens": 300, **more})


async def test_a_day_has_twenty_requests_of_a_model_and_the_headers_count_them(client: Client) -> None:
    first = await ask(client)
    assert first.headers["x-ratelimit-remaining-requests-day"] == "19"
    assert first.headers["x-ratelimit-limit-requests"] == "20"
    for _ in range(19):
        client.simulation.clock.advance(4)
        assert (await ask(client)).status == 200
    client.simulation.clock.advance(60)
    got = await ask(client)
    assert got.status == 429
    assert "Violated duration_s: 86400, current usage: 20, limit: 20" in got.json["error"]["message"]
    assert got.headers["x-ratelimit-remaining-requests-day"] == "0"
    assert (await ask(client, model=DEEPSEEK)).status == 200


async def test_an_account_without_a_payment_method_is_refused_and_anyone_may_list_models(
    client: Client,
) -> None:
    client.keys["sambanova"] = "unpaid-1"
    unpaid = await ask(client)
    assert (unpaid.status, unpaid.json["error"]["code"]) == (402, "PAYMENT_METHOD_REQUIRED")
    client.keys["sambanova"] = "bad-1"
    assert (await ask(client)).json["error"]["code"] == "invalid_authentication"
    listed = await client.path("sambanova", "/models", method="GET")
    assert LLAMA in [model["id"] for model in listed.json["data"]]


async def test_deepseek_s_reasoning_is_a_switch_and_comes_in_tags(client: Client) -> None:
    on = await ask(client, model=DEEPSEEK, chat_template_kwargs={"enable_thinking": True})
    off = await ask(client, model=DEEPSEEK)
    assert on.json["choices"][0]["message"]["content"].startswith("<think>")
    assert not off.json["choices"][0]["message"]["content"].startswith("<think>")
    assert (await ask(client, model=DEEPSEEK, reasoning_effort="low")).status == 400


@pytest.mark.parametrize(
    ("model", "status"), [("MiniMax-M2.7", 422), ("DeepSeek-V3.1-cb", 410), ("gpt-5", 404)]
)
async def test_models_that_are_not_free_gone_or_unknown_are_told_apart(
    client: Client, model: str, status: int
) -> None:
    assert (await ask(client, model=model)).status == status


async def test_text_is_a_string_and_parameters_are_those_of_the_types(client: Client) -> None:
    assert (await ask(client, [{"type": "text", "text": "Hello"}])).status == 400
    assert (await ask(client, min_p=0.1)).json["error"]["param"] == "min_p"
    assert (await ask(client, messages=[])).json["error"]["param"] == "messages"
