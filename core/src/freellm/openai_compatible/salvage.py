"""Tool calls rescued from the text in which a model wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from freellm.openai_compatible.response import COMPLETION
from freellm.openai_compatible.tool_calls import arguments_text, make_id
from freellm.types import ChatRequest, Json

# `<function=read={"path": …}</function>`, `<function=read>{…}`, `read{…}</function>`: dialects seen from Llama models.
_TAGGED: Final = re.compile(r"<function=\s*([\w.-]+)")
_SUFFIXED: Final = re.compile(r"^\s*([\w.-]+)\s*(?=\{.*</function>\s*$)", re.DOTALL)
_FENCE: Final = re.compile(r"^\s*```(?:json)?\s*(.*?)\s*```\s*$", re.DOTALL)
_HERMES: Final = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


def salvaged_completion(request: ChatRequest, text: str) -> Json | None:
    """Return the completion with the tool calls that a text holds, None unless all of it was understood.

    Only tools of the request are called, and only one if the client wants no parallel calls.

    :param text: what the model wrote and the service could not read
    """
    offered = {tool.get("function", {}).get("name") for tool in request.parameters.get("tools", ())}
    calls = list(_calls_in(text))
    if not calls or not all(name in offered for name, _ in calls):
        return None
    if request.parameters.get("tool_choice") == "none":
        return None
    if request.parameters.get("parallel_tool_calls") is False:
        del calls[1:]
    message = {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {
                "id": make_id(position, name, arguments, text),
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            for position, (name, arguments) in enumerate(calls)
        ],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}
    return {"object": COMPLETION, "choices": [choice]}


def _calls_in(text: str) -> Iterator[tuple[str, str]]:
    if starts := list(_TAGGED.finditer(text)):
        ends = [start.start() for start in starts[1:]] + [len(text)]
        for start, end in zip(starts, ends, strict=True):
            yield from _one(start[1], text[start.end() : end])
        return
    if suffixed := _SUFFIXED.match(text):
        yield from _one(suffixed[1], text[suffixed.end() :])
        return
    if blocks := _HERMES.findall(text):
        for block in blocks:
            yield from _listed(_json(block))
        return
    fenced = _FENCE.match(text)
    yield from _listed(_json(fenced[1] if fenced else text))


def _one(name: str, rest: str) -> Iterator[tuple[str, str]]:
    body = rest.partition("</function>")[0]
    start, end = body.find("{"), body.rfind("}")
    if start < 0:
        yield name, "{}"
    elif isinstance(_json(body[start : end + 1]), dict):
        yield name, body[start : end + 1]
    else:
        yield "", ""  # not understood: no tool has this name, so nothing is salvaged


def _listed(found: Any) -> Iterator[tuple[str, str]]:
    if isinstance(found, dict):
        found = found.get("tool_calls", [found])
    for call in found if isinstance(found, list) else ():
        if isinstance(call, dict):
            function = call.get("function", call)
            function = function if isinstance(function, dict) else {"name": function, **call}
            arguments = function.get("arguments", function.get("parameters"))
            yield str(function.get("name") or ""), arguments_text(arguments) or "{}"


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
