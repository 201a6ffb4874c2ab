from typing import Any

import pytest

from freellm_simulator.testing import NOON_UTC, WEATHER, Client, Got

TOOL = {"type": "function", "function": WEATHER}
SUPER, OMNI = "nvidia/nemotron-3-super-120b-a12b:free", "nvidia/nemotron-3-nano-omni-30b-a3b-reasoning:free"
LIGHTNING = "nvidia/nemotron-3.5-lightning:free"
IMAGE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]


async def ask(client: Client, model: str = SUPER, content: Any = "What is jazz?", **more: Any) -> Got:
    return await client.ask("openrouter", model, content, **more)


def error(got: Got) -> Any:
    assert got.json["error"]["code"] == got.status
    return got.json["error"]


async def test_a_stream_opens_with_a_comment_and_says_the_same_as_the_whole_answer(client: Client) -> None:
    whole = await ask(client, max_tokens=200)
    streamed = await ask(client, max_tokens=200, stream=True)
    assert streamed.text.startswith(": OPENROUTER PROCESSING\n\ndata: ")
    *chunks, last = streamed.events
    assert all(chunk["choices"][0]["delta"]["role"] == "assistant" for chunk in chunks)
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
    assert text == whole.json["choices"][0]["message"]["content"]
    assert chunks[-1]["choices"][0]["native_finish_reason"] == "stop"
    assert (whole.json["provider"], whole.json["usage"]["cost"], last["choices"]) == ("Simulated", 0, [])


async def test_what_the_gateway_does_not_know_is_ignored(client: Client) -> None:
    got = await ask(
        client, LIGHTNING, transforms=["middle-out"], stranger=1, response_format={"type": "json_object"}
    )
    assert got.status == 200


@pytest.mark.parametrize(
    ("model", "more", "status", "words"),
    [
        (LIGHTNING, {"tools": [TOOL]}, 404, "No endpoints found that support tool use"),
        (SUPER, {"content": IMAGE}, 404, "No endpoints found that support image input"),
        ("openai/gpt-oss-120b:free", {}, 404, "No endpoints found for openai/gpt-oss-120b:free."),
        ("nobody/nothing", {}, 400, "is not a valid model ID"),
        ("nvidia/nemotron-3-super-120b-a12b", {}, 402, "Insufficient credits"),
        ("liquid/lfm-2.5-2.6b:free", {"content": "word " * 70_000}, 400, "length is 64000 tokens"),
    ],
)
async def test_refusals_are_openrouter_s(
    client: Client, model: str, more: dict[str, Any], status: int, words: str
) -> None:
    got = await ask(client, model, **more)
    assert got.status == status
    assert words in error(got)["message"]


async def test_twenty_requests_a_minute_are_shared_by_all_models(client: Client) -> None:
    for number in range(20):
        assert (await ask(client, (SUPER, OMNI)[number % 2], max_tokens=1)).status == 200
    refused = await ask(client, LIGHTNING, max_tokens=1)
    told = error(refused)
    assert "free-models-per-min" in told["message"]
    assert told["metadata"]["headers"] == {
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(NOON_UTC + 60) * 1_000),
    }
    assert refused.headers["retry-after"] == "60"
    client.keys["openrouter"] = "sk-or-other"
    assert (await ask(client, max_tokens=1)).status == 200


async def test_fifty_requests_are_the_day_s_until_midnight_utc(client: Client) -> None:
    for number in range(50):
        if number % 20 == 0:
            client.simulation.clock.advance(60)
        assert (await ask(client, max_tokens=1)).status == 200
    client.simulation.clock.advance(60)
    told = error(await ask(client, OMNI, max_tokens=1))
    assert told["metadata"]["limit_source"] == "openrouter_free_tier_daily"
    assert "free-models-per-day" in told["message"]
    assert told["metadata"]["headers"]["X-RateLimit-Reset"] == str(int(NOON_UTC + 12 * 3_600) * 1_000)
    client.simulation.clock.advance(12 * 3_600)
    assert (await ask(client, max_tokens=1)).status == 200


async def test_anybody_may_list_models_and_a_key_is_shown_to_its_owner_only(client: Client) -> None:
    client.keys["openrouter"] = "bad-key"
    listed = {
        model["id"]: model
        for model in (await client.path("openrouter", "/models", method="GET")).json["data"]
    }
    assert "openrouter/free" in listed
    assert listed[OMNI]["architecture"]["input_modalities"] == ["text", "image"]
    assert listed[SUPER]["pricing"]["prompt"] == "0"
    assert (await client.path("openrouter", "/key", method="GET")).status == 401
    assert (await ask(client)).status == 401
    client.keys["openrouter"] = "sk-or-good"
    told = (await client.path("openrouter", "/key", method="GET")).json["data"]
    assert told["creator_user_id"].startswith("user_")


async def test_vectors_spend_from_the_same_pool(client: Client) -> None:
    body = {"model": "nvidia/llama-nemotron-embed-vl-1b-v2:free", "input": ["one", "two"]}
    got = await client.path("openrouter", "/embeddings", body)
    assert [len(row["embedding"]) for row in got.json["data"]] == [2048, 2048]
    used = {row["window"]: row["used"] for row in client.simulation.state()["quotas"]}
    assert used == {60.0: 1, 86_400.0: 1}


async def test_a_guard_may_answer_in_a_model_s_place(client: Client) -> None:
    client.simulation.fail("openrouter", "guard")
    got = await ask(client, "openrouter/free")
    assert got.json["choices"][0]["message"]["content"] == "safe"
