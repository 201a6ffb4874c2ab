"""Parsing a chat completion request: bytes in, a validated request out, every refusal naming its field and the cure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from freellm.catalogue import ABILITY_BITS
from freellm.errors import RequestError
from freellm.preferences import Preferences
from freellm.surfaces.openai.bodies import decoded, model_name, wrong
from freellm.surfaces.openai.fields import CHECKS
from freellm.surfaces.openai.messages import Conversation
from freellm.surfaces.openai.preferring import preferences_of
from freellm.types import ChatRequest, Json

_OWN = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "n",
        "max_completion_tokens",
        "functions",
        "function_call",
        "models",
        "provider",
    }
)
"""Fields that core reads itself; the others become parameters."""

_READ_APART = _OWN - CHECKS.keys()
"""Those of them that no entry of the table checks."""

_SAID_OTHERWISE = frozenset(
    {"n", "max_completion_tokens", "functions", "function_call", "stop", "tools", "tool_choice"}
)
"""Fields that take more than one check, or can be said in several ways."""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """A chat request as the client meant it.

    :param model: what it asked for
    :param request: the request for providers
    :param include_usage: whether it wants the usage chunk
    :param mask: the abilities a model needs, as bits
    :param stated: the `max_tokens` it stated
    :param tool_call_ids: ids of tool calls of earlier turns
    :param remote_images: whether messages name images by address
    :param preferences: what it says about who may answer, besides the model
    """

    model: str
    request: ChatRequest
    include_usage: bool
    mask: int
    stated: int | None
    tool_call_ids: Sequence[str]
    remote_images: bool
    preferences: Preferences | None


def parse(body: bytes) -> Parsed:
    """Parse the body of `POST /v1/chat/completions`.

    :raises RequestError: when it is not a request; names the field and the cure
    """
    raw = decoded(body)
    conversation = Conversation(raw.get("messages"))
    parameters = _parameters(raw)
    stream = raw.get("stream") or False
    if stream.__class__ is not bool:
        raise wrong("stream", "true or false", stream)
    return Parsed(
        model=model_name(raw),
        request=ChatRequest(messages=conversation.messages, parameters=parameters, stream=stream),
        include_usage=_include_usage(raw, stream),
        mask=_mask(parameters, conversation),
        stated=parameters.get("max_tokens"),
        tool_call_ids=conversation.tool_call_ids,
        remote_images=conversation.remote_images,
        preferences=preferences_of(raw) if "provider" in raw or "models" in raw else None,
    )


def _parameters(raw: Json) -> Json:
    parameters: Json = {}
    for name, value in raw.items():
        if value is None or name in _READ_APART:
            continue
        check = CHECKS.get(name)
        if check is not None and (expected := check(value)) is not None:
            raise wrong(name, expected, value)
        if name not in _OWN:
            parameters[name] = value
    if not _SAID_OTHERWISE.isdisjoint(raw):
        _say_otherwise(raw, parameters)
    return parameters


def _say_otherwise(raw: Json, parameters: Json) -> None:
    """Bring the parameters that can be said in several ways, or need one another, into one form."""
    if (number := raw.get("n")) is not None and number != 1:
        raise RequestError(
            f"n must be 1; got {repr(number)[:60]}: freellm returns one choice per request, send the request so many "
            "times instead",
            param="n",
            code="unsupported_value",
        )
    if (most := raw.get("max_completion_tokens")) is not None:
        parameters["max_tokens"] = most
    stop = parameters.get("stop")
    if stop is not None and isinstance(stop, str):
        parameters["stop"] = [stop]
    if "functions" in raw or "function_call" in raw:
        _adopt_functions(raw, parameters)
    if "tools" in parameters or "tool_choice" in parameters:
        _check_tools(parameters)


def _adopt_functions(raw: Json, parameters: Json) -> None:
    """Say the legacy `functions` and `function_call` as `tools` and `tool_choice`."""
    if raw.get("functions"):
        parameters["tools"] = [{"type": "function", "function": function} for function in raw["functions"]]
    choice = raw.get("function_call")
    if choice is not None:
        parameters["tool_choice"] = (
            {"type": "function", "function": choice} if isinstance(choice, dict) else choice
        )


def _check_tools(parameters: Json) -> None:
    tools = parameters.get("tools", [])
    if not tools:
        parameters.pop("tools", None)
        if parameters.pop("tool_choice", "none") not in ("none", "auto"):
            raise RequestError("tool_choice needs tools; send the tools it may choose from", param="tools")
        return
    names = [_tool_name(tool, f"tools[{index}]") for index, tool in enumerate(tools)]
    choice = parameters.get("tool_choice")
    if choice is not None and not isinstance(choice, dict) and choice not in ("none", "auto", "required"):
        raise wrong("tool_choice", "none, auto, required, or an object that names a function", choice)
    if isinstance(choice, dict):
        for chosen in _chosen(choice):
            if chosen not in names:
                raise wrong("tool_choice", f"a function of tools ({', '.join(names[:10])})", chosen)


def _tool_name(tool: Any, path: str) -> str:
    function = tool.get("function") if isinstance(tool, dict) else None
    function = function if isinstance(function, dict) else {}
    name = function.get("name")
    if not isinstance(name, str) or not name or tool.get("type", "function") != "function":
        raise wrong(path, "an object {'type': 'function', 'function': {'name': …, 'parameters': …}}", tool)
    if not isinstance(function.get("parameters") or {}, dict):
        raise wrong(f"{path}.function.parameters", "a JSON Schema object", function["parameters"])
    return name


def _chosen(choice: Json) -> list[Any]:
    """Return the function names a `tool_choice` object chooses from."""
    if choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools") or {}
        tools = allowed.get("tools") if isinstance(allowed, dict) else None
        if not isinstance(tools, list):
            raise wrong("tool_choice.allowed_tools", "an object with mode and tools", allowed)
        functions = [tool.get("function") if isinstance(tool, dict) else tool for tool in tools]
        return [function.get("name") if isinstance(function, dict) else function for function in functions]
    function = choice.get("function")
    if choice.get("type", "function") != "function" or not isinstance(function, dict):
        raise wrong("tool_choice", "an object {'type': 'function', 'function': {'name': …}}", choice)
    return [function.get("name")]


def _include_usage(raw: Json, stream: bool) -> bool:
    options = raw.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise wrong("stream_options", "an object such as {'include_usage': true}", options)
    if not stream:
        raise RequestError("stream_options needs stream: true", param="stream_options")
    return bool(options.get("include_usage"))


def _mask(parameters: Json, conversation: Conversation) -> int:
    mask = 0
    if "tools" in parameters and parameters.get("tool_choice") != "none":
        mask |= ABILITY_BITS["tools"]
    if conversation.images:
        mask |= ABILITY_BITS["vision"]
    if "response_format" in parameters:
        kind = parameters["response_format"].get("type")
        if kind == "json_object":
            mask |= ABILITY_BITS["json"]
        elif kind == "json_schema":
            mask |= ABILITY_BITS["json_schema"]
    return mask
