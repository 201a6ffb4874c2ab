from typing import Any

from freellm_simulator.testing import Client, Got

SUPER, OMNI = "nvidia/nemotron-3-super-120b-a12b:free", "nvidia/nemotron-3-nano-omni-30b-a3b-reasoning:free"


async def ask(client: Client, model: str = SUPER, **more: Any) -> Got:
    body = {"model": model, "messages": [{"role": "user", "content": "What is jazz?"}], **more}
    return await client.path("kilo", "/gateway/chat/completions", body)


async def test_a_free_model_answers_without_a_key_and_with_any(client: Client) -> None:
    for key in ("", "eyJ-good", "bad-key"):
        client.keys["kilo"] = key
        whole = await ask(client, max_tokens=200)
        assert whole.json["choices"][0]["message"]["content"].startswith(f"[simulated by kilo/{SUPER}] ")
        assert len((await ask(client, max_tokens=200, stream=True)).events) > 2


async def test_an_address_has_200_requests_an_hour_whatever_its_keys(client: Client) -> None:
    for number in range(200):
        client.keys["kilo"] = ("", "eyJ-one", "eyJ-two")[number % 3]
        assert (await ask(client, (SUPER, OMNI)[number % 2], max_tokens=1)).status == 200
    refused = await ask(client, max_tokens=1)
    assert (refused.status, refused.json["error"]) == (429, "Rate limit exceeded")
    assert "retry-after" not in refused.headers
    client.simulation.clock.advance(3_600)
    assert (await ask(client, max_tokens=1)).status == 200


async def test_refusals_are_kilo_s(client: Client) -> None:
    paid = await ask(client, "anthropic/claude-sonnet-4.5")
    assert (paid.status, paid.json["error"]["code"]) == (401, "PAID_MODEL_AUTH_REQUIRED")
    for gone in ("poolside/laguna-m.1:free", "nobody/nothing:free"):
        assert (await ask(client, gone)).status == 404
    json_mode = await ask(client, response_format={"type": "json_object"})
    assert (json_mode.status, json_mode.json["error"]["message"]) == (400, "Provider returned error")
    assert (await ask(client, stranger=1)).status == 200
    client.simulation.fail("kilo", "forbidden")
    assert (await ask(client)).json["error"]["code"] == "PAID_MODEL_AUTH_REQUIRED"


async def test_only_the_profile_tells_keys_apart(client: Client) -> None:
    client.keys["kilo"] = "bad-key"
    assert (await client.path("kilo", "/gateway/models", method="GET")).status == 200
    assert (await client.path("kilo", "/profile", method="GET")).status == 401
    client.keys["kilo"] = ""
    assert (await client.path("kilo", "/profile", method="GET")).status == 401
    client.keys["kilo"] = "eyJ-good"
    assert (await client.path("kilo", "/profile", method="GET")).json["user"]["name"] == "Simulated"
