"""Cohere's own SDK knows what we send to Cohere's own endpoints, and the answers of the cases."""

import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from freellm import Key, Secret
from freellm_provider_cohere import provider

CASES = [
    json.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
]
SENT = [case for case in CASES if "body" in case.get("upstream", {})]
CHAT = [case["upstream"]["body"] for case in SENT if "embedding_request" not in case]
EMBEDDINGS = [case["upstream"]["body"] for case in SENT if "embedding_request" in case]


@pytest.fixture(scope="module")
def cohere() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK is not warning-free while it is imported
        import cohere

    return cohere


def test_the_sdk_can_say_every_embeddings_request(cohere: Any) -> None:
    known = inspect.signature(cohere.ClientV2.embed).parameters
    assert len(EMBEDDINGS) > 1
    for body in EMBEDDINGS:
        assert body.keys() <= known.keys()
        assert body["input_type"] in str(cohere.EmbedInputType)


def test_the_official_types_read_the_answers_of_the_cases(cohere: Any) -> None:
    for case in CASES:
        body = case.get("answer", {}).get("body")
        if "embedding_list" in case:
            read = cohere.EmbedByTypeResponse.model_validate(body)
            assert len(read.embeddings.float_) == 2
        if "listed" in case:
            read = cohere.ListModelsResponse.model_validate(body)
            assert [model.name for model in read.models] == [listed["id"] for listed in case["listed"]]


def test_the_official_types_know_every_member_of_messages_and_tools(cohere: Any) -> None:
    messages = {
        "user": cohere.UserChatMessageV2,
        "assistant": cohere.AssistantChatMessageV2,
        "system": cohere.SystemChatMessageV2,
        "tool": cohere.ToolChatMessageV2,
    }
    assert len(CHAT) > 10
    for body in CHAT:
        for message in body["messages"]:
            assert message.keys() <= messages[message["role"]].model_fields.keys()
            messages[message["role"]].model_validate(message)
        for tool in body.get("tools", ()):
            assert tool.keys() <= cohere.ToolV2.model_fields.keys()
            assert tool["function"].keys() <= cohere.ToolV2Function.model_fields.keys()


def test_the_key_is_checked_where_the_sdk_checks_it() -> None:
    key = Key(id="1", account="1", fields={"token": Secret("t")}, base_url="https://lab.test")
    (probe,) = provider.check_key(key)
    assert (probe.method, probe.path) == ("POST", "/v1/check-api-key")
