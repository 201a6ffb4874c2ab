"""What services answer, right and wrong: bodies, refusals, the events of streams, and what gets in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from freellm.types import Answer, Event, Json

CHALLENGE: Final = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
"""What stands in front of a service, and is none of its answers."""

REFUSED: Final = (
    400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415, 422, 424, 425, 429, 431, 451, 498, 499,
    500, 501, 502, 503, 504, 507, 520, 521, 522, 524, 529,
)  # fmt: skip
"""Statuses of refusals that services and what stands in front of them are known to send."""

_TEXTS: Final = ("", "404 page not found", CHALLENGE, "upstream connect error")

_BODIES: Final[tuple[Any, ...]] = (
    {}, [], "m", 7, True,
    {"error": "m"}, {"error": None}, {"error": []}, {"error": {}},
    {"error": {"message": "m", "code": "c", "type": "t", "param": None}},
    {"error": {"message": None, "code": 429, "status": None, "details": None}},
    {"error": {"message": {"a": 1}, "code": [], "details": "d", "metadata": 1}},
    {"error": {"message": "世界 🌍 " * 200}},
    {"errors": [{"code": 1, "message": "m"}]}, {"errors": None}, {"errors": ["m", None]},
    {"message": "m", "type": "t"}, {"detail": "m"}, {"detail": [{"loc": ["body", 1], "msg": "m", "type": "t"}]},
    {"code": 7, "msg": "m"}, {"success": False, "result": None}, {"status": 400, "title": "m"},
    [{"error": {"message": "m", "code": 400, "details": [{"@type": "t"}, None]}}], [None], [[]],
)  # fmt: skip

HEADERS: Final[tuple[Json, ...]] = (
    {},
    {"retry-after": "3"},
    {"retry-after": "soon", "retry-after-ms": "", "x-ratelimit-reset-requests": "-1", "content-type": "x/y"},
)


def refusals() -> Iterator[Answer]:
    """Iterate over the matrix of statuses and bodies, and over odd headers with some."""
    for status in REFUSED:
        for text in _TEXTS:
            yield Answer(status, {}, None, text)
        for body in _BODIES:
            yield Answer(status, {}, body)
    for status in (400, 413, 429, 503):
        for headers in HEADERS[1:]:
            yield Answer(status, headers, {"error": {"message": "m"}})
            yield Answer(status, headers, None, "slow down")


def completion(content: Any = "Hi", finish_reason: Any = "stop", **message: Any) -> Json:
    """Return a chat completion as OpenAI makes it."""
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish_reason}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    }  # fmt: skip


def _call(arguments: Any, **fields: Any) -> Json:
    return {
        "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}, **fields,
    }  # fmt: skip


WHOLE: Final[tuple[Any, ...]] = (
    None, {}, [], "text", 7,
    {"choices": []}, {"choices": None}, {"choices": [None]}, {"choices": [{}]}, {"choices": [{"message": None}]},
    {"candidates": []}, {"result": None, "success": True}, {"data": []}, {"message": "m"},
    {"error": {"message": "m"}}, {"error": "m"}, {"errors": [{"message": "m"}]}, *_BODIES[10:16],
    completion(), completion(""), completion(None), completion([{"type": "text", "text": "Hi"}]),
    completion("", "length"), completion("Hi", None), completion("Hi", "eos"), completion("Hi", "content_filter"),
    completion("世界 🌍\u0000"), completion(None, refusal="No."), completion(None, reasoning_content="hm"),
    {**completion(), "usage": None}, {**completion(), "usage": {"prompt_tokens": "3"}}, {**completion(), "id": 7},
    completion(None, "tool_calls", tool_calls=[_call('{"city": "Paris"}'), _call("{}", id="call_2")]),
    completion(None, "stop", tool_calls=[_call("{}", id=None), _call("{}", id=None)]),
    completion(None, "tool_calls", tool_calls=[_call({"city": "Paris"})]),
    completion(None, "tool_calls", tool_calls=[_call("", id="")]),
    completion(None, "tool_calls", tool_calls=[]), completion("Hi", tool_calls=None),
)  # fmt: skip
"""Bodies of 2xx answers: sound ones, odd ones, and such as are no answer at all."""


def whole_answers() -> Iterator[Answer]:
    """Iterate over whole 2xx answers."""
    for body in WHOLE:
        yield Answer(200, {}, body)
    yield Answer(200, {}, None, CHALLENGE)
    yield Answer(204, {}, None)


def chunk(delta: Any = None, finish_reason: Any = None, **fields: Any) -> Json:
    """Return a chunk as OpenAI makes it; without a delta, one without choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **fields,
    }  # fmt: skip


def _calls(*calls: Json) -> Json:
    return chunk({"tool_calls": list(calls)})


def _part(index: Any, arguments: str, **fields: Any) -> Json:
    return {"index": index, "function": {"arguments": arguments}, **fields}


_ROLE: Final = chunk({"role": "assistant", "content": ""})
_USAGE: Final = chunk(usage={"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8})
_BEGUN: Final = _call('{"ci', index=0)
_TEXT: Final = (_ROLE, chunk({"content": "Hi"}), chunk({"content": " 世界 🌍"}))
_STOP: Final = chunk({}, "stop")
_CALLED: Final = chunk({}, "tool_calls")

STREAMS: Final[dict[str, Sequence[Any]]] = {
    "text": (*_TEXT, _STOP, _USAGE),
    "text without usage": (*_TEXT, _STOP),
    "no role": (chunk({"content": "Hi"}), _STOP),
    "role in every chunk": (*(chunk({"role": "assistant", "content": text}) for text in "abc"), _STOP),
    "finish with the last text": (_ROLE, chunk({"content": "Hi"}, "stop")),
    "usage with the finish": (*_TEXT, {**_STOP, "usage": _USAGE["usage"]}),
    "usage in every chunk": (*({**one, "usage": _USAGE["usage"]} for one in (*_TEXT, _STOP)), _USAGE),
    "two finishes": (*_TEXT, _STOP, _STOP),
    "text after the finish": (*_TEXT, _STOP, chunk({"content": "more"})),
    "reasoning": (_ROLE, chunk({"reasoning_content": "hm"}), chunk({"reasoning": "!"}), *_TEXT[1:], _STOP),
    "one call": (_ROLE, _calls(_BEGUN), _calls(_part(0, 'ty": "Paris"}')), _CALLED, _USAGE),
    "parallel calls": (
        _ROLE, _calls(_call("{}", index=0)), _calls(_call('{"a"', index=1, id="call_2")),
        _calls(_part(1, ": 1}"), _call("{}", index=2, id="call_3")), _CALLED,
    ),
    "calls of one index": (_ROLE, _calls(_call("{}", index=0)), _calls(_call("{}", index=0, id="call_2")), _CALLED),
    "calls without index": (_ROLE, _calls(_call("{}")), _calls(_call("{}", id="call_2")), _STOP),
    "calls without id": (_ROLE, _calls(_call("{}", index=0, id=None)), _calls(_call("{}", index=1, id="")), _CALLED),
    "gap in the indexes": (_ROLE, _calls(_call("{}", index=1)), _calls(_call("{}", index=3, id="call_2")), _CALLED),
    "id in every part": (_ROLE, _calls(_BEGUN), _calls(_part(0, 'ty": 1}', id="call_1", type="function")), _CALLED),
    "arguments as an object": (_ROLE, _calls(_call({"city": "Paris"}, index=0)), _CALLED),
    "text and a call": (*_TEXT, _calls(_call("{}", index=0)), _CALLED),
    "call cut": (_ROLE, _calls(_BEGUN), _CALLED),
    "message in place of a delta": (completion(),),
    "keepalives": (chunk(), *_TEXT, chunk(), chunk({}), _STOP),
    "filtered": (_ROLE, chunk({}, "content_filter")),
    "too short": (_ROLE, chunk({}, "length")),
    "odd finish": (*_TEXT, chunk({}, "eos")),
    "gave up": (*_TEXT, chunk({}, "error")),
    "error first": ({"error": {"message": "m", "code": 500}},),
    "error later": (*_TEXT, {"error": {"message": "m", "type": "server_error"}}),
    "error in a choice": (_ROLE, {**chunk({}), "choices": [{"index": 0, "delta": {}, "error": {"message": "m"}}]}),
    "nothing said": (_ROLE, _STOP),
    "cut": _TEXT,
    "null members": (chunk({"role": None, "content": None, "tool_calls": None}), *_TEXT[1:], _STOP),
    "other identities": (*_TEXT, {**_STOP, "id": "other", "created": 2, "model": "other"}),
}  # fmt: skip
"""Streams in OpenAI's dialect, sound and odd, by what is special about them."""

SOUND: Final = frozenset(
    {"text", "text without usage", "reasoning", "one call", "parallel calls", "text and a call"}
)
"""The streams as OpenAI itself makes them."""

GARBAGE: Final[tuple[Any, ...]] = (
    None, [], {}, "text", 7, {"choices": None}, {"choices": [None]}, {"choices": [{}]}, {"choices": [{"delta": None}]},
    {"choices": [{"delta": {"content": 7}}]}, {"choices": [{"delta": {"tool_calls": [None, {}]}}]},
    {"candidates": [None]}, {"type": "ping"}, {"error": None}, {"usage": None}, {"message": "m"},
)  # fmt: skip
"""Data of events that no service should send."""


def events(data: Sequence[Any]) -> list[Event]:
    """Return data as the events of a stream."""
    return [Event("message", one) for one in data]


def embedding_list(vectors: int) -> Json:
    """Return an embedding list as OpenAI makes it."""
    rows = [
        {"object": "embedding", "index": index, "embedding": [0.5, -0.5, 0.25]} for index in range(vectors)
    ]
    return {
        "object": "list", "model": "m", "data": rows, "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }  # fmt: skip


EMBEDDED: Final[tuple[Any, ...]] = (
    *WHOLE[:6], {"data": None}, {"data": [None]}, {"data": [{"index": 0}]}, {"embeddings": []},
    {"error": {"message": "m"}}, {"data": [{"index": 7, "embedding": [0.5]}]}, {"data": [{"index": 0, "embedding": "AA=="}]},
)  # fmt: skip
"""Bodies of 2xx answers to a request for embeddings that are none."""

LISTS: Final[tuple[Any, ...]] = (
    *WHOLE[:5], {"data": []}, {"data": [None, {}, {"id": None}, {"id": []}, {"id": {}}]},
    {"models": [{"id": "a"}]}, {"data": [{"id": "a"}, {"id": "a"}]}, {"data": [{"id": "a", "object": "model"}]},
    {"data": [{"id": "a", "context_length": "many", "pricing": {"prompt": "free"}, "capabilities": None}]},
    {"models": [{"name": "models/a"}, None]}, [{"id": "a"}, {"name": "b"}], {"result": [{"name": "a"}]}, {"data": {}},
)  # fmt: skip
"""Bodies of 2xx answers to a request for a list of models: lists of several dialects, and such as are none."""
