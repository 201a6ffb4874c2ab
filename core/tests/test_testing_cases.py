"""The runner of golden cases can fail, and says where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from freellm import Catalogue, ChatRequest, Key, OpenAICompatible, ProviderInfo, Upstream, hookimpl
from freellm.declarations import Model
from freellm.testing import Case, check_case, check_refusals, load_cases
from freellm.types import Failure, Json, Kind

INFO = ProviderInfo(
    id="lab", title="Lab", signup_url="https://x", docs_url="https://x", base_url="https://x/v1"
)
MODEL = Model(id="m", family="m", source="a test", checked="2026-11-23")
VECTORS = Model(id="v", family="v", task="embeddings", dimensions=(2,), source="a test", checked="2026-11-23")
PLUGIN = OpenAICompatible(
    info=INFO,
    catalogue=Catalogue(models=(MODEL, VECTORS)),
    quota_headers={"x-left": ("requests", 60.0, "remaining")},
)
REQUEST = {"messages": [{"role": "user", "content": "Hello"}]}
BODY = {"model": "m", "messages": REQUEST["messages"]}
DELTA = {
    "id": "c",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}],
}


def case(**content: Any) -> Case:
    return Case(Path("a case.json"), {"model": "m", "request": REQUEST, **content})


GOOD: list[Json] = [
    {
        "upstream": {
            "method": "POST",
            "path": "/chat/completions",
            "headers": {"authorization": "Bearer KEY-token"},
            "body": BODY,
            "stream": False,
        }
    },
    {
        "answer": {"status": 429, "body": {"error": "slow"}},
        "failure": {"kind": "rate_limited", "message": "slow"},
    },
    {
        "answer": {"headers": {"x-left": "3"}},
        "readings": [{"unit": "requests", "window": 60, "remaining": 3}],
    },
    {
        "embedding_request": {"inputs": ["a"]},
        "model": "v",
        "upstream": {"path": "/embeddings"},
        "answer": {"body": {"data": [{"index": 0, "embedding": [0.5, 1.0]}]}},
        "embedding_list": {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}],
        },
    },
    {
        "embedding_request": {"inputs": ["a"]},
        "model": "v",
        "answer": {"status": 429, "body": {"error": "slow"}},
        "failure": {"kind": "rate_limited", "message": "slow"},
    },
    {
        "answer": {"body": {"data": [{"id": "m", "context_length": 8}]}},
        "listed": [{"id": "m", "context": 8}],
    },
    {
        "events": [{"data": DELTA}],
        "chunks": [
            "UNCHANGED",
            {
                "failure": {
                    "kind": "network",
                    "message": "the stream was cut: it ended without a finish reason",
                }
            },
        ],
    },
]
BAD: list[tuple[Json, str]] = [
    ({"upstream": {"path": "/elsewhere"}}, "/elsewhere"),
    ({"upstream": {"body": {**BODY, "temperature": 1}}}, "temperature"),
    ({"failure": {"kind": "bad_request"}}, "/chat/completions"),
    ({"answer": {"status": 429, "body": {}}, "failure": {"kind": "overloaded"}}, "rate_limited"),
    ({"answer": {"body": {"choices": []}}, "completion": {"choices": []}}, "no choices"),
    ({"answer": {"headers": {"x-left": "3"}}, "readings": []}, "remaining"),
    ({"events": [{"data": DELTA}], "chunks": ["UNCHANGED"]}, "network"),
    ({"upstream": {}}, "expects nothing"),
    ({"model": "n", "upstream": {"path": "/"}}, "no such model"),
]


@pytest.mark.parametrize("content", GOOD)
def test_a_case_that_is_met_passes(content: Json) -> None:
    check_case(PLUGIN, case(**content))


@pytest.mark.parametrize(("content", "shown"), BAD)
def test_a_case_that_is_not_met_fails_and_shows_the_difference(content: Json, shown: str) -> None:
    with pytest.raises(AssertionError, match=shown):
        check_case(PLUGIN, case(**content))


def test_a_hook_that_changes_an_argument_is_caught() -> None:
    class Careless(OpenAICompatible):
        @hookimpl
        def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
            """Change the request."""
            request.parameters["temperature"] = 0
            return super().translate_request(request, model, key)

    careless = Careless(info=INFO, catalogue=Catalogue(models=(MODEL,)))
    with pytest.raises(AssertionError, match="changed an argument"):
        check_case(careless, case(upstream={"path": "/chat/completions"}))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], "JSON object"),
        ({"model": "m", "upstraem": {}}, "upstraem"),
        ({"model": "m", "request": REQUEST}, "expects nothing"),
        ({"model": "m", "chunks": []}, "go together"),
    ],
)
def test_a_file_that_is_no_case_is_named(tmp_path: Path, content: Any, text: str) -> None:
    (tmp_path / "odd.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=text) as caught:
        load_cases(tmp_path)
    assert "odd.json" in str(caught.value)


def test_cases_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"model": "m", "readings": []}))
    assert [str(found) for found in load_cases(tmp_path)] == ["a", "b"]


BUSY = case(answer={"status": 429, "body": {"error": {"message": "no tokens left"}}}, failure={})


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([(429, None, "no tokens", Kind.RATE_LIMITED)], ""),
        ([(429, "busy", None, Kind.RATE_LIMITED)], "'busy'"),
        ([(429, None, None, Kind.RATE_LIMITED), (429, None, "tokens", Kind.TOO_LARGE)], "'tokens'"),
    ],
)
def test_each_row_of_a_table_of_refusals_has_to_name_the_answer_of_a_case(
    rows: list[Any], missing: str
) -> None:
    if not missing:
        check_refusals(rows, [BUSY])
        return
    with pytest.raises(AssertionError, match=missing) as said:
        check_refusals(rows, [BUSY])
    assert str(said.value).count("(429") == 1
