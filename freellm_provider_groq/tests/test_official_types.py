"""Groq's own SDK types accept what we send, and what we say the service answers."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

CASES = [
    json.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
]
BODIES = [case["upstream"]["body"] for case in CASES if "upstream" in case]


@pytest.fixture(scope="module")
def types() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the SDK's import warns of says nothing about our bodies
        from groq.types import chat

    return chat


def test_the_official_types_accept_every_request_of_the_cases(types: Any) -> None:
    known = types.completion_create_params
    assert len(BODIES) >= 10
    for body in BODIES:
        # The SDK adds `stream` by overloads and has no type for stream_options, which the service takes.
        assert body.keys() - {"stream_options"} <= known.CompletionCreateParams.__annotations__.keys()
        TypeAdapter(list[types.ChatCompletionMessageParam]).validate_python(body["messages"])
        TypeAdapter(list[types.ChatCompletionToolParam]).validate_python(body.get("tools", []))
        if "response_format" in body:
            TypeAdapter(known.ResponseFormat).validate_python(body["response_format"], extra="forbid")


def test_the_official_types_accept_the_answers_of_the_cases(types: Any) -> None:
    whole = [case["answer"]["body"] for case in CASES if "completion" in case]
    chunks = [event["data"] for case in CASES for event in case.get("events", ())]
    assert len(whole) >= 4
    assert len(chunks) > 10
    for body in whole:
        types.ChatCompletion.model_validate(body)
    for chunk in chunks:
        if "error" not in chunk:
            types.ChatCompletionChunk.model_validate(chunk)
