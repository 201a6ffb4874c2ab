"""The requests that every provider is asked to translate: one of each kind there is."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from freellm.types import ChatRequest, EmbeddingRequest, Json

UNICODE: Final = "Grüße, 世界 🌍 \u202eabc\u202c e\u0301 \u0000 \ufffd \U0010ffff"
"""Text of many scripts: combined, right to left, with a NUL and the last code point."""

DEEPEST: Final = 60
"""Levels of the deepest schema; a body may be nested about three times as deep."""

PARAMETERS: Final[Json] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL: Final[Json] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": PARAMETERS,
        "strict": True,
    },
}
USER: Final[Json] = {"role": "user", "content": "What is the weather in Paris?"}
IMAGE: Final[Json] = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
TEXT: Final[Json] = {"type": "text", "text": "What?"}


def tool_call(number: int, arguments: str = '{"city": "Paris"}') -> Json:
    """Return a tool call of an assistant's message."""
    return {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": "get_weather", "arguments": arguments},
    }


def deep_schema(levels: int = DEEPEST) -> Json:
    """Return a JSON schema that nests objects, arrays and choices."""
    schema: Json = {"type": ["string", "null"], "enum": ["a", None], "description": UNICODE}
    for level in range(levels // 3):
        item = {"type": "array", "items": {"anyOf": [schema, {"$ref": "#/$defs/name"}]}}
        schema = {
            "type": "object",
            "properties": {f"level{level}": item},
            "required": [],
            "additionalProperties": False,
        }
    return {**schema, "$defs": {"name": {"type": "string", "pattern": "^[a-z]+$", "default": "x"}}}


def _parallel() -> list[Json]:
    calls = [tool_call(1), tool_call(2, "{}"), tool_call(3, '{"city": "世界 🌍", "deep": {"a": [1, null]}}')]
    return [
        USER,
        {"role": "assistant", "content": None, "tool_calls": calls, "reasoning_content": "hm"},
        {"role": "tool", "tool_call_id": "call_2", "content": "18 degrees"},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "18 degrees"}]},
        {"role": "tool", "tool_call_id": "call_3", "content": '{"degrees": 18}'},
        {"role": "assistant", "content": "18 degrees everywhere."},
        {"role": "user", "content": "And tomorrow?"},
    ]


class Sample(NamedTuple):
    """A request to translate.

    :param needs: the abilities a model must have to be asked it
    :param must: whether a provider that has such models must send it to one of them; without, it may refuse it
    """

    request: ChatRequest
    needs: frozenset[str] = frozenset()
    must: bool = True


def _asked(
    *messages: Json, needs: str = "", must: bool = True, stream: bool = False, **parameters: Any
) -> Sample:
    request = ChatRequest(messages=list(messages), parameters=parameters, stream=stream)
    return Sample(request, frozenset(needs.split()), must)


_FORCED: Final[Json] = {"type": "function", "function": {"name": "get_weather"}}
_BARE: Final[Json] = {"type": "function", "function": {"name": "now"}}
_DEEP: Final[Json] = {"type": "function", "function": {"name": "deep", "parameters": deep_schema()}}
_SCHEMA: Final[Json] = {"name": "city", "strict": True, "schema": PARAMETERS}

SAMPLES: Final[dict[str, Sample]] = {
    "plain": _asked(USER),
    "stream": _asked(USER, stream=True),
    "system": _asked({"role": "system", "content": "Be brief."}, USER),
    "two systems": _asked(*({"role": "system", "content": text} for text in "ab"), USER),
    "late system": _asked(USER, {"role": "system", "content": "Be brief."}, USER),
    "system alone": _asked({"role": "system", "content": "Be brief."}),
    "unicode": _asked({"role": "user", "content": UNICODE, "name": "世界"}),
    "two users": _asked(USER, USER),
    "empty text": _asked({"role": "user", "content": ""}),
    "text parts": _asked({"role": "user", "content": [{"type": "text", "text": text} for text in "ab"]}),
    "prefill": _asked(USER, {"role": "assistant", "content": "It is"}),
    "refused before": _asked(USER, {"role": "assistant", "content": None, "refusal": "No."}, USER),
    "parameters": _asked(
        USER,
        temperature=0.2, top_p=0.9, top_k=40, min_p=0.1, max_tokens=100, seed=7, stop=["x"], user="u",
        presence_penalty=0.1, frequency_penalty=-2, logit_bias={"1": 1}, logprobs=True, top_logprobs=2,
        metadata={"a": "b"}, store=True, service_tier="auto", verbosity="low", modalities=["text"],
        safety_identifier="s", prompt_cache_key="k", response_format={"type": "text"}, stranger={"a": 1},
    ),
    "extremes": _asked(USER, temperature=2, top_p=0, max_tokens=1, seed=-1, stop=[], presence_penalty=-2),
    "reasoning": _asked(USER, reasoning_effort="high"),
    "no reasoning": _asked(USER, reasoning_effort="none"),
    "largest": _asked(USER, max_tokens=10_000_000),
    "tools": _asked(USER, tools=[TOOL], tool_choice="auto", needs="tools"),
    "bare tool": _asked(USER, tools=[_BARE], needs="tools"),
    "forced tool": _asked(
        USER, tools=[TOOL], tool_choice=_FORCED, parallel_tool_calls=False, stream=True, needs="tools", must=False
    ),
    "required tool": _asked(USER, tools=[TOOL, _BARE], tool_choice="required", needs="tools", must=False),
    "allowed tools": _asked(
        USER,
        tools=[TOOL, _BARE],
        tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [_FORCED]}},
        needs="tools",
        must=False,
    ),
    "no tool": _asked(USER, tools=[TOOL], tool_choice="none"),
    "parallel tool calls": _asked(*_parallel(), tools=[TOOL], needs="tools"),
    "unanswered call": _asked(
        USER, {"role": "assistant", "content": "Let me see.", "tool_calls": [tool_call(1)]},
        tools=[TOOL], needs="tools", must=False,
    ),
    "deep schema": _asked(USER, tools=[_DEEP], needs="tools", must=False),
    "json mode": _asked(USER, response_format={"type": "json_object"}, needs="json", must=False),
    "json schema": _asked(
        USER, response_format={"type": "json_schema", "json_schema": _SCHEMA}, needs="json_schema", must=False
    ),
    "deep json schema": _asked(
        USER,
        response_format={"type": "json_schema", "json_schema": {"name": "deep", "schema": deep_schema()}},
        stream=True, needs="json_schema", must=False,
    ),
    "image": _asked({"role": "user", "content": [TEXT, IMAGE]}, needs="vision", must=False),
    "image alone": _asked({"role": "user", "content": [IMAGE]}, needs="vision", must=False),
    "sound": _asked(
        {"role": "user", "content": [TEXT, {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]},
        must=False,
    ),
    "file": _asked(
        {"role": "user", "content": [TEXT, {"type": "file", "file": {"filename": "a.pdf", "file_data": ""}}]},
        must=False,
    ),
    "kept state": Sample(
        ChatRequest(
            messages=[
                USER,
                {"role": "assistant", "content": "Let me see.", "tool_calls": [tool_call(1)]},
                {"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"},
            ],
            parameters={"tools": [TOOL]},
            kept={"call_1": "opaque"},
        ),
        frozenset({"tools"}),
    ),
    "hinted": Sample(ChatRequest(messages=[USER], hints=frozenset({"a hint of another provider"}))),
}  # fmt: skip
"""The requests, by what is special about them."""

PLAIN: Final = SAMPLES["plain"].request
STREAM: Final = SAMPLES["stream"].request
TOOLS: Final = SAMPLES["tools"].request
TOOLS_STREAM: Final = SAMPLES["forced tool"].request

EMBEDDINGS: Final[dict[str, EmbeddingRequest]] = {
    "one text": EmbeddingRequest(inputs=["Hello"]),
    "three texts": EmbeddingRequest(inputs=["Hello", UNICODE, " "]),
    "parameters": EmbeddingRequest(inputs=["Hello"], parameters={"user": "u", "stranger": 1}),
    "token ids": EmbeddingRequest(inputs=[[1, 2, 3], [4]]),
}
"""The requests for embeddings; only a model that takes them is asked the token ids."""
