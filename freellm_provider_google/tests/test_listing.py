"""The service's own list of models."""

import pytest

from freellm import Answer, Key, ListedModel
from freellm_provider_google import provider

# The shape is that of models.list in the Gemini API (ai.google.dev/api/models).
GEMINI = {
    "name": "models/gemini-3.5-flash",
    "version": "001",
    "displayName": "Gemini 3.5 Flash",
    "inputTokenLimit": 1_048_576,
    "outputTokenLimit": 65_536,
    "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent"],
    "thinking": True,
}
EMBEDDING = {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]}
VIDEO = {"name": "models/veo-3", "supportedGenerationMethods": ["predictLongRunning"]}


def test_the_whole_list_is_asked_for_in_one_request(key: Key) -> None:
    (upstream,) = provider.list_models(key)
    assert (upstream.method, upstream.path) == ("GET", "/models?pageSize=1000")
    assert upstream.headers == {"x-goog-api-key": "KEY-token"}


def test_what_the_list_says_is_read_and_it_does_not_say_what_is_free() -> None:
    listed = provider.read_models(Answer(200, {}, {"models": [GEMINI, EMBEDDING, VIDEO]}))
    assert listed == (
        ListedModel(
            id="gemini-3.5-flash",
            title="Gemini 3.5 Flash",
            task="chat",
            context=1_048_576,
            max_output=65_536,
        ),
        ListedModel(id="gemini-embedding-001", task="embeddings"),
        ListedModel(id="veo-3", task="other"),
    )


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"models": None},
        {"models": [1, {}, {"name": 3}]},
        {"models": [GEMINI], "nextPageToken": "x"},
    ],
)
def test_what_is_no_list_or_a_part_of_one_lists_nobody(body: object) -> None:
    assert list(provider.read_models(Answer(200, {}, body))) == []


def test_odd_fields_are_left_out() -> None:
    row = {
        **GEMINI,
        "displayName": 3,
        "inputTokenLimit": "1M",
        "outputTokenLimit": 0,
        "supportedGenerationMethods": 1,
    }
    assert provider.read_models(Answer(200, {}, {"models": [row]})) == (ListedModel(id="gemini-3.5-flash"),)
