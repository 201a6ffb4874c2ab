"""The grammar of OpenAI's whole chat answers and error bodies, and what streams share with them.

`check_completion` takes a whole answer, `check_error` an error body. Both raise `AssertionError` with the rule that was
broken.
"""

from __future__ import annotations

import json
from typing import Any, Final

from freellm.testing.breach import require

FINISH_REASONS: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
ERROR_KEYS: Final = frozenset({"message", "type", "param", "code"})
USAGE_KEYS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
MAX_CALL_ID: Final = 40


def check_usage(usage: Any) -> None:
    """Check a usage object: three whole numbers, the third of them the sum of the others."""
    require(isinstance(usage, dict), "usage is not an object", usage)
    for name in USAGE_KEYS:
        require(type(usage.get(name)) is int, f"usage.{name} is not an integer", usage)
        require(usage[name] >= 0, f"usage.{name} is negative", usage)
    total = usage["total_tokens"]
    require(
        total >= usage["prompt_tokens"] + usage["completion_tokens"], "usage.total_tokens is too small", usage
    )


def check_completion(body: Any) -> None:
    """Check a whole answer."""
    require("error" not in body, "an answer holds an error", body.get("error"))
    require(body.get("object") == "chat.completion", "object is wrong", body.get("object"))
    for name in ("id", "model"):
        require(isinstance(body.get(name), str), f"{name} is not a string: {body.get(name)!r}")
        require(body[name], f"{name} is empty")
    require(type(body.get("created")) is int, f"created is not an integer: {body.get('created')!r}")
    choices = body.get("choices")
    require(isinstance(choices, list), "choices is not an array")
    require(len(choices) == 1, f"there are {len(choices)} choices, not one")
    _check_choice(choices[0])
    check_usage(body.get("usage"))


def _check_choice(choice: Any) -> None:
    require(choice.get("index") == 0, "the choice's index is not 0", choice)
    require(choice.get("finish_reason") in FINISH_REASONS, "the finish reason is unknown", choice)
    message = choice.get("message")
    require(isinstance(message, dict), "message is not an object", choice)
    require(message.get("role") == "assistant", "the role is not assistant", message)
    require("content" in message, "content is missing", message)
    content = message["content"]
    require(content is None or isinstance(content, str), "content is neither string nor null", message)
    calls = message.get("tool_calls")
    require(calls is None or (isinstance(calls, list) and calls), "tool_calls is not a filled array", message)
    ids = [_check_whole_call(call) for call in calls or ()]
    require(len(set(ids)) == len(ids), "two tool calls have one id", ids)


def _check_whole_call(call: Any) -> str:
    function = call.get("function")
    require(isinstance(function, dict), "a tool call's function is not an object", call)
    check_call(call.get("id"), call.get("type"), function.get("name"))
    check_arguments(str(function["name"]), function.get("arguments"))
    return str(call["id"])


def check_error(body: Any) -> None:
    """Check an error body: `error` with OpenAI's four keys; what freellm adds stands in `x_freellm`."""
    error = body.get("error")
    require(isinstance(error, dict), "error is not an object", body)
    missing = ERROR_KEYS - error.keys()
    require(not missing, f"the error lacks {sorted(missing)}: {error}")
    unknown = error.keys() - ERROR_KEYS - {"x_freellm"}
    require(not unknown, f"the error has keys of no client's knowledge, {sorted(unknown)}: {error}")
    for name in ("message", "type"):
        require(isinstance(error[name], str), f"error.{name} is not a string", error)
        require(error[name], f"error.{name} is empty", error)
    for name in ("param", "code"):
        require(
            error[name] is None or isinstance(error[name], str),
            f"error.{name} is neither string nor null",
            error,
        )


def check_call(id_: Any, type_: Any, name: Any) -> None:
    """Check what names a tool call."""
    require(isinstance(id_, str), "a tool call's id is not a string", id_)
    require(0 < len(id_) <= MAX_CALL_ID, f"a tool call's id has not 1 to {MAX_CALL_ID} characters: {id_!r}")
    require(type_ == "function", "a tool call's type is not function", type_)
    require(isinstance(name, str), "a tool call's name is not a string", name)
    require(name, "a tool call's name is empty")


def check_arguments(name: str, arguments: Any) -> None:
    """Check the whole arguments of a tool call: the text of a JSON value."""
    require(isinstance(arguments, str), f"the arguments of {name} are not a string: {arguments!r}")
    try:
        json.loads(arguments)
    except ValueError as error:
        raise AssertionError(f"the arguments of {name} are not JSON: {arguments[:80]!r}") from error
