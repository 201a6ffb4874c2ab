"""Splitting a request for vectors, putting its parts together, and writing vectors down."""

from __future__ import annotations

import math
from base64 import b64decode
from struct import unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.gateway import EmbeddingsCall, Served, needs_of
from freellm.gateway.calls import Answered
from freellm.gateway.embedding import PART_NUMBERS, together
from freellm.naming import vector_space
from freellm.store import AttemptRecord
from freellm.surfaces.openai.embeddings import answer, encoded, sizes_of
from freellm.types import Answer, ChatRequest, EmbeddingRequest, Failure, Kind
from small_world import World, model, provider


def call_of(inputs: list[str], most: int | None = None, dimensions: int = 4) -> EmbeddingsCall:
    makers = [
        model("v", task="embeddings", abilities=[], dimensions=[dimensions], max_inputs=most, family="v")
    ]
    space = vector_space(World(provider("lab", makers), provider("alp", makers)).orders, "v", None)
    request = EmbeddingRequest(inputs=inputs, dimensions=dimensions)
    sizes = sizes_of(request)
    return EmbeddingsCall(
        id="req_1",
        surface="openai/embeddings",
        model="v",
        embedding=request,
        order=space.order,
        space=space,
        needs=needs_of(sizes, math.inf),
        sizes=sizes,
    )


TEXTS = st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=60)


@given(TEXTS, st.none() | st.integers(1, 70))
def test_parts_hold_every_input_once_in_order_and_none_too_many(inputs: list[str], most: int | None) -> None:
    call = call_of(inputs, most)
    parts = call.parts()
    assert [text for part in parts for text in part.embedding.inputs] == inputs
    assert all(1 <= len(part.embedding.inputs) <= (most or len(inputs)) for part in parts)
    assert len(parts) == math.ceil(len(inputs) / (most or len(inputs)))
    assert sum(part.needs.tokens for part in parts) == call.needs.tokens
    assert max(part.needs.longest or 0 for part in parts) == call.needs.longest
    assert sum(part.needs.inputs for part in parts) == len(inputs)
    assert all(part.needs.stated == 0 for part in parts)


def test_parts_of_long_vectors_fit_into_an_answer() -> None:
    parts = call_of(["a"] * 2048, None, 4096).parts()
    assert max(len(part.embedding.inputs) for part in parts) * 4096 <= PART_NUMBERS


def test_parts_share_what_was_tried_and_answered_and_not_what_was_passed_over() -> None:
    call = call_of(["a", "b", "c"], 1)
    call.answered = []
    first, second, _ = call.parts()
    assert first.tried is second.tried is call.tried
    assert first.answered is second.answered is call.answered
    assert first.passed_over is not second.passed_over


@given(st.data(), TEXTS, st.integers(1, 70))
def test_together_they_are_the_vectors_of_the_inputs_in_order(
    data: st.DataObject, inputs: list[str], most: int
) -> None:
    call = call_of(inputs, most)
    call.answered = []
    parts = call.parts()
    routes = [entry.routes[0] for entry in call.order.at(0.0)]
    tokens = [data.draw(st.integers(0, 10**6)) for _ in parts]
    told = [data.draw(st.booleans()) for _ in parts]
    chosen = [data.draw(st.sampled_from(routes)) for _ in parts]
    record = AttemptRecord(request="r", number=1, provider="p", model="m", key="k", started=0.0)
    call.answered += [
        Answered(record=record, input_tokens=number, told=known)
        for number, known in zip(tokens, told, strict=True)
    ]
    served = [
        Served(
            route=route,
            completion={"data": [{"embedding": [float(len(text))] * 4} for text in part.embedding.inputs]},
            dropped=("user",),
        )
        for route, part in zip(chosen, parts, strict=True)
    ]
    found = together(call, served)
    assert [vector[0] for vector in found.vectors] == [len(text) for text in inputs]
    assert found.input_tokens == sum(tokens)
    assert found.estimated == (not all(told))
    assert found.dropped == ("user",)
    assert sum(number for _, number in found.made) == len(inputs)
    assert {route for route, _ in found.made} == set(chosen)
    body = answer(call, found, "float")
    assert [row["index"] for row in body["data"]] == list(range(len(inputs)))
    assert ("made_by" in body["x_freellm"]) == (len(set(chosen)) > 1)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=50))
def test_base64_holds_the_very_floats(vector: list[float]) -> None:
    packed = encoded(vector, "base64")
    assert isinstance(packed, str)
    assert list(unpack(f"<{len(vector)}f", b64decode(packed, validate=True))) == vector
    assert encoded(vector, "float") is vector


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": [{"embedding": [0.5] * 3}]}, "4 dimensions were asked for, 3 came"),
        ({"data": [{"embedding": [1e39, 0, 0, 0]}]}, "no 32-bit float"),
        ({"data": [{"embedding": [0, -1e39, 0, 0]}]}, "no 32-bit float"),
        ({"data": []}, "1 vectors were asked for, 0 came"),
    ],
)
def test_what_is_not_of_the_space_is_a_bad_answer(body: object, words: str) -> None:
    call = call_of(["a"])
    route = call.order.at(0.0)[0].routes[0]
    found = call.normalize(route, ChatRequest(messages=()), Answer(200, {}, body))
    assert isinstance(found, Failure)
    assert found.kind is Kind.BAD_ANSWER
    assert words in found.message


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 3, "total_tokens": 3}, 3),
        ({"total_tokens": 5}, 5),
        ({"prompt_tokens": 0, "total_tokens": 7}, 7),
        ({"prompt_tokens": "3"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_usage_is_the_one_figure_that_a_service_states(usage: object, counted: int | None) -> None:
    call = call_of(["a"])
    route = call.order.at(0.0)[0].routes[0]
    body = {"data": [{"embedding": [0.5] * 4}], **({} if usage is None else {"usage": usage})}
    found = call.normalize(route, ChatRequest(messages=()), Answer(200, {}, body))
    assert isinstance(found, dict)
    assert (found["usage"] or {}).get("prompt_tokens") == counted
