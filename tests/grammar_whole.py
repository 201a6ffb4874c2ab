"""The grammar of OpenAI's whole chat answers and error bodies; what streams share with them too."""

from __future__ import annotations

import json
from typing import Any

FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
ERROR_KEYS = frozenset({"message", "type", "param", "code"})
USAGE_KEYS = ("prompt_tokens", "completion_tokens", "total_tokens")
MAX_CALL_ID = 40


def check_usage(usage: object) -> None:
    """Check a usage object: three whole numbers, the third of them the sum of the others."""
    assert isinstance(usage, dict), f"usage is not an object: {usage!r}"
    for name in USAGE_KEYS:
        assert type(usage.get(name)) is int, f"usage.{name} is not an integer: {usage}"
        assert usage[name] >= 0, f"usage.{name} is negative: {usage}"
    total = usage["total_tokens"]
    assert total >= usage["prompt_tokens"] + usage["completion_tokens"], (
        f"usage.total_tokens is too small: {usage}"
    )


def check_completion(body: dict[str, Any]) -> None:
    """Check a whole answer."""
    assert "error" not in body, f"an answer holds an error: {body['error']}"
    assert body.get("object") == "chat.completion", f"object is wrong: {body.get('object')!r}"
    for name in ("id", "model"):
        assert isinstance(body.get(name), str), f"{name} is not a string: {body.get(name)!r}"
        assert body[name], f"{name} is empty"
    assert type(body.get("created")) is int, f"created is not an integer: {body.get('created')!r}"
    choices = body.get("choices")
    assert isinstance(choices, list), "choices is not an array"
    assert len(choices) == 1, f"there are {len(choices)} choices, not one"
    _check_choice(choices[0])
    check_usage(body.get("usage"))


def _check_choice(choice: dict[str, Any]) -> None:
    assert choice.get("index") == 0, f"the choice's index is not 0: {choice}"
    assert choice.get("finish_reason") in FINISH_REASONS, f"the finish reason is unknown: {choice}"
    message = choice.get("message")
    assert isinstance(message, dict), f"message is not an object: {choice}"
    assert message.get("role") == "assistant", f"the role is not assistant: {message}"
    assert "content" in message, f"content is missing: {message}"
    content = message["content"]
    assert content is None or isinstance(content, str), f"content is neither string nor null: {message}"
    calls = message.get("tool_calls")
    assert calls is None or (isinstance(calls, list) and calls), (
        f"tool_calls is not a filled array: {message}"
    )
    ids = [_check_whole_call(call) for call in calls or ()]
    assert len(set(ids)) == len(ids), f"two tool calls have one id: {ids}"


def _check_whole_call(call: dict[str, Any]) -> str:
    function = call.get("function")
    assert isinstance(function, dict), f"a tool call's function is not an object: {call}"
    check_call(call.get("id"), call.get("type"), function.get("name"))
    check_arguments(str(function["name"]), function.get("arguments"))
    return str(call["id"])


def check_error(body: dict[str, Any]) -> None:
    """Check an error body: `error` with OpenAI's four keys; what freellm adds stands in `x_freellm`."""
    error = body.get("error")
    assert isinstance(error, dict), f"error is not an object: {body}"
    missing = ERROR_KEYS - error.keys()
    assert not missing, f"the error lacks {sorted(missing)}: {error}"
    unknown = error.keys() - ERROR_KEYS - {"x_freellm"}
    assert not unknown, f"the error has keys of no client's knowledge, {sorted(unknown)}: {error}"
    for name in ("message", "type"):
        assert isinstance(error[name], str), f"error.{name} is not a string: {error}"
        assert error[name], f"error.{name} is empty: {error}"
    for name in ("param", "code"):
        assert error[name] is None or isinstance(error[name], str), (
            f"error.{name} is neither string nor null: {error}"
        )


def check_call(id_: object, type_: object, name: object) -> None:
    """Check what names a tool call."""
    assert isinstance(id_, str), f"a tool call's id is not a string: {id_!r}"
    assert 0 < len(id_) <= MAX_CALL_ID, f"a tool call's id has not 1 to {MAX_CALL_ID} characters: {id_!r}"
    assert type_ == "function", f"a tool call's type is not function: {type_!r}"
    assert isinstance(name, str), f"a tool call's name is not a string: {name!r}"
    assert name, "a tool call's name is empty"


def check_arguments(name: str, arguments: object) -> None:
    """Check the whole arguments of a tool call: the text of a JSON value."""
    assert isinstance(arguments, str), f"the arguments of {name} are not a string: {arguments!r}"
    try:
        json.loads(arguments)
    except ValueError as error:
        raise AssertionError(f"the arguments of {name} are not JSON: {arguments[:80]!r}") from error
