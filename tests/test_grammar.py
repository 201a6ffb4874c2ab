"""The stream grammar: proper streams pass, and every rule catches its violation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from faults import wire
from freellm.testing import check_completion, check_error, check_stream

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
Chunks = list[dict[str, Any]]


def call(index: int, id_: str | None = None, name: str | None = None, arguments: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if id_ is not None:
        found |= {"id": id_, "type": "function"}
        found["function"]["name"] = name
    return found


def tools() -> Chunks:
    calls = [
        call(0, "call_a", "add"),
        call(0, arguments='{"a":'),
        call(0, arguments="1}"),
        call(1, "call_b", "f", "{}"),
    ]
    deltas: Chunks = [{"role": "assistant", "content": None}, *({"tool_calls": [one]} for one in calls)]
    return [*(wire.chunk(delta) for delta in deltas), wire.chunk({}, "tool_calls"), wire.chunk(usage=USAGE)]


def raw(chunks: Chunks, end: bytes | None = None) -> bytes:
    return wire.events(chunks) + (wire.done() if end is None else end)


def broken() -> bytes:
    return wire.events([*wire.opening(), wire.error("it died")])


# -- what is right ----------------------------------------------------------------------------------------------


def test_a_text_stream_passes_and_is_reported() -> None:
    report = check_stream(b": ping\n\n" + raw(wire.story()))
    assert (report.text, report.finish_reason, report.done) == (wire.TEXT, "stop", True)
    assert (report.id, report.model, report.created) == ("chatcmpl-fault", "faulty", 1_700_000_000)
    assert (report.chunks, report.comments, report.usage, report.error) == (len(wire.story()), 1, None, None)


def test_a_stream_of_tool_calls_with_usage_passes_and_is_reported() -> None:
    report = check_stream(raw(tools()), include_usage=True)
    assert [(one.id, one.name, json.loads(one.arguments)) for one in report.tool_calls] == [
        ("call_a", "add", {"a": 1}),
        ("call_b", "f", {}),
    ]
    assert report.usage == USAGE


def test_reasoning_and_refusals_are_reported() -> None:
    first = {"role": "assistant", "content": None, "reasoning_content": "hm", "reasoning": "hm"}
    chunks = [wire.chunk(first), wire.chunk({"reasoning": "!", "refusal": "no"}), wire.chunk({}, "stop")]
    report = check_stream(raw(chunks))
    assert (report.reasoning, report.refusal) == ("hm!", "no")


def test_a_stream_that_ends_in_an_error_passes_and_is_reported() -> None:
    report = check_stream(broken())
    assert (report.text, report.done, report.finish_reason) == (wire.TEXT, False, None)
    assert report.error == {"message": "it died", "type": "server_error", "param": None, "code": None}


def test_null_usage_and_freellms_own_fields_are_allowed() -> None:
    chunks = [{**chunk, "usage": None, "x_freellm": {}, "_routed_via": {}} for chunk in wire.story()]
    check_stream(raw(chunks))


# -- streams: one violation a rule ------------------------------------------------------------------------------


def edited(edit: Callable[[Chunks], object], build: Callable[[], Chunks] = wire.story) -> bytes:
    """A proper stream with one thing changed."""
    chunks = build()
    edit(chunks)
    return raw(chunks)


def at(position: int, **fields: Any) -> Callable[[Chunks], None]:
    """Change fields of one chunk."""
    return lambda chunks: chunks[position].update(fields)


def choice(position: int, **fields: Any) -> Callable[[Chunks], None]:
    """Change fields of one chunk's choice."""
    return lambda chunks: chunks[position]["choices"][0].update(fields)


def called(position: int, **fields: Any) -> Callable[[Chunks], None]:
    """Change fields of one chunk's tool call."""
    return lambda chunks: chunks[position]["choices"][0]["delta"]["tool_calls"][0].update(fields)


STORY = raw(wire.story())
VIOLATIONS: dict[str, tuple[str, bytes]] = {
    "carriage return": ("a line ends in CR", STORY.replace(b"\n", b"\r\n")),
    "no last blank line": ("does not end with a blank line", STORY[:-1]),
    "no space": ("does not start with 'data: '", STORY.replace(b"data: ", b"data:", 1)),
    "three line ends": ("does not start with 'data: '", STORY.replace(b"\n\n", b"\n\n\n", 1)),
    "event name": ("does not start with 'data: '", b"event: x\n" + STORY),
    "two data lines": ("more than one line", STORY.replace(b',"model"', b'\ndata: ,"model"', 1)),
    "comment inside": ("a comment is mixed", b": ping\n" + STORY),
    "two objects": ("not one JSON value", b"data: {} {}\n\n" + STORY),
    "empty data": ("not one JSON value", b"data: \n\n" + STORY),
    "an array": ("not a JSON object", b"data: []\n\n" + STORY),
    "no done": ("neither [DONE] nor an error", wire.events(wire.story())),
    "done twice": ("something follows [DONE]", STORY + wire.done()),
    "late chunk": ("something follows [DONE]", STORY + wire.events([wire.chunk({"content": "x"})])),
    "done after the error": ("something follows the error", broken() + wire.done()),
    "chunk after the error": (
        "something follows the error",
        broken() + wire.events([wire.chunk({}, "stop")]),
    ),
    "two errors": ("something follows the error", broken() + wire.events([wire.error("again")])),
    "error after the finish": (
        "an error follows the finish",
        wire.events([*wire.story(), wire.error("late")]),
    ),
    "error of another shape": ("the error lacks", wire.events([{"error": {"message": "x", "type": "y"}}])),
    "error is a string": ("error is not an object", wire.events([{"error": "x"}])),
    "object": ("object is wrong", edited(at(2, object="chat.completion"))),
    "id changes": ("id, created or model changed", edited(at(2, id="other"))),
    "created changes": ("id, created or model changed", edited(at(2, created=1))),
    "model changes": ("id, created or model changed", edited(at(2, model="other"))),
    "id is no string": ("id is not a string", edited(at(0, id=None))),
    "id is empty": ("id is empty", edited(at(0, id=""))),
    "created is no integer": ("created is not an integer", edited(at(0, created=1.5))),
    "model is no string": ("model is not a string", edited(at(0, model=None))),
    "model is empty": ("model is empty", edited(at(0, model=""))),
    "choices are missing": ("choices is not an array", edited(lambda chunks: chunks[1].pop("choices"))),
    "choices are null": ("choices is not an array", edited(at(1, choices=None))),
    "two choices": (
        "more than one choice",
        edited(lambda chunks: chunks[1]["choices"].append(chunks[2]["choices"][0])),
    ),
    "choice is no object": ("a choice is not an object", edited(at(1, choices=["x"]))),
    "index of the choice": ("index is not 0", edited(choice(1, index=1))),
    "boolean index": ("index is not an integer", edited(choice(1, index=False))),
    "delta is missing": (
        "delta is not an object",
        edited(lambda chunks: chunks[1]["choices"][0].pop("delta")),
    ),
    "no role": ("the first choice has no role", edited(choice(0, delta={"content": ""}))),
    "role too late": ("the first choice has no role", edited(lambda chunks: chunks.insert(0, chunks.pop(1)))),
    "role changes": ("the role changed", edited(choice(1, delta={"role": "user", "content": "x"}))),
    "content is no string": ("content is not a string", edited(choice(1, delta={"content": ["x"]}))),
    "reasoning is no string": (
        "reasoning_content is not a string",
        edited(choice(1, delta={"reasoning_content": 1})),
    ),
    "no finish": ("there is no finish reason", raw(wire.opening())),
    "two finishes": ("a choice follows the finish", edited(lambda chunks: chunks.append(chunks[-1]))),
    "text after the finish": ("a choice follows the finish", edited(lambda chunks: chunks.append(chunks[1]))),
    "unknown finish": ("the finish reason is unknown", edited(choice(-1, finish_reason="eos"))),
    "usage not asked for": (
        "usage was not asked for",
        edited(lambda chunks: chunks.append(wire.chunk(usage=USAGE))),
    ),
}
ASKED: dict[str, tuple[str, bytes]] = {
    "no usage": ("did not come", STORY),
    "usage twice": ("usage comes twice", edited(lambda chunks: chunks.append(chunks[-1]), tools)),
    "usage before the finish": (
        "before the finish",
        edited(lambda chunks: chunks.insert(-1, chunks.pop()), tools),
    ),
    "usage with the finish": (
        "the usage chunk has choices",
        edited(at(-1, choices=wire.story()[-1]["choices"]), tools),
    ),
    "usage is no object": ("usage is not an object", edited(at(-1, usage=[1]), tools)),
    "usage lacks a figure": ("is not an integer", edited(at(-1, usage={"prompt_tokens": 1}), tools)),
    "usage is negative": ("is negative", edited(at(-1, usage={**USAGE, "prompt_tokens": -1}), tools)),
    "usage does not add up": (
        "total_tokens is too small",
        edited(at(-1, usage={**USAGE, "total_tokens": 7}), tools),
    ),
    "calls are no array": ("tool_calls is not an array", edited(choice(1, delta={"tool_calls": {}}), tools)),
    "call is no object": (
        "a tool call is not an object",
        edited(choice(1, delta={"tool_calls": [1]}), tools),
    ),
    "call without index": ("index is not an integer", edited(called(1, index=None), tools)),
    "indexes with a gap": ("indexes have a gap", edited(called(4, index=2), tools)),
    "negative index": ("indexes have a gap", edited(called(4, index=-1), tools)),
    "call without function": ("function is not an object", edited(called(1, function=None), tools)),
    "call without id": ("id is not a string", edited(called(1, id=None), tools)),
    "id too long": ("has not 1 to 40 characters", edited(called(1, id="x" * 41), tools)),
    "empty id": ("has not 1 to 40 characters", edited(called(1, id=""), tools)),
    "call without type": ("type is not function", edited(called(1, type=None), tools)),
    "call without name": ("name is not a string", edited(called(1, function={"arguments": ""}), tools)),
    "empty name": ("name is empty", edited(called(1, function={"name": "", "arguments": ""}), tools)),
    "ids are the same": ("two tool calls have the id", edited(called(4, id="call_a"), tools)),
    "id repeated": ("repeats its id", edited(called(2, id="call_a"), tools)),
    "type repeated": ("repeats its type", edited(called(2, type="function"), tools)),
    "name repeated": ("repeats its name", edited(called(2, function={"name": "add"}), tools)),
    "arguments are no string": (
        "arguments is not a string",
        edited(called(2, function={"arguments": {}}), tools),
    ),
    "arguments are cut": ("are not JSON", edited(called(3, function={"arguments": "1"}), tools)),
    "arguments are missing": (
        "are not JSON",
        edited(called(4, function={"name": "f", "arguments": ""}), tools),
    ),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_every_rule_of_streams_catches_its_violation(name: str) -> None:
    words, text = VIOLATIONS[name]
    with pytest.raises(AssertionError) as caught:
        check_stream(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ASKED)
def test_every_rule_of_usage_and_tool_calls_catches_its_violation(name: str) -> None:
    words, text = ASKED[name]
    with pytest.raises(AssertionError) as caught:
        check_stream(text, include_usage=True)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"data: {\xff}\n\n"])
def test_nothing_and_invalid_utf_8_are_no_streams(text: bytes) -> None:
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        check_stream(text)


# -- whole answers and errors -----------------------------------------------------------------------------------


def with_calls(*calls: dict[str, Any]) -> dict[str, Any]:
    body = wire.completion(None, "tool_calls")
    body["choices"][0]["message"]["tool_calls"] = list(calls)
    return body


def whole_call(**fields: Any) -> dict[str, Any]:
    return {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{}"}, **fields}


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    body: Any = wire.completion()
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return dict(body)


MESSAGE = ("choices", 0, "message")
WRONG_WHOLE: dict[str, tuple[str, dict[str, Any]]] = {
    "an error": ("an answer holds an error", wire.error("x")),
    "object": ("object is wrong", changed("object", to="chat.completion.chunk")),
    "id": ("id is not a string", changed("id", to=None)),
    "empty model": ("model is empty", changed("model", to="")),
    "created": ("created is not an integer", changed("created", to="now")),
    "choices": ("choices is not an array", changed("choices", to=None)),
    "no choice": ("there are 0 choices", changed("choices", to=[])),
    "index": ("index is not 0", changed("choices", 0, "index", to=1)),
    "finish reason": ("the finish reason is unknown", changed("choices", 0, "finish_reason", to=None)),
    "message": ("message is not an object", changed(*MESSAGE, to=None)),
    "role": ("the role is not assistant", changed(*MESSAGE, "role", to="user")),
    "content missing": ("content is missing", changed(*MESSAGE, to={"role": "assistant"})),
    "content": ("neither string nor null", changed(*MESSAGE, "content", to=[])),
    "usage": ("usage is not an object", changed("usage", to=None)),
    "empty calls": ("not a filled array", with_calls()),
    "same ids": ("two tool calls have one id", with_calls(whole_call(), whole_call())),
    "call's function": ("function is not an object", with_calls(whole_call(function=None))),
    "call's type": ("type is not function", with_calls(whole_call(type="x"))),
    "arguments as an object": (
        "are not a string",
        with_calls(whole_call(function={"name": "f", "arguments": {}})),
    ),
    "arguments": ("are not JSON", with_calls(whole_call(function={"name": "f", "arguments": "{"}))),
}


def test_proper_whole_answers_pass() -> None:
    check_completion(wire.completion())
    check_completion(with_calls(whole_call(), whole_call(id="call_b")))


@pytest.mark.parametrize("name", WRONG_WHOLE)
def test_every_rule_of_whole_answers_catches_its_violation(name: str) -> None:
    words, body = WRONG_WHOLE[name]
    with pytest.raises(AssertionError) as caught:
        check_completion(body)
    assert words in str(caught.value)


def fault(**fields: Any) -> dict[str, Any]:
    return {"error": {**wire.error("x")["error"], **fields}}


WRONG_ERRORS: dict[str, tuple[str, dict[str, Any]]] = {
    "none": ("error is not an object", {"detail": "x"}),
    "a string": ("error is not an object", {"error": "x"}),
    "a key less": ("the error lacks ['code', 'param']", {"error": {"message": "x", "type": "y"}}),
    "a key more": ("keys of no client's knowledge, ['trace']", fault(trace="x")),
    "message": ("error.message is not a string", fault(message=None)),
    "empty message": ("error.message is empty", fault(message="")),
    "type": ("error.type is not a string", fault(type=None)),
    "code": ("error.code is neither string nor null", fault(code=401)),
    "param": ("error.param is neither string nor null", fault(param=[])),
}


def test_a_proper_error_passes() -> None:
    check_error(fault(code="invalid_api_key", param="model", x_freellm={"request_id": "r"}))


@pytest.mark.parametrize("name", WRONG_ERRORS)
def test_every_rule_of_errors_catches_its_violation(name: str) -> None:
    words, body = WRONG_ERRORS[name]
    with pytest.raises(AssertionError) as caught:
        check_error(body)
    assert words in str(caught.value)
