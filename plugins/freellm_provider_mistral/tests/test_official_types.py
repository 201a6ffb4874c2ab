"""Mistral's own SDK types keep every member of the bodies we send, and read the answers of the cases."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

CASES = [
    json.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
]
SENT = [case for case in CASES if "body" in case.get("upstream", {})]
CHAT = [case["upstream"]["body"] for case in SENT if "embedding_request" not in case]
EMBEDDINGS = [case["upstream"]["body"] for case in SENT if "embedding_request" in case]


@pytest.fixture(scope="module")
def models() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK is not warning-free while it is imported
        from mistralai.client import models

    return models


def kept(model: Any, body: dict[str, Any]) -> Any:
    """Return what is left of a body after the SDK has read it: members that it does not know are lost."""
    return json.loads(model.model_validate(body).model_dump_json(by_alias=True, exclude_unset=True))


def test_the_official_types_know_every_member_of_every_request(models: Any) -> None:
    assert len(CHAT) > 20
    for body in CHAT:
        streamed = body.get("stream", False)
        model = models.ChatCompletionStreamRequest if streamed else models.ChatCompletionRequest
        assert kept(model, body) == body


def test_the_official_types_know_every_member_of_an_embeddings_request(models: Any) -> None:
    assert len(EMBEDDINGS) > 1
    for body in EMBEDDINGS:
        assert kept(models.EmbeddingRequest, body) == body


def test_the_answers_of_the_cases_are_real_ones(models: Any) -> None:
    answers = [
        body
        for case in CASES
        if "choices" in (body := case.get("answer", {}).get("body") or {}) and "completion" in case
    ]
    chunks = [
        event["data"] for case in CASES for event in case.get("events", ()) if "choices" in event["data"]
    ]
    assert len(answers) > 4
    assert len(chunks) > 10
    for answer in answers:
        models.ChatCompletionResponse.model_validate(answer)
    for chunk in chunks:
        models.CompletionChunk.model_validate(chunk)
