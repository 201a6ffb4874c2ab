"""Embeddings and lists of models of an OpenAI-speaking service."""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm import (
    Answer,
    Catalogue,
    EmbeddingRequest,
    EmbeddingsWire,
    Failure,
    Json,
    Key,
    Kind,
    ListedModel,
    OpenAICompatible,
    Secret,
    Upstream,
    replace,
)
from small_world import info, model

KEY = Key(id="k", account="a", fields={"token": Secret("t0ken")}, base_url="https://lab.test/v1")
MODEL = model("v", task="embeddings", dimensions=(4, 2), max_inputs=8)
TOKENS = model("t", task="embeddings", dimensions=(4,), token_inputs=True)
PLUGIN = OpenAICompatible(
    info=info(),
    catalogue=Catalogue(models=(MODEL, TOKENS)),
    embeddings=EmbeddingsWire(
        path="/vectors",
        forward=frozenset({"input_type"}),
        constants={"v": {"truncate": "END", "input_type": "passage"}},
    ),
)


def sent(model_id: str = "v", **fields: Any) -> Upstream | Failure:
    asked = {"v": MODEL, "t": TOKENS}[model_id]
    return PLUGIN.translate_embeddings(EmbeddingRequest(**fields), asked, KEY)


def read(body: Any, inputs: int = 1) -> Any:
    request = EmbeddingRequest(inputs=["a"] * inputs)
    return PLUGIN.normalize_embeddings(request, MODEL, Answer(200, {}, body))


def test_inputs_are_sent_with_what_the_service_takes_and_the_rest_is_named() -> None:
    found = sent(inputs=["a", "b"], dimensions=2, parameters={"input_type": "query", "user": "u"})
    assert isinstance(found, Upstream)
    assert (found.method, found.path, found.dropped) == ("POST", "/vectors", ("user",))
    assert found.headers == {"authorization": "Bearer t0ken"}
    assert found.body == {
        "model": "v",
        "input": ["a", "b"],
        "encoding_format": "float",
        "dimensions": 2,
        "input_type": "query",
        "truncate": "END",
    }


@pytest.mark.parametrize("dimensions", [None, 4])
def test_the_usual_length_is_not_stated(dimensions: int | None) -> None:
    found = sent(inputs=["a"], dimensions=dimensions)
    assert isinstance(found, Upstream)
    assert found.body is not None
    assert "dimensions" not in found.body
    assert found.body["input_type"] == "passage"


def test_token_ids_go_to_models_that_take_them_and_to_no_other() -> None:
    refused = sent(inputs=[[1, 2]])
    assert isinstance(refused, Failure)
    assert (refused.kind, refused.param) == (Kind.BAD_REQUEST, "input")
    assert "check_embedding_ctx_length=False" in refused.message
    taken = sent("t", inputs=[[1, 2]])
    assert isinstance(taken, Upstream)
    assert taken.body is not None
    assert taken.body["input"] == [[1, 2]]


@given(st.lists(st.lists(st.floats(allow_nan=False, width=32), min_size=1), min_size=1), st.randoms())
def test_vectors_come_in_the_order_of_their_indexes(vectors: list[list[float]], random: Any) -> None:
    rows = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    random.shuffle(rows)
    found = read({"data": rows, "usage": {"prompt_tokens": 3}}, len(vectors))
    assert [row["embedding"] for row in found["data"]] == vectors
    assert [row["index"] for row in found["data"]] == list(range(len(vectors)))
    assert found["usage"] == {"prompt_tokens": 3}


def test_base64_is_read_where_a_service_insists_on_it() -> None:
    packed = b64encode(struct.pack("<2f", 0.5, -1.0)).decode()
    assert read({"data": [{"embedding": packed}]})["data"][0]["embedding"] == [0.5, -1.0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "1 vectors were asked for, no list came"),
        ({"data": []}, "1 vectors were asked for, 0 came"),
        ({"data": ["x"]}, "what is no vector"),
        ({"data": [{"embedding": []}]}, "what is no vector"),
        ({"data": [{"embedding": ["0.5"]}]}, "what is no vector"),
        ({"data": [{"embedding": [True]}]}, "what is no vector"),
        ({"data": [{"embedding": "AAA"}]}, "what is no vector"),
        ({"data": [{"embedding": "AAAA"}]}, "what is no vector"),
        ({"data": [{"index": 3, "embedding": [0.5]}]}, "not those of the inputs"),
    ],
)
def test_what_is_no_list_of_vectors_is_a_bad_answer(body: Any, words: str) -> None:
    found = read(body)
    assert isinstance(found, Failure)
    assert found.kind is Kind.BAD_ANSWER
    assert words in found.message


def test_an_error_inside_a_200_is_what_it_says() -> None:
    found = read({"error": {"message": "no such model", "code": "model_not_found"}})
    assert isinstance(found, Failure)
    assert found.kind is Kind.MODEL_GONE


def test_the_list_of_models_is_asked_for_with_the_key() -> None:
    (asked,) = PLUGIN.list_models(KEY)
    assert (asked.method, asked.path, asked.headers) == ("GET", "/models", {"authorization": "Bearer t0ken"})


@pytest.mark.parametrize(
    ("body", "listed"),
    [
        ({"data": [{"id": "a"}]}, [ListedModel(id="a")]),
        ({"models": [{"name": "a"}]}, [ListedModel(id="a")]),
        ([{"id": "a", "name": "A"}], [ListedModel(id="a", title="A")]),
        (
            {"data": [{"id": "a", "context_window": 8, "max_completion_tokens": 4}]},
            [ListedModel(id="a", context=8, max_output=4)],
        ),
        ({"data": [{"id": "a", "context_length": 0, "max_model_len": "8"}]}, [ListedModel(id="a")]),
        ({"data": ["a", {}, {"id": 3}]}, []),
        (
            {
                "data": [
                    {
                        "id": "a",
                        "pricing": {"prompt": "0", "completion": "0.0", "request": 0},
                        "architecture": {
                            "input_modalities": ["text", "image"],
                            "output_modalities": ["text"],
                        },
                        "supported_parameters": ["tools", "structured_outputs", "seed"],
                        "top_provider": {"max_completion_tokens": 4},
                    }
                ]
            },
            [
                ListedModel(
                    id="a",
                    free=True,
                    task="chat",
                    max_output=4,
                    abilities=frozenset({"system", "tools", "json_schema", "vision"}),
                )
            ],
        ),
        (
            [
                {"id": "a", "pricing": {"prompt": "-1", "completion": "0"}},
                {"id": "b", "pricing": {"prompt": "0", "completion": "0", "request": "0.01"}},
                {"id": "c", "pricing": {"prompt": "0"}, "architecture": {"output_modalities": ["image"]}},
            ],
            [
                ListedModel(id="a"),
                ListedModel(id="b"),
                ListedModel(id="c", task="other"),
            ],
        ),
        ({"error": "no"}, []),
        ("no", []),
        (None, []),
    ],
)
def test_lists_of_every_shape_are_read(body: Any, listed: Any) -> None:
    assert PLUGIN.read_models(Answer(200, {}, body)) == listed


def test_a_service_s_own_words_are_read_row_by_row() -> None:
    class Priced(OpenAICompatible):
        def read_row(self, row: Json, model: ListedModel) -> ListedModel:
            return replace(model, free=row["price"] == 0)

    plugin = Priced(info=info(), catalogue=Catalogue(models=(MODEL,)), free_ids="^a")
    listed = plugin.read_models(
        Answer(200, {}, [{"id": "a1", "price": 0}, {"id": "a2", "price": 1}, {"id": "b", "price": 0}])
    )
    assert [(model.id, model.free) for model in listed] == [("a1", True), ("a2", False), ("b", False)]
