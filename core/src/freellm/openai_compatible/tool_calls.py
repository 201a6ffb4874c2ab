"""Tool calls made well-formed: whole ones here, streamed ones in `tool_call_deltas`."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from freellm.types import Json

LONGEST_ID: Final = 40
"""OpenAI refuses longer tool call ids, so a client that moves on to it would fail."""


def make_id(*seeds: object) -> str:
    """Return a tool call id that depends on nothing but its seeds."""
    return "call_" + blake2b(repr(seeds).encode(), digest_size=12).hexdigest()


def usable_id(given: Any, *seeds: object) -> str:
    """Return the given id if a client can use it, else one made from it and the seeds."""
    if isinstance(given, str) and 0 < len(given) <= LONGEST_ID:
        return given
    return make_id(given, *seeds)


def arguments_text(arguments: Any) -> str:
    """Return a call's arguments as the JSON text that OpenAI's clients expect; empty when there are none yet."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()


def whole_calls(calls: Sequence[Any], seed: str) -> list[Json]:
    """Return a whole answer's tool calls with id, type, name and valid arguments each; nameless ones are dropped.

    A call that is well-formed already is returned as it came.

    :param seed: what tells this answer from others, such as its id
    """
    taken: set[str] = set()
    return [
        _whole_call(call, taken, (seed, position))
        for position, call in enumerate(calls)
        if isinstance(call, dict) and _name_of(call)
    ]


def _name_of(call: Json) -> str:
    function = call.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""


def _whole_call(call: Json, taken: set[str], seeds: tuple[object, ...]) -> Json:
    function = call["function"]
    arguments = arguments_text(function.get("arguments")) or "{}"
    identifier = usable_id(call.get("id"), *seeds)
    if identifier in taken:
        identifier = make_id(identifier, *seeds)
    taken.add(identifier)
    if (
        identifier == call.get("id")
        and call.get("type") == "function"
        and arguments == function.get("arguments")
    ):
        return call
    return {
        **call,
        "id": identifier,
        "type": "function",
        "function": {**function, "arguments": arguments},
    }
