from typing import Any

import pytest

from freellm_simulator import Simulation
from freellm_simulator.testing import NOON_UTC, WEATHER, Client

TOOL = {"type": "function", "function": WEATHER}
LLAMA = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
ACCOUNT = "0123456789abcdef0123456789abcdef"


def error(got: Any) -> tuple[int, int]:
    assert got.json["success"] is False
    assert got.json["result"] is None
    return got.status, got.json["errors"][0]["code"]


async def test_a_whole_answer_and_a_stream_say_the_same(client: Client) -> None:
    whole = await client.cloudflare("What is jazz?", max_tokens=300)
    stream = await client.cloudflare("What is jazz?", max_tokens=300, stream=True)
    content = whole.json["choices"][0]["message"]["content"]
    assert content.startswith("[simulated by cloudflare/@cf/openai/gpt-oss-120b] ")
    *deltas, last = stream.events
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in deltas) == content
    assert deltas[-1]["choices"][0]["finish_reason"] == "stop"
    assert last["choices"] == []
    assert last["usage"] == whole.json["usage"]
    assert stream.text.endswith("data: [DONE]\n\n")


async def test_without_max_tokens_the_answer_is_cut_at_the_service_s_small_default(client: Client) -> None:
    got = await client.cloudflare("Write a long story")
    assert got.json["choices"][0]["finish_reason"] == "length"
    assert got.json["usage"]["completion_tokens"] == 256


async def test_llama_s_arguments_are_objects_without_an_id_others_come_in_pieces(client: Client) -> None:
    odd = await client.cloudflare("Weather in Paris?", LLAMA, tools=[TOOL], max_tokens=300)
    call = odd.json["choices"][0]["message"]["tool_calls"][0]
    assert call["function"]["arguments"] == {"city": "Paris", "unit": "celsius"}
    assert "id" not in call
    plain = await client.cloudflare("Weather in Paris?", tools=[TOOL], max_tokens=300, stream=True)
    deltas = [d for chunk in plain.events[:-1] for d in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert deltas[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert "".join(d["function"]["arguments"] for d in deltas) == '{"city":"Paris","unit":"celsius"}'
    assert {d["index"] for d in deltas} == {0}


async def test_a_schema_is_kept_to_where_the_model_can_and_may_come_as_an_object(client: Client) -> None:
    form = {
        "type": "json_schema",
        "json_schema": {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    text = await client.cloudflare(response_format=form, max_tokens=300)
    value = await client.cloudflare(model="@cf/zai-org/glm-4.7-flash", response_format=form, max_tokens=300)
    cannot = await client.cloudflare(model=LLAMA, response_format=form, max_tokens=300)
    assert text.json["choices"][0]["message"]["content"] == '{"n":1}'
    assert value.json["choices"][0]["message"]["content"] == {"n": 1}
    assert error(cannot) == (400, 5025)


async def test_reasoning_models_think_in_tags_or_in_a_field(client: Client) -> None:
    tags = await client.cloudflare(model="@cf/qwen/qwq-32b", max_tokens=300)
    field = await client.cloudflare(reasoning_effort="low", max_tokens=300)
    assert tags.json["choices"][0]["message"]["content"].startswith("<think>\n")
    assert field.json["choices"][0]["message"]["reasoning_content"]


async def test_neurons_end_the_day_for_the_whole_account_until_midnight_utc(client: Client) -> None:
    r1, spent = "@cf/deepseek-ai/deepseek-r1-distill-qwen-32b", 0.0
    while (
        got := await client.cloudflare("Write 5,000 words about the sea", r1, max_tokens=8000)
    ).status == 200:
        assert spent < 10_000
        usage = got.json["usage"]
        spent += (usage["prompt_tokens"] * 45_170 + usage["completion_tokens"] * 443_756) / 1_000_000
    assert spent >= 10_000
    assert error(got) == (429, 3036)
    assert "10,000 neurons" in got.json["errors"][0]["message"]
    assert error(await client.cloudflare(max_tokens=5)) == (429, 3036)
    client.keys["account"] = "f" * 32
    assert (await client.cloudflare(max_tokens=5)).status == 200
    del client.keys["account"]
    client.simulation.clock.advance(12 * 3600 - 1)
    assert error(await client.cloudflare(max_tokens=5)) == (429, 3036)
    client.simulation.clock.advance(1)
    assert client.simulation.clock.now() == NOON_UTC + 12 * 3600
    assert (await client.cloudflare(max_tokens=5)).status == 200


async def test_three_hundred_requests_a_minute_are_shared_by_all_models(client: Client) -> None:
    for number in range(300):
        model = ("@cf/meta/llama-3.2-1b-instruct", "@cf/ibm-granite/granite-4.0-h-micro")[number % 2]
        assert (await client.cloudflare(model=model, max_tokens=1)).status == 200
    refused = await client.cloudflare(max_tokens=1)
    assert refused.status == 429
    assert "rate limited" in refused.json["errors"][0]["message"]
    client.simulation.clock.advance(60)
    assert (await client.cloudflare(max_tokens=1)).status == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"model": "@cf/nobody/nothing"}, (400, 5007)),
        ({"model": "@cf/moonshotai/kimi-k2.5"}, (400, 5007)),
        ({"model": "@cf/zai-org/glm-5.2"}, (403, 5018)),
        ({"model": "@cf/meta/llama-3.2-11b-vision-instruct"}, (403, 5016)),
        ({"content": None}, (400, 5006)),
        ({"content": [{"type": "text", "text": "hi"}]}, (400, 5006)),
        ({"logprobs": True}, (400, 5006)),
        ({"model": LLAMA, "reasoning_effort": "low"}, (400, 5006)),
        ({"model": LLAMA, "max_tokens": 24_000}, (413, 5021)),
    ],
)
async def test_refusals_carry_cloudflare_s_codes(
    client: Client, body: Any, expected: tuple[int, int]
) -> None:
    assert error(await client.cloudflare(**{"max_tokens": 10, **body})) == expected


async def test_a_licence_is_accepted_once_for_the_account(client: Client) -> None:
    model = "@cf/meta/llama-3.2-11b-vision-instruct"
    assert error(await client.cloudflare(model=model)) == (403, 5016)
    assert (await client.cloudflare("agree", model)).status == 200
    assert (await client.cloudflare(model=model)).status == 200
    client.keys["account"] = "f" * 32
    assert error(await client.cloudflare(model=model)) == (403, 5016)


async def test_tokens_are_verified_where_they_belong(client: Client) -> None:
    async def verify(path: str) -> Any:
        return await client.cloudflare_path(path, method="GET")

    user, account = "/user/tokens/verify", f"/accounts/{ACCOUNT}/tokens/verify"
    assert (await verify(user)).json["result"]["status"] == "active"
    client.keys["cloudflare"] = "cfat_token"
    assert error(await verify(user)) == (401, 1000)
    assert (await verify(account)).json["result"]["status"] == "active"
    client.keys["cloudflare"] = "bad-token"
    assert error(await verify(account)) == (401, 1000)
    assert error(await client.cloudflare()) == (401, 10000)
    client.keys.update(cloudflare="good", account="mine")
    assert error(await client.cloudflare()) == (404, 7003)


async def test_models_can_be_searched(client: Client) -> None:
    got = await client.cloudflare_path(f"/accounts/{ACCOUNT}/ai/models/search", method="GET")
    assert "@cf/openai/gpt-oss-20b" in [model["name"] for model in got.json["result"]]
    assert error(await client.cloudflare_path("/nowhere", method="GET")) == (404, 7000)


async def embed(client: Client, given: Any, model: str = "@cf/baai/bge-m3", **more: Any) -> Any:
    path = "/accounts/0123456789abcdef0123456789abcdef/ai/v1/embeddings"
    return await client.cloudflare_path(path, {"model": model, "input": given, **more})


async def test_embeddings_are_openais_and_cost_neurons(client: Client, simulation: Simulation) -> None:
    got = await embed(client, ["one text", "another", "one text"])
    rows, tokens = got.json["data"], got.json["usage"]["prompt_tokens"]
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert rows[0]["embedding"] == rows[2]["embedding"] != rows[1]["embedding"]
    spent = {row["unit"]: row["used"] for row in simulation.state()["quotas"]}
    assert spent == {"requests": 1, "neurons": pytest.approx(tokens * 1075 / 1_000_000)}


@pytest.mark.parametrize(
    ("given", "more", "status", "code"),
    [
        ([1, 2], {}, 400, 5006),
        ([], {}, 400, 5006),
        (["a", ""], {}, 400, 5006),
        (["a"] * 101, {}, 400, 5006),
        ("a", {"dimensions": 512}, 400, 5006),
        ("word " * 8_200, {}, 413, 5021),
    ],
)
async def test_embeddings_the_service_does_not_make_are_refused(
    client: Client, given: Any, more: dict[str, Any], status: int, code: int
) -> None:
    got = await embed(client, given, **more)
    assert (got.status, got.json["errors"][0]["code"]) == (status, code)


async def test_models_are_listed_with_their_task(client: Client) -> None:
    path = "/accounts/0123456789abcdef0123456789abcdef/ai/models/search"
    rows = (await client.cloudflare_path(path, method="GET")).json["result"]
    tasks = {row["name"]: row["task"]["name"] for row in rows}
    assert tasks["@cf/baai/bge-m3"] == "Text Embeddings"
    assert tasks["@cf/openai/gpt-oss-120b"] == "Text Generation"
