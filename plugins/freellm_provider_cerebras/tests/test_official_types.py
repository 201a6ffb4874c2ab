"""Cerebras' own SDK types accept what we send, and what we say the service answers."""

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
        from cerebras.cloud.sdk.types import chat

    return chat


def test_the_official_types_accept_every_request_of_the_cases(types: Any) -> None:
    known = types.completion_create_params.CompletionCreateParams
    adapter: TypeAdapter[Any] = TypeAdapter(known)
    assert len(BODIES) > 15
    for body in BODIES:
        read = adapter.validate_python(body, extra="forbid")
        for lazily_read in ("messages", "tools"):
            assert len(list(read.get(lazily_read, ()))) == len(body.get(lazily_read, ()))


def test_the_official_types_refuse_what_is_dropped(types: Any) -> None:
    known = types.completion_create_params.CompletionCreateParams.__annotations__
    assert not {"top_k", "min_p", "repetition_penalty", "metadata"} & known.keys()


def test_the_official_types_accept_the_answers_of_the_cases(types: Any) -> None:
    completion = types.chat_completion
    whole = [case["answer"]["body"] for case in CASES if "completion" in case and case["answer"]["body"]]
    chunks = [event["data"] for case in CASES for event in case.get("events", ())]
    assert len(whole) >= 4
    assert len(chunks) > 15
    for body in whole:
        TypeAdapter(completion.ChatCompletion).validate_python(body)
    for chunk in chunks:
        TypeAdapter(completion.ChatCompletion).validate_python(chunk)
    assert "tool_calls" in json.dumps(chunks)
