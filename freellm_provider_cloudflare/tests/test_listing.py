"""Cloudflare's search of models."""

from typing import Any

import pytest

from freellm import Answer, Key, ListedModel, Secret
from freellm_provider_cloudflare import provider


def page(*rows: object, **info: object) -> Answer:
    body: dict[str, Any] = {"result": list(rows), "success": True, "errors": [], "messages": []}
    return Answer(200, {}, {**body, "result_info": info} if info else body)


GPT_OSS = {
    "id": "f9f2250b-1048-4a52-9910-d0bf976616a1",
    "name": "@cf/openai/gpt-oss-120b",
    "task": {"id": "c329a1f9-323d-4e91-b2aa-582dd4188d34", "name": "Text Generation"},
    "properties": [
        {"property_id": "context_window", "value": "128000"},
        {"property_id": "function_calling", "value": "true"},
        {"property_id": "price", "value": [{"unit": "per M input tokens", "price": 0.35, "currency": "USD"}]},
    ],
}


def test_the_account_s_models_are_asked_for_on_one_page() -> None:
    fields = {"account_id": Secret("a" * 32), "token": Secret("t")}
    (upstream,) = provider.list_models(Key(id="k", account="a", fields=fields, base_url=""))
    assert upstream.path == f"/accounts/{'a' * 32}/ai/models/search?per_page=1000"
    assert upstream.headers["authorization"] == "Bearer t"


def test_what_the_list_says_is_read_and_a_price_is_not_what_is_paid() -> None:
    listed = provider.read_models(
        page(
            GPT_OSS,
            {"name": "@cf/baai/bge-m3", "task": {"name": "Text Embeddings"}, "properties": []},
            {"name": "@cf/openai/whisper", "task": {"name": "Automatic Speech Recognition"}},
            {"name": "@cf/odd/one", "properties": [{"property_id": "context_window", "value": "many"}]},
            count=4,
            total_count=4,
        )
    )
    assert listed == (
        ListedModel(
            id="@cf/openai/gpt-oss-120b",
            task="chat",
            context=128_000,
            abilities=frozenset({"system", "tools"}),
        ),
        ListedModel(id="@cf/baai/bge-m3", task="embeddings"),
        ListedModel(id="@cf/openai/whisper", task="other"),
        ListedModel(id="@cf/odd/one"),
    )


@pytest.mark.parametrize(
    "answer",
    [
        page(GPT_OSS, count=1, total_count=90),
        page(1, None, {"name": 3}),
        Answer(200, {}, {"success": False, "result": [GPT_OSS]}),
        Answer(200, {}, {"success": True, "result": None}),
        Answer(200, {}, None, "<html></html>"),
    ],
)
def test_a_part_of_the_list_and_what_is_none_list_nobody(answer: Answer) -> None:
    assert list(provider.read_models(answer)) == []
