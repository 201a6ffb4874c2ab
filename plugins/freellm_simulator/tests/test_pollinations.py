from typing import Any

from freellm_simulator.testing import Client, Got


async def ask(client: Client, model: str = "openai-fast", content: str = "What is jazz?", **more: Any) -> Got:
    body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
    return await client.path("pollinations", "/v1/chat/completions", body)


async def test_a_whole_answer_and_a_stream_say_the_same(client: Client) -> None:
    whole = await ask(client, max_tokens=300)
    streamed = await ask(client, max_tokens=300, stream=True)
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in streamed.events)
    message = whole.json["choices"][0]["message"]
    assert (text, bool(message["reasoning_content"])) == (message["content"], True)


async def test_pollen_is_there_again_at_the_full_hour(client: Client) -> None:
    client.simulation.clock.advance(1_800)
    while (
        got := await ask(client, content="Write 5,000 words about the sea", max_tokens=8_000)
    ).status == 200:
        assert got.json["usage"]["completion_tokens"] > 1_000
    assert (got.status, got.json["error"]["code"], got.json["status"]) == (402, "PAYMENT_REQUIRED", 402)
    client.simulation.clock.advance(1_700)
    assert (await ask(client)).status == 402
    client.simulation.clock.advance(100)
    assert (await ask(client)).status == 200


async def test_refusals_are_pollinations(client: Client) -> None:
    gone = await ask(client, "nothing")
    assert (gone.status, gone.json["success"], gone.json["error"]["code"]) == (400, False, "BAD_REQUEST")
    client.simulation.fail("pollinations", "forbidden")
    assert (await ask(client)).json["error"]["code"] == "FORBIDDEN"
    client.keys["pollinations"] = "bad-key"
    assert (await ask(client)).json["error"]["code"] == "UNAUTHORIZED"


async def test_anybody_may_list_models_and_only_a_good_key_has_a_page(client: Client) -> None:
    client.keys["pollinations"] = "bad-key"
    assert (await client.path("pollinations", "/v1/models", method="GET")).status == 200
    assert (await client.path("pollinations", "/account/key", method="GET")).status == 401
    client.keys["pollinations"] = "sk_good"
    assert (await client.path("pollinations", "/account/key", method="GET")).json["valid"] is True
