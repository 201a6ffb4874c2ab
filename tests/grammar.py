"""The grammar of OpenAI's chat answers, as strict clients need it. Every test that sees a stream checks it with this.

`check_stream` takes the bytes a client received, `check_completion` a whole answer, `check_error` an error body. Each
raises `AssertionError` with the rule that was broken.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from grammar_whole import (
    FINISH_REASONS,
    check_arguments,
    check_call,
    check_completion,
    check_error,
    check_usage,
)

__all__ = ["StreamReport", "ToolCall", "check_completion", "check_error", "check_stream"]


@dataclass
class ToolCall:
    """A tool call put together from its deltas."""

    id: str
    name: str
    arguments: str = ""


@dataclass
class StreamReport:
    """What a stream said."""

    id: str = ""
    model: str = ""
    created: int = 0
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    chunks: int = 0
    comments: int = 0
    done: bool = False
    bodies: list[dict[str, Any]] = field(default_factory=list)


def check_stream(raw: bytes, *, include_usage: bool = False) -> StreamReport:
    """Check a whole stream and return what it said.

    :param raw: every byte of the body
    :param include_usage: whether the client asked for usage
    """
    report = StreamReport()
    for data in _events(raw, report):
        assert not report.done, f"something follows [DONE]: {data[:80]!r}"
        assert report.error is None, f"something follows the error: {data[:80]!r}"
        if data == "[DONE]":
            report.done = True
        else:
            _take(_object(data), report, include_usage)
    _check_end(report, include_usage)
    return report


def _events(raw: bytes, report: StreamReport) -> list[str]:
    """Cut a stream in events, each `data: …` on one line and a blank line; comments are blocks of their own."""
    text = raw.decode("utf-8")  # invalid UTF-8 raises, and is wrong
    assert "\r" not in text, "a line ends in CR"
    assert text.endswith("\n\n"), f"the stream does not end with a blank line: {text[-80:]!r}"
    events = []
    for block in text[:-2].split("\n\n"):
        if block.startswith(":"):
            assert "\n" not in block, f"a comment is mixed with an event: {block[:80]!r}"
            report.comments += 1
        else:
            assert block.startswith("data: "), f"an event does not start with 'data: ': {block[:80]!r}"
            assert "\n" not in block, f"an event has more than one line: {block[:80]!r}"
            events.append(block[6:])
    return events


def _object(data: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise AssertionError(f"an event is not one JSON value: {data[:80]!r}") from error
    assert isinstance(value, dict), f"an event is not a JSON object: {data[:80]!r}"
    return value


def _take(chunk: dict[str, Any], report: StreamReport, include_usage: bool) -> None:
    if "error" in chunk:
        check_error(chunk)
        assert report.finish_reason is None, "an error follows the finish"
        report.error = chunk["error"]
        return
    _check_identity(chunk, report)
    report.chunks += 1
    report.bodies.append(chunk)
    choices = chunk.get("choices")
    assert isinstance(choices, list), f"choices is not an array: {chunk}"
    assert len(choices) <= 1, f"a chunk has more than one choice: {chunk}"
    if chunk.get("usage") is not None:
        _take_usage(chunk, report, include_usage)
    for choice in choices:
        _take_choice(choice, report)


def _check_identity(chunk: dict[str, Any], report: StreamReport) -> None:
    assert chunk.get("object") == "chat.completion.chunk", f"object is wrong: {chunk}"
    id_, created, model = chunk.get("id"), chunk.get("created"), chunk.get("model")
    assert isinstance(id_, str), f"id is not a string: {chunk}"
    assert id_, f"id is empty: {chunk}"
    assert type(created) is int, f"created is not an integer: {chunk}"
    assert isinstance(model, str), f"model is not a string: {chunk}"
    assert model, f"model is empty: {chunk}"
    if not report.chunks:
        report.id, report.created, report.model = id_, created, model
    assert (id_, created, model) == (report.id, report.created, report.model), (
        f"id, created or model changed: {chunk}"
    )


def _take_usage(chunk: dict[str, Any], report: StreamReport, include_usage: bool) -> None:
    assert include_usage, "usage was not asked for"
    assert report.usage is None, "usage comes twice"
    assert chunk["choices"] == [], "the usage chunk has choices"
    assert report.finish_reason is not None, "usage comes before the finish"
    check_usage(chunk["usage"])
    report.usage = chunk["usage"]


def _take_choice(choice: dict[str, Any], report: StreamReport) -> None:
    assert isinstance(choice, dict), f"a choice is not an object: {choice}"
    assert choice.get("index") == 0, f"the choice's index is not 0: {choice}"
    assert type(choice["index"]) is int, f"the choice's index is not an integer: {choice}"
    delta = choice.get("delta")
    assert isinstance(delta, dict), f"delta is not an object: {choice}"
    assert report.finish_reason is None, f"a choice follows the finish: {choice}"
    if not any(body["choices"] for body in report.bodies[:-1]):
        assert delta.get("role") == "assistant", f"the first choice has no role: {choice}"
    else:
        assert delta.get("role", "assistant") == "assistant", f"the role changed: {choice}"
    report.text += _text(delta, "content")
    report.reasoning += _text(delta, "reasoning_content") or _text(delta, "reasoning")
    report.refusal += _text(delta, "refusal")
    calls = delta.get("tool_calls")
    assert calls is None or isinstance(calls, list), f"tool_calls is not an array: {choice}"
    for call in calls or ():
        _take_call(call, report)
    reason = choice.get("finish_reason")
    if reason is not None:
        assert reason in FINISH_REASONS, f"the finish reason is unknown: {reason!r}"
        report.finish_reason = reason


def _text(delta: dict[str, Any], name: str) -> str:
    value = delta.get(name)
    assert value is None or isinstance(value, str), f"{name} is not a string: {delta}"
    return value or ""


def _take_call(call: dict[str, Any], report: StreamReport) -> None:
    assert isinstance(call, dict), f"a tool call is not an object: {call}"
    index = call.get("index")
    assert type(index) is int, f"a tool call's index is not an integer: {call}"
    assert 0 <= index <= len(report.tool_calls), f"tool call indexes have a gap: {call}"
    function = call.get("function")
    assert isinstance(function, dict), f"a tool call's function is not an object: {call}"
    if index == len(report.tool_calls):
        report.tool_calls.append(_new_call(call, function, report.tool_calls))
    else:
        repeated = [name for name in ("id", "type") if call.get(name) is not None]
        assert not repeated, f"a later delta of a tool call repeats its {repeated[0]}: {call}"
        assert function.get("name") is None, f"a later delta of a tool call repeats its name: {call}"
    report.tool_calls[index].arguments += _text(function, "arguments")


def _new_call(call: dict[str, Any], function: dict[str, Any], earlier: list[ToolCall]) -> ToolCall:
    id_, name = call.get("id"), function.get("name")
    check_call(id_, call.get("type"), name)
    assert id_ not in {other.id for other in earlier}, f"two tool calls have the id {id_!r}"
    return ToolCall(str(id_), str(name))


def _check_end(report: StreamReport, include_usage: bool) -> None:
    if report.error is not None:
        return  # an error is the end: no [DONE] follows it, and what it cut need not be whole
    assert report.done, "the stream ends with neither [DONE] nor an error"
    assert report.finish_reason is not None, "there is no finish reason"
    for call in report.tool_calls:
        check_arguments(call.name, call.arguments)
    assert not include_usage or report.usage is not None, "usage was asked for and did not come"
