"""Generating what clients may ask and services may answer, with hypothesis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from freellm.testing import answers, requests
from freellm.types import Answer, ChatRequest, EmbeddingRequest, Event, Json

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ("Hello", requests.UNICODE, " ", "</think>", '{"a": 1}', "\n")
)
_NAME = st.text("abcXYZ019_-", min_size=1, max_size=64)
_NUMBER = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)

JSON: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _NUMBER | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
"""Any decoded JSON."""

_ARGUMENTS = st.dictionaries(_NAME, JSON, max_size=3).map(lambda value: json.dumps(value, ensure_ascii=False))


def _object_schema(inner: SearchStrategy[Any]) -> SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(_NAME, inner, max_size=3)},
        optional={
            "required": st.lists(_NAME, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "description": _TEXT,
            "title": _TEXT,
        },
    )


_LEAF: SearchStrategy[Json] = st.sampled_from(
    (
        {"type": "string"}, {"type": "string", "enum": ["a", "b"]}, {"type": "integer", "minimum": 0}, {"type": "null"},
        {"type": ["string", "null"]}, {"type": "number", "exclusiveMaximum": 1.5}, {"const": 7}, {}, {"type": "boolean"},
        {"type": "string", "format": "date-time", "pattern": "^a+$"}, {"$ref": "#"}, {"enum": [1, "a", None]},
    )
)  # fmt: skip
_SCHEMA: SearchStrategy[Json] = st.recursive(
    _LEAF,
    lambda inner: (
        _object_schema(inner)
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)})
    ),
    max_leaves=6,
)
_PARAMETERS: SearchStrategy[Json] = _object_schema(_SCHEMA) | st.just(requests.deep_schema(30)) | st.just({})

_TOOL = st.fixed_dictionaries(
    {
        "type": st.just("function"),
        "function": st.fixed_dictionaries(
            {"name": _NAME},
            optional={"description": _TEXT, "parameters": _PARAMETERS, "strict": st.booleans() | st.none()},
        ),
    }
)

_TEXT_PART = st.fixed_dictionaries({"type": st.just("text"), "text": _TEXT})
_IMAGE_PART = st.fixed_dictionaries(
    {
        "type": st.just("image_url"),
        "image_url": st.fixed_dictionaries(
            {"url": st.sampled_from(("data:image/png;base64,iVBORw0KGgo=", "https://images.example/a.jpg"))},
            optional={"detail": st.sampled_from(("auto", "low", "high"))},
        ),
    }
)
_MEDIA_PART = st.sampled_from(
    (
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
    )
)
_TEXT_CONTENT = _TEXT | st.lists(_TEXT_PART, min_size=1, max_size=3)
_USER_CONTENT = _TEXT_CONTENT | st.lists(_TEXT_PART | _IMAGE_PART | _MEDIA_PART, min_size=1, max_size=3)

_NAMED: dict[str, SearchStrategy[Any]] = {"name": _NAME}
_PLAIN_MESSAGE = st.fixed_dictionaries(
    {"role": st.just("user"), "content": _USER_CONTENT}, optional=_NAMED
) | st.fixed_dictionaries({"role": st.just("system"), "content": _TEXT_CONTENT}, optional=_NAMED)
_ASSISTANT = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": _TEXT_CONTENT},
    optional={"reasoning_content": _TEXT, "refusal": st.none(), **_NAMED},
)


@st.composite
def _turns(draw: DrawFn) -> list[Json]:
    """Draw an assistant's tool calls and their results, in any order, perhaps with one missing."""
    ids = [f"call_{draw(_NAME)}{number}" for number in range(draw(st.integers(1, 3)))]
    calls = [
        {"id": id_, "type": "function", "function": {"name": draw(_NAME), "arguments": draw(_ARGUMENTS | _TEXT)}}
        for id_ in ids
    ]  # fmt: skip
    answered = list(draw(st.permutations(ids)))[draw(st.integers(0, 1)) :]
    results = [{"role": "tool", "tool_call_id": id_, "content": draw(_TEXT_CONTENT)} for id_ in answered]
    return [{"role": "assistant", "content": draw(st.none() | _TEXT), "tool_calls": calls}, *results]


_FORMAT = st.sampled_from(({"type": "text"}, {"type": "json_object"})) | st.fixed_dictionaries(
    {
        "type": st.just("json_schema"),
        "json_schema": st.fixed_dictionaries(
            {"name": _NAME, "schema": _PARAMETERS}, optional={"strict": st.booleans(), "description": _TEXT}
        ),
    }
)
PARAMETERS: dict[str, SearchStrategy[Any]] = {
    "temperature": st.floats(0, 2) | st.integers(0, 2),
    "top_p": st.floats(0, 1) | st.integers(0, 1),
    "top_k": st.integers(0, 1000),
    "min_p": st.floats(0, 1),
    "presence_penalty": st.floats(-2, 2),
    "frequency_penalty": st.floats(-2, 2),
    "max_tokens": st.integers(1, 10_000_000),
    "seed": st.integers(-(2**63), 2**63 - 1),
    "stop": st.lists(_TEXT, max_size=4),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 20),
    "logit_bias": st.dictionaries(st.integers(0, 99_999).map(str), st.integers(-100, 100), max_size=2),
    "parallel_tool_calls": st.booleans(),
    "response_format": _FORMAT,
    "reasoning_effort": st.sampled_from(("none", "minimal", "low", "medium", "high", "xhigh", "max")),
    "verbosity": st.sampled_from(("low", "medium", "high")),
    "user": _TEXT,
    "safety_identifier": _TEXT,
    "prompt_cache_key": _TEXT,
    "metadata": st.dictionaries(_NAME, _TEXT, max_size=2),
    "store": st.booleans(),
    "service_tier": st.sampled_from(("auto", "default", "flex")),
    "modalities": st.just(["text"]),
    "stranger": JSON.filter(lambda value: value is not None),
}  # fmt: skip
"""Every parameter the surface knows, and one it does not. None is null: that is the same as left out."""


@st.composite
def chat_requests(draw: DrawFn) -> ChatRequest:
    """Draw a chat request that a client may make, in the form in which providers get it."""
    turns = draw(st.lists(_PLAIN_MESSAGE | _ASSISTANT | _turns(), min_size=1, max_size=4))
    messages = [message for turn in turns for message in (turn if isinstance(turn, list) else [turn])]
    names = draw(st.lists(st.sampled_from(sorted(PARAMETERS)), max_size=6, unique=True))
    parameters = {name: draw(PARAMETERS[name]) for name in names}
    tools: list[Json] = draw(st.lists(_TOOL, max_size=3))
    if tools:
        named = {"type": "function", "function": {"name": tools[0]["function"]["name"]}}
        parameters["tools"] = tools
        choice = draw(st.sampled_from((None, "none", "auto", "required", named)))
        if choice is not None:
            parameters["tool_choice"] = choice
    return ChatRequest(messages=messages, parameters=parameters, stream=draw(st.booleans()))


@st.composite
def embedding_requests(draw: DrawFn) -> EmbeddingRequest:
    """Draw a request for embeddings of texts."""
    inputs: list[str] = draw(st.lists(_TEXT, min_size=1, max_size=4))
    return EmbeddingRequest(inputs=inputs, parameters=draw(st.dictionaries(_NAME, JSON, max_size=2)))


def _altered(bodies: Sequence[Any]) -> SearchStrategy[Any]:
    """Return bodies with one member anywhere replaced by any JSON, or taken out."""

    @st.composite
    def altered(draw: DrawFn) -> Any:
        body = json.loads(json.dumps(draw(st.sampled_from(bodies))))
        inner: Any = body
        place: Any = None
        while isinstance(inner, dict | list) and inner:
            holder: Any = inner
            places: list[Any] = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
            place = draw(st.sampled_from(places))
            inner = holder[place]
            if draw(st.integers(0, 2)) == 0:
                break
        if place is None:
            return body
        if draw(st.booleans()):
            holder[place] = draw(JSON)
        else:
            del holder[place]
        return body

    return altered()


def whole_bodies(own: Sequence[Any]) -> SearchStrategy[Any]:
    """Return bodies of 2xx answers, sound ones of which something was altered, and any JSON.

    :param own: bodies in the service's own dialect
    """
    sound = [answers.completion(), *answers.WHOLE[-8:], *own]
    return st.sampled_from(sound) | _altered(sound) | JSON


def refusals(own: Sequence[Any]) -> SearchStrategy[Answer]:
    """Return answers that are no 2xx, with any status, body and headers.

    :param own: bodies in the service's own dialect
    """
    sound = [
        {"error": {"message": "m", "code": "c", "type": "t", "param": "p"}},
        {"errors": [{"code": 1}]},
        *own,
    ]
    body = st.sampled_from(sound) | _altered(sound) | JSON
    status = st.sampled_from(answers.REFUSED)
    headers = st.sampled_from(answers.HEADERS)
    texts = st.builds(lambda status, text: Answer(status, {}, None, text), status, _TEXT)
    return st.builds(Answer, status, headers, body) | texts


def streams(own: Sequence[Sequence[Event]]) -> SearchStrategy[list[Event]]:
    """Return streams: a sound one with an event lost, repeated, altered or moved, and any events in any order.

    :param own: streams in the service's own dialect
    """
    known = [*(answers.events(data) for data in answers.STREAMS.values()), *map(list, own)]
    loose = [*(event for stream in known for event in stream), *answers.events(answers.GARBAGE)]

    @st.composite
    def edited(draw: DrawFn) -> list[Event]:
        stream = list(draw(st.sampled_from(known)))
        place = draw(st.integers(0, len(stream) - 1))
        edit = draw(st.sampled_from(("lose", "repeat", "alter", "put")))
        if edit == "lose":
            del stream[place]
        elif edit == "alter":
            stream[place] = Event(stream[place].name, draw(_altered([stream[place].data])))
        else:
            stream.insert(place, stream[place] if edit == "repeat" else draw(st.sampled_from(loose)))
        return stream

    return edited() | st.lists(st.sampled_from(loose), max_size=6)
