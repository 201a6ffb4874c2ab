import math
from typing import Any

import pytest

from freellm_simulator.testing import WEATHER, Client

GEMINI_3 = "gemini-3-flash-preview"
TOOLS = [{"functionDeclarations": [{**WEATHER, "parameters": {**WEATHER["parameters"], "type": "OBJECT"}}]}]  # type: ignore[dict-item]


A = {"type": "STRING"}


def config(**more: Any) -> dict[str, Any]:
    return {"generationConfig": more}


def texts(events: list[Any]) -> str:
    return "".join(
        part.get("text", "") for event in events for part in event["candidates"][0]["content"]["parts"]
    )


async def test_a_whole_answer_is_a_candidate_with_usage(client: Client) -> None:
    got = await client.google("What is jazz?")
    candidate, usage = got.json["candidates"][0], got.json["usageMetadata"]
    assert candidate["content"]["parts"][0]["text"].startswith("[simulated by google/gemini-2.5-flash] ")
    assert candidate["finishReason"] == "STOP"
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]


async def test_a_stream_is_crlf_framed_cumulative_and_has_no_done(client: Client) -> None:
    whole = await client.google("What is jazz?")
    got = await client.google_stream("What is jazz?")
    assert got.text.endswith("}\r\n\r\n")
    assert "[DONE]" not in got.text
    assert texts(got.events) == whole.json["candidates"][0]["content"]["parts"][0]["text"]
    counts = [event["usageMetadata"]["candidatesTokenCount"] for event in got.events]
    assert counts == sorted(counts)
    assert got.events[-1]["usageMetadata"] == whole.json["usageMetadata"]
    assert [event["candidates"][0].get("finishReason") for event in got.events][-2:] == [None, "STOP"]


async def test_a_stream_without_alt_sse_is_one_json_array(client: Client) -> None:
    got = await client.google_stream("What is jazz?", query="")
    assert got.headers["content-type"].startswith("application/json")
    assert [event["candidates"][0].get("finishReason") for event in got.json][-1] == "STOP"


@pytest.mark.parametrize("model", ["gemini-2.5-flash", GEMINI_3])
async def test_calls_are_whole_and_gemini_3_signs_the_first_one(client: Client, model: str) -> None:
    for got in (
        [(await client.google("Weather in Paris and Tokyo?", model, tools=TOOLS)).json],
        (await client.google_stream("Weather in Paris and Tokyo?", model, tools=TOOLS)).events,
    ):
        parts = got[-1]["candidates"][0]["content"]["parts"]
        assert [part["functionCall"]["args"]["city"] for part in parts] == ["Paris", "Tokyo"]
        assert ["thoughtSignature" in part for part in parts] == [model == GEMINI_3, False]
        assert all(("id" in part["functionCall"]) == (model == GEMINI_3) for part in parts)
        assert got[-1]["candidates"][0]["finishReason"] == "STOP"


def turns(call: Any, asked: str = "Weather in Paris?") -> list[Any]:
    answer = {"functionResponse": {"name": "get_weather", "response": {"output": "sunny"}}}
    return [
        {"role": "user", "parts": [{"text": asked}]},
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [answer]},
    ]


async def answer_to(client: Client, contents: list[Any], model: str = GEMINI_3) -> Any:
    return await client.google_path(
        f"/models/{model}:generateContent", {"contents": contents, "tools": TOOLS}
    )


async def test_a_signature_is_demanded_back_in_the_current_turn(client: Client) -> None:
    got = await client.google("Weather in Paris?", GEMINI_3, tools=TOOLS)
    signed = got.json["candidates"][0]["content"]["parts"][0]
    unsigned = {"functionCall": signed["functionCall"]}

    kept = await answer_to(client, turns(signed))
    lost = await answer_to(client, turns(unsigned))
    stranger = await answer_to(client, turns(signed), "gemini-3.5-flash")
    placeholder = await answer_to(
        client, turns({**unsigned, "thoughtSignature": "skip_thought_signature_validator"})
    )
    damaged = await answer_to(client, turns({**unsigned, "thoughtSignature": "AAAA"}))
    earlier = await answer_to(client, [*turns(unsigned), *turns(signed, "And now?")])
    older_model = await answer_to(client, turns(unsigned), "gemini-2.5-flash")

    assert "get_weather: " in kept.json["candidates"][0]["content"]["parts"][0]["text"]
    assert [got.status for got in (kept, placeholder, earlier, older_model)] == [200] * 4
    assert lost.status == stranger.status == damaged.status == 400
    assert "missing a thought_signature in functionCall parts" in lost.json["error"]["message"]
    assert stranger.json["error"]["message"] == "Thought signature is not valid"


async def test_a_schema_is_kept_to_in_both_fields(client: Client) -> None:
    new = {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}
    old = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}
    for field, schema in (("responseJsonSchema", new), ("responseSchema", old)):
        got = await client.google(**config(responseMimeType="application/json", **{field: schema}))
        assert got.json["candidates"][0]["content"]["parts"][0]["text"] == '{"n":1}'


async def test_names_may_be_in_snake_case_but_what_clients_name_stays(client: Client) -> None:
    schema = {"type": "OBJECT", "properties": {"max_items": {"type": "ARRAY", "items": A, "max_items": 1}}}
    body: Any = {"generation_config": {"response_mime_type": "application/json", "response_schema": schema}}
    camel_case = await client.google(**config(responseMimeType="application/json", responseSchema=schema))
    for got in (await client.google(**body), camel_case):
        assert (
            got.json["candidates"][0]["content"]["parts"][0]["text"]
            == '{"max_items":["simulated max_items 1"]}'
        )


async def test_thoughts_are_parts_of_their_own_and_spend_the_budget(client: Client) -> None:
    thinking = {"thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": True}}
    got = await client.google(**config(**thinking))
    parts = got.json["candidates"][0]["content"]["parts"]
    assert [part.get("thought", False) for part in parts] == [True, False]
    assert got.json["usageMetadata"]["thoughtsTokenCount"] > 0
    spent = await client.google(**config(maxOutputTokens=4, **thinking))
    candidate = spent.json["candidates"][0]
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert [part.get("thought") for part in candidate["content"]["parts"]] == [True]


def schema(**parameters: Any) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "valid role: user, model"),
        ({"contents": [{"role": "user", "parts": []}]}, "parts must not be empty"),
        ({"contents": [{"role": "user", "parts": [{"text": ""}]}]}, "must not be empty"),
        (
            {"contents": [*turns({"functionCall": {"name": "f"}})[:2], {"parts": [{"text": "x"}]}]},
            "number of function",
        ),
        ({"contents": turns({"functionCall": {"name": "f"}})[1:]}, "immediately after a user turn"),
        ({"temperature": 1}, 'Unknown name "temperature": Cannot find field'),
        (config(min_p=1), "Unknown name \"min_p\" at 'generation_config'"),
        (config(thinkingConfig={"thinkingBudget": 1, "thinkingLevel": "low"}), "only one of thinking budget"),
        (config(stopSequences=list("abcdef")), "stop_sequences"),
        (config(candidateCount=2), "Multiple candidates"),
        (config(maxOutputTokens=70_000), "max_output_tokens"),
        ({**config(responseMimeType="application/json"), "tools": TOOLS}, "response mime type"),
        (
            schema(type="OBJECT", properties={"a": A}, additionalProperties=False),
            "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters'",
        ),
        (schema(type="OBJECT", properties={"a": {"type": ["string", "null"]}}), "cannot start list"),
        (schema(type="OBJECT", properties={"a": A}, required=["b"]), "property is not defined: b"),
        (schema(type="OBJECT", properties={"a": {"type": "ARRAY"}}), "items: missing field"),
        (schema(type="OBJECT", properties={}), "should be non-empty"),
        (schema(type="OBJECT", properties={"a": {"enum": [1]}}), "enum"),
    ],
)
async def test_what_gemini_refuses_is_an_invalid_argument(client: Client, body: Any, words: str) -> None:
    got = await client.google(**body)
    assert got.status == 400
    assert got.json["error"]["status"] == "INVALID_ARGUMENT"
    assert words in got.json["error"]["message"]


async def test_a_bad_key_is_a_400_with_its_reason(client: Client) -> None:
    client.keys["google"] = "bad-key"
    for got in (await client.google(), await client.google_path("/models", method="GET")):
        assert got.status == 400
        assert got.json["error"]["status"] == "INVALID_ARGUMENT"
        assert got.json["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    client.keys["google"] = ""
    assert (await client.google()).json["error"]["status"] == "PERMISSION_DENIED"


async def test_requests_a_day_end_at_the_limit_until_midnight_in_california(client: Client) -> None:
    for _ in range(2):
        for _ in range(10):
            assert (await client.google()).status == 200
        client.simulation.clock.advance(60)

    refused = await client.google()

    assert refused.status == 429
    failure, _, retry = refused.json["error"]["details"]
    violation = failure["violations"][0]
    assert violation["quotaId"] == "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    assert violation["quotaValue"] == "20"
    assert violation["quotaDimensions"]["model"] == "gemini-2.5-flash"
    assert float(retry["retryDelay"].removesuffix("s")) < 61  # misleading, as the real one
    # It is 04:02 there; the day ends 19:58 later.
    client.simulation.clock.advance(19 * 3600 + 58 * 60 - 1)
    assert (await client.google()).status == 429
    client.simulation.clock.advance(1)
    assert (await client.google()).status == 200


async def test_requests_a_minute_state_an_honest_delay(client: Client) -> None:
    for _ in range(10):
        await client.google()
    client.simulation.clock.advance(12.5)
    got = await client.google()
    assert got.json["error"]["details"][0]["violations"][0]["quotaId"].startswith("GenerateRequestsPerMinute")
    assert got.json["error"]["details"][2]["retryDelay"] == "48s"
    assert "Please retry in 47.5s." in got.json["error"]["message"]
    client.simulation.clock.advance(47.5)
    assert (await client.google()).status == 200


async def test_only_the_prompt_counts_against_tokens_a_minute(client: Client) -> None:
    long = "word " * 100_000
    assert (await client.google(long)).status == 200
    assert (await client.google(long)).status == 200
    got = await client.google(long)
    violation = got.json["error"]["details"][0]["violations"][0]
    assert violation["quotaId"] == "GenerateContentInputTokensPerModelPerMinute-FreeTier"
    assert violation["quotaValue"] == "250000"


async def test_a_paid_model_has_a_limit_of_zero_and_a_retired_one_is_not_found(client: Client) -> None:
    paid = await client.google(model="gemini-3.1-pro-preview")
    gone = await client.google(model="gemini-2.0-flash")
    assert paid.status == 429
    assert "limit: 0," in paid.json["error"]["message"]
    assert gone.status == 404
    assert "models/gemini-2.0-flash is not found for API version v1beta" in gone.json["error"]["message"]


async def test_too_long_a_prompt_names_both_figures(client: Client) -> None:
    got = await client.google("," * 262_144, "gemma-4-31b-it")
    assert got.status == 400
    assert "exceeds the maximum number of tokens allowed (262144)" in got.json["error"]["message"]


async def test_models_are_listed_and_tokens_counted(client: Client) -> None:
    listed = (await client.google_path("/models?pageSize=1000", method="GET")).json["models"]
    assert "models/gemini-2.5-flash" in [model["name"] for model in listed]
    assert (await client.google_path("/models/gemini-2.5-flash", method="GET")).json in listed
    contents = {"contents": [{"parts": [{"text": "one two three"}]}]}
    counted = await client.google_path("/models/gemini-2.5-flash:countTokens", contents)
    whole = await client.google("one two three")
    assert counted.json["totalTokens"] == whole.json["usageMetadata"]["promptTokenCount"]


EMBEDDER = "gemini-embedding-001"


def embed_request(text: str, model: str = EMBEDDER, **more: Any) -> dict[str, Any]:
    return {"model": f"models/{model}", "content": {"parts": [{"text": text}]}, **more}


async def embed(client: Client, texts: list[str], model: str = EMBEDDER, **more: Any) -> Any:
    body = {"requests": [embed_request(text, model, **more) for text in texts]}
    return await client.google_path(f"/models/{model}:batchEmbedContents", body)


async def test_a_batch_and_a_single_text_have_the_same_vector(client: Client) -> None:
    batch = (await embed(client, ["one text", "another"])).json["embeddings"]
    single = await client.google_path(f"/models/{EMBEDDER}:embedContent", embed_request("one text"))
    assert single.json == {"embedding": batch[0]}
    assert batch[0] != batch[1]
    assert math.hypot(*batch[0]["values"]) == pytest.approx(1)


async def test_the_first_model_leaves_a_shorter_vector_cut_and_the_second_does_not(client: Client) -> None:
    for model, whole in ((EMBEDDER, False), ("gemini-embedding-2", True)):
        got = await embed(client, ["one text about jazz"], model, outputDimensionality=768)
        values = got.json["embeddings"][0]["values"]
        assert len(values) == 768
        assert (math.hypot(*values) == pytest.approx(1)) is whole
        assert ("usageMetadata" in got.json) is whole


@pytest.mark.parametrize(
    ("texts", "more", "words"),
    [
        ([], {}, "requests is not specified"),
        (["a"] * 101, {}, "at most 100 requests can be in one batch"),
        (["a", ""], {}, "must not be empty"),
        (["a"], {"outputDimensionality": 100}, "from 128 to 3072"),
        (["a"], {"outputDimensionality": 4096}, "from 128 to 3072"),
        (["a"], {"taskType": "QUERY"}, "task_type"),
        (["a"], {"user": "u"}, 'Unknown name "user"'),
        (["word " * 2_100], {}, "exceeds the maximum number of tokens"),
    ],
)
async def test_embeddings_the_service_does_not_make_are_refused(
    client: Client, texts: list[str], more: dict[str, Any], words: str
) -> None:
    got = await embed(client, texts, **more)
    assert got.status == 400
    assert words in got.json["error"]["message"]


async def test_a_batch_is_of_one_model(client: Client) -> None:
    body = {"requests": [embed_request("a", "another")]}
    got = await client.google_path(f"/models/{EMBEDDER}:batchEmbedContents", body)
    assert "the model must be" in got.json["error"]["message"]


async def test_each_text_of_a_batch_counts_as_a_request(client: Client) -> None:
    assert (await embed(client, ["a"] * 60)).status == 200
    got = await embed(client, ["a"] * 41)
    (violation,) = got.json["error"]["details"][0]["violations"]
    assert got.status == 429
    assert violation["quotaId"].startswith("EmbedContentRequestsPerMinute")
    assert "embed_content_free_tier_requests, limit: 100" in got.json["error"]["message"]
    assert (await embed(client, ["a"] * 40)).status == 200


async def test_what_makes_embeddings_is_listed_as_such_and_does_not_chat(client: Client) -> None:
    rows = (await client.google_path("/models", method="GET")).json["models"]
    methods = {row["name"]: row["supportedGenerationMethods"] for row in rows}
    assert "embedContent" in methods[f"models/{EMBEDDER}"]
    assert "embedContent" not in methods["models/gemini-2.5-flash"]
    assert (await client.google("Hi", EMBEDDER)).status == 400
    assert (await embed(client, ["a"], "gemini-2.5-flash")).status == 400
