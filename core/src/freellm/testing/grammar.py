"""The grammar of OpenAI's chat streams, as strict clients need it.

`check_stream` takes the bytes a client received, `check_chunks` the chunks in them. Both raise `AssertionError` with the
rule that was broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from freellm.testing.breach import require
from freellm.testing.grammar_whole import (
    FINISH_REASONS,
    check_arguments,
    check_call,
    check_error,
    check_usage,
)


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
        require(not report.done, "something follows [DONE]", data)
        require(report.error is None, "something follows the error", data)
        if data == "[DONE]":
            report.done = True
        else:
            _take(_object(data), report, include_usage)
    if report.error is None:  # an error is the end: no [DONE] follows it, and what it cut need not be whole
        require(report.done, "the stream ends with neither [DONE] nor an error")
        _check_end(report)
        require(not include_usage or report.usage is not None, "usage was asked for and did not come")
    return report


def check_chunks(
    chunks: Iterable[dict[str, Any]], *, whole: bool = True, arguments: bool = True
) -> StreamReport:
    """Check the chunks of a stream, usage among them or not, and return what they said.

    :param whole: whether nothing more comes; a stream that goes on need not have come to its finish reason
    :param arguments: whether the arguments of tool calls must be JSON, which they are unless the service cut them
    """
    report = StreamReport()
    for chunk in chunks:
        _take(chunk, report, include_usage=True)
    if whole and report.error is None:
        _check_end(report, arguments=arguments)
    return report


def _events(raw: bytes, report: StreamReport) -> list[str]:
    """Cut a stream in events, each `data: …` on one line and a blank line; comments are blocks of their own."""
    text = raw.decode("utf-8")  # invalid UTF-8 raises, and is wrong
    require("\r" not in text, "a line ends in CR")
    require(text.endswith("\n\n"), f"the stream does not end with a blank line: {text[-80:]!r}")
    events = []
    for block in text[:-2].split("\n\n"):
        if block.startswith(":"):
            require("\n" not in block, "a comment is mixed with an event", block)
            report.comments += 1
        else:
            require(block.startswith("data: "), "an event does not start with 'data: '", block)
            require("\n" not in block, "an event has more than one line", block)
            events.append(block[6:])
    return events


def _object(data: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise AssertionError(f"an event is not one JSON value: {data[:80]!r}") from error
    if not isinstance(value, dict):
        raise AssertionError(f"an event is not a JSON object: {data[:80]!r}")
    return value


def _take(chunk: Any, report: StreamReport, include_usage: bool) -> None:
    if "error" in chunk:
        check_error(chunk)
        require(report.finish_reason is None, "an error follows the finish")
        report.error = chunk["error"]
        return
    _check_identity(chunk, report)
    report.chunks += 1
    report.bodies.append(chunk)
    choices = chunk.get("choices")
    require(isinstance(choices, list), "choices is not an array", chunk)
    require(len(choices) <= 1, "a chunk has more than one choice", chunk)
    if chunk.get("usage") is not None:
        _take_usage(chunk, report, include_usage)
    for choice in choices:
        _take_choice(choice, report)


def _check_identity(chunk: Any, report: StreamReport) -> None:
    require(chunk.get("object") == "chat.completion.chunk", "object is wrong", chunk)
    id_, created, model = chunk.get("id"), chunk.get("created"), chunk.get("model")
    require(isinstance(id_, str), "id is not a string", chunk)
    require(id_, "id is empty", chunk)
    require(type(created) is int, "created is not an integer", chunk)
    require(isinstance(model, str), "model is not a string", chunk)
    require(model, "model is empty", chunk)
    if not report.chunks:
        report.id, report.created, report.model = id_, created, model
    require(
        (id_, created, model) == (report.id, report.created, report.model),
        "id, created or model changed",
        chunk,
    )


def _take_usage(chunk: Any, report: StreamReport, include_usage: bool) -> None:
    require(include_usage, "usage was not asked for")
    require(report.usage is None, "usage comes twice")
    require(chunk["choices"] == [], "the usage chunk has choices")
    require(report.finish_reason is not None, "usage comes before the finish")
    check_usage(chunk["usage"])
    report.usage = chunk["usage"]


def _take_choice(choice: Any, report: StreamReport) -> None:
    require(isinstance(choice, dict), "a choice is not an object", choice)
    require(choice.get("index") == 0, "the choice's index is not 0", choice)
    require(type(choice["index"]) is int, "the choice's index is not an integer", choice)
    delta = choice.get("delta")
    require(isinstance(delta, dict), "delta is not an object", choice)
    require(report.finish_reason is None, "a choice follows the finish", choice)
    if not any(body["choices"] for body in report.bodies[:-1]):
        require(delta.get("role") == "assistant", "the first choice has no role", choice)
    else:
        require(delta.get("role", "assistant") == "assistant", "the role changed", choice)
    report.text += _text(delta, "content")
    report.reasoning += _text(delta, "reasoning_content") or _text(delta, "reasoning")
    report.refusal += _text(delta, "refusal")
    calls = delta.get("tool_calls")
    require(calls is None or isinstance(calls, list), "tool_calls is not an array", choice)
    for call in calls or ():
        _take_call(call, report)
    reason = choice.get("finish_reason")
    if reason is not None:
        require(reason in FINISH_REASONS, "the finish reason is unknown", reason)
        report.finish_reason = reason


def _text(delta: Any, name: str) -> str:
    value = delta.get(name)
    require(value is None or isinstance(value, str), f"{name} is not a string", delta)
    return value or ""


def _take_call(call: Any, report: StreamReport) -> None:
    require(isinstance(call, dict), "a tool call is not an object", call)
    index = call.get("index")
    require(type(index) is int, "a tool call's index is not an integer", call)
    require(0 <= index <= len(report.tool_calls), "tool call indexes have a gap", call)
    function = call.get("function")
    require(isinstance(function, dict), "a tool call's function is not an object", call)
    if index == len(report.tool_calls):
        report.tool_calls.append(_new_call(call, function, report.tool_calls))
    else:
        repeated = [name for name in ("id", "type") if call.get(name) is not None]
        require(not repeated, f"a later delta of a tool call repeats its {' and '.join(repeated)}", call)
        require(function.get("name") is None, "a later delta of a tool call repeats its name", call)
    report.tool_calls[index].arguments += _text(function, "arguments")


def _new_call(call: Any, function: Any, earlier: list[ToolCall]) -> ToolCall:
    id_, name = call.get("id"), function.get("name")
    check_call(id_, call.get("type"), name)
    require(id_ not in {other.id for other in earlier}, f"two tool calls have the id {id_!r}")
    return ToolCall(str(id_), str(name))


def _check_end(report: StreamReport, *, arguments: bool = True) -> None:
    require(report.finish_reason is not None, "there is no finish reason")
    for call in report.tool_calls if arguments else ():
        check_arguments(call.name, call.arguments)
