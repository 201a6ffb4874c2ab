"""Functions become functionDeclarations, under names that the service takes, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from freellm import ChatRequest, Json
from freellm_provider_google.dialects import Dialect
from freellm_provider_google.schemas import clean

_VALID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_INVALID: Final = re.compile(r"[^A-Za-z0-9_.:-]")
_LONGEST: Final = 64
_MODES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_OPEN_ENDED: Final = ("$ref", "anyOf", "oneOf", "allOf", "patternProperties", "additionalProperties")


def functions_of(request: ChatRequest) -> list[Json]:
    """Return the functions a request declares; other kinds of tools have no counterpart and are left out."""
    tools = request.parameters.get("tools")
    return [tool["function"] for tool in tools if tool.get("function")] if tools else []


def wire_names(request: ChatRequest) -> dict[str, str]:
    """Return the service's name of every function that a request declares or has called, by its OpenAI name."""
    called = [message for message in request.messages if "tool_calls" in message]
    if not called and "tools" not in request.parameters:
        return {}
    wanted = {*_declared_names(request), *_called_names(called)}
    names = {name: name for name in wanted if _VALID.fullmatch(name)}
    if len(names) < len(wanted):
        # Names that fit are kept, so that none of them is lost to one that has to be changed.
        taken = set(names)
        for name in sorted(wanted - taken):
            names[name] = _free_name(name, taken)
            taken.add(names[name])
    return names


def original_names(request: ChatRequest) -> dict[str, str]:
    """Return the OpenAI names of a request's functions by the service's names, where they differ."""
    return {wire: name for name, wire in wire_names(request).items() if wire != name}


def tool_fields(request: ChatRequest, dialect: Dialect, names: Mapping[str, str]) -> Json:
    """Return the `tools` and `toolConfig` of a request, as far as it has any."""
    functions = functions_of(request)
    if not functions:
        return {}
    choice = request.parameters.get("tool_choice")
    allowed, mode = _choice(choice)
    if mode == "AUTO" and allowed:
        # Only mode ANY takes a list of names, so the others are not shown at all.
        functions = [function for function in functions if function.get("name") in allowed]
    if not functions:
        return {}
    plain = "plain_schema" in request.hints or not dialect.json_schema
    fields: Json = {
        "tools": [{"functionDeclarations": [_declaration(each, names, plain=plain) for each in functions]}]
    }
    if mode:
        config: Json = {"mode": mode}
        if mode == "ANY" and allowed:
            config["allowedFunctionNames"] = [names.get(name, name) for name in allowed]
        fields["toolConfig"] = {"functionCallingConfig": config}
    return fields


def _declared_names(request: ChatRequest) -> Iterable[str]:
    return (function.get("name") or "" for function in functions_of(request))


def _called_names(messages: Iterable[Json]) -> Iterable[str]:
    for message in messages:
        for call in message.get("tool_calls") or ():
            yield (call.get("function") or call.get("custom") or {}).get("name") or ""


def _free_name(name: str, taken: set[str]) -> str:
    base = _INVALID.sub("_", name)[:_LONGEST]
    if not base or not _VALID.fullmatch(base):
        base = f"_{base}"[:_LONGEST]
    free, number = base, 2
    while free in taken:
        free = f"{base[: _LONGEST - len(str(number)) - 1]}_{number}"
        number += 1
    return free


def _declaration(function: Json, names: Mapping[str, str], *, plain: bool) -> Json:
    declaration: Json = {"name": names[function.get("name") or ""]}
    if description := function.get("description"):
        declaration["description"] = description
    schema = function.get("parameters")
    if not isinstance(schema, Mapping):
        return declaration
    if plain:
        cleaned = clean(schema)
        # An object without properties is refused; a function without parameters is not.
        if cleaned.get("properties") or "anyOf" in cleaned:
            declaration["parameters"] = cleaned
    elif schema.get("properties") or any(schema.get(keyword) for keyword in _OPEN_ENDED):
        declaration["parametersJsonSchema"] = schema
    return declaration


def _choice(choice: Any) -> tuple[list[str], str | None]:
    """Return the names a tool choice allows (none: all) and the calling mode (None: not stated)."""
    if not isinstance(choice, Mapping):
        return [], _MODES.get(choice) if isinstance(choice, str) else None
    if choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools") or choice
        names = [_chosen_name(tool) for tool in allowed.get("tools") or ()]
        return [name for name in names if name], _MODES.get(allowed.get("mode", "auto"), "AUTO")
    name = _chosen_name(choice)
    return ([name], "ANY") if name else ([], None)


def _chosen_name(choice: Mapping[str, Any]) -> str:
    name = (choice.get("function") or choice).get("name")
    return name if isinstance(name, str) else ""
