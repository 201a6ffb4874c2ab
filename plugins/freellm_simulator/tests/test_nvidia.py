from typing import Any

import pytest

from freellm_simulator.testing import WEATHER, Client

TOOL = {"type": "function", "function": WEATHER}
NEMOTRON, LLAMA = "nvidia/nemotron-3-super-120b-a12b", "meta/llama-3.1-70b-instruct"
EMBEDDER = "nvidia/llama-nemotron-embed-vl-1b-v2"


async def ask(client: Client, content: Any = "Hello there", model: str = NEMOTRON, **more: Any) -> Any:
    return await client.ask("nvidia", model, content, **{"max_tokens": 300, **more})


async def test_all_models_share_forty_requests_a_minute_and_nothing_tells_the_wait(client: Client) -> None:
    for at in range(40):
        assert (await ask(client, model=(NEMOTRON, LLAMA)[at % 2], max_tokens=5)).status == 200
    got = await ask(client, model="openai/gpt-oss-20b")
    assert (got.status, got.json) == (429, {"status": 429, "title": "Too Many Requests"})
    assert not [name for name in got.headers if name.startswith("x-ratelimit") or name == "retry-after"]
    client.simulation.clock.advance(61)
    assert (await ask(client)).status == 200


async def test_llama_makes_and_takes_one_call_at_once(client: Client) -> None:
    question = "Weather in Paris and Tokyo?"
    refused = await ask(client, question, LLAMA, tools=[TOOL])
    one = await ask(client, question, LLAMA, tools=[TOOL], parallel_tool_calls=False)
    both = await ask(client, question, tools=[TOOL])
    assert (refused.status, refused.json["message"]) == (
        400,
        "This model only supports single tool-calls at once!",
    )
    assert len(one.json["choices"][0]["message"]["tool_calls"]) == 1
    calls = both.json["choices"][0]["message"]["tool_calls"]
    assert len(calls) == 2
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in calls]
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *results,
    ]
    body = {"messages": messages, "tools": [TOOL], "parallel_tool_calls": False}
    assert (await ask(client, model=LLAMA, **body)).status == 400
    assert (await ask(client, **body)).status == 200


async def test_refusals_have_the_shape_of_whoever_refuses(client: Client) -> None:
    client.simulation.fail("nvidia", "forbidden")
    client.simulation.fail("nvidia", "overloaded")
    account, degraded = await ask(client), await ask(client)
    unknown, gone = await ask(client, model="gpt-5"), await ask(client, model="openai/gpt-oss-120b")
    assert (account.status, degraded.status, unknown.status, gone.status) == (404, 400, 404, 410)
    assert "Not found for account" in account.json["detail"]
    assert "DEGRADED" in degraded.json["detail"]
    assert unknown.text == "404 page not found"
    assert "end of life" in gone.json["detail"]


async def test_a_key_is_asked_for_before_anything_else_but_not_for_the_list(client: Client) -> None:
    client.keys["nvidia"] = "bad-1"
    wrong = await ask(client, messages=[])
    assert (wrong.status, wrong.json["detail"]) == (403, "Authorization failed")
    url = client.simulation.base_urls["nvidia"]
    missing = await client.send("POST", f"{url}/chat/completions", {"model": NEMOTRON, "messages": []})
    assert missing.status == 401
    client.keys["nvidia"] = "nvapi-good"
    assert (await ask(client, messages=[])).status == 400
    assert len((await client.send("GET", f"{url}/models")).json["data"]) > 20


async def test_embeddings_are_of_questions_or_of_passages(client: Client) -> None:
    async def embed(**more: Any) -> Any:
        return await client.path(
            "nvidia", "/embeddings", {"model": EMBEDDER, "input": ["one", "two"], **more}
        )

    made = await embed(input_type="passage", truncate="END")
    assert [len(row["embedding"]) for row in made.json["data"]] == [2048, 2048]
    assert (await embed()).json["param"] == "input_type"
    assert (await ask(client, model=EMBEDDER)).status == 400
    wrong = await client.path("nvidia", "/embeddings", {"model": NEMOTRON, "input": "one"})
    assert wrong.status == 400
    client.simulation.fail("nvidia", "rate_limit_minute", on="embeddings")
    assert (await embed(input_type="query")).status == 429


@pytest.mark.parametrize("name", ["top_k", "logprobs", "metadata"])
async def test_what_no_server_takes_is_refused(client: Client, name: str) -> None:
    assert (await ask(client, **{name: 1})).json["param"] == name
