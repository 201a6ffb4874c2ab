"""Streamed tool calls: which call a delta belongs to, and what of it the client should see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from freellm.openai_compatible.tool_calls import arguments_text, usable_id
from freellm.types import Json


class _Call:
    """One call of the stream. It has an `index` once its first delta was sent."""

    __slots__ = ("given_id", "given_index", "index", "name", "parts")

    def __init__(self, given_id: str | None, given_index: int | None) -> None:
        self.given_id = given_id
        self.given_index = given_index
        self.name = ""
        self.parts: list[str] = []
        self.index: int | None = None

    @property
    def complete(self) -> bool:
        """Whether the arguments so far are a whole JSON object."""
        try:
            return isinstance(msgspec.json.decode("".join(self.parts)), dict)
        except msgspec.DecodeError:
            return False


class ToolCallDeltas:
    """Rewrites the `tool_calls` deltas of one stream so that OpenAI's clients put them together rightly.

    A delta belongs to a call by its id, else by its index, else by its position. Indexes count from 0 without gaps,
    id, type and name stand in a call's first delta only, arguments are text, and missing ids are made.

    :param seed: what tells this stream from others, such as its id
    """

    __slots__ = ("_calls", "_seed", "_started")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._calls: list[_Call] = []
        self._started = 0

    @property
    def seen(self) -> bool:
        """Whether a call has begun."""
        return self._started > 0

    def continues(self, entries: Sequence[Any]) -> bool:
        """Tell whether these entries are nothing but the next piece of a call's arguments, as clients expect it.

        Then it is noted, and the entries need no repair. This is nearly every delta of a tool call.
        """
        (entry,) = entries
        index, function = entry["index"], entry["function"]
        arguments = function["arguments"]
        if len(entry) != 2 or len(function) != 1 or arguments.__class__ is not str or not arguments:
            return False
        call = self._candidate(index, None)
        if call is None or call.index != index:
            return False
        call.parts.append(arguments)
        return True

    def feed(self, entries: Sequence[Any]) -> list[Json]:
        """Return the deltas that these entries of one event become."""
        deltas = []
        for position, entry in enumerate(entries):
            if isinstance(entry, dict):
                delta = self._advance(entry, position if len(entries) > 1 else None)
                if delta:
                    deltas.append(delta)
        return deltas

    def finish(self, deltas: list[Json]) -> list[Json]:
        """Return the last event's deltas, with an empty object as the arguments of each call that got none."""
        last = {delta["index"]: delta for delta in deltas}
        closing = []
        for call in self._calls:
            if call.index is None or call.parts:
                continue
            call.parts.append("{}")
            if call.index in last:
                last[call.index]["function"]["arguments"] = "{}"
            else:
                closing.append({"index": call.index, "function": {"arguments": "{}"}})
        return [*deltas, *closing]

    def _advance(self, entry: Json, position: int | None) -> Json | None:
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        name = function.get("name") or ""
        call = self._find(entry, name, position) or self._open(entry)
        arguments = arguments_text(function.get("arguments"))
        if arguments:
            call.parts.append(arguments)
        if call.index is not None:
            return {"index": call.index, "function": {"arguments": arguments}} if arguments else None
        if not name:
            return None  # held until the name is known
        return self._start(call, name)

    def _start(self, call: _Call, name: str) -> Json:
        call.name, call.index = name, self._started
        self._started += 1
        return {
            "index": call.index,
            "id": usable_id(call.given_id, self._seed, call.index),
            "type": "function",
            "function": {"name": name, "arguments": "".join(call.parts)},
        }

    def _open(self, entry: Json) -> _Call:
        call = _Call(entry.get("id") or None, _index(entry))
        self._calls.append(call)
        return call

    def _find(self, entry: Json, name: str, position: int | None) -> _Call | None:
        given_id, index = entry.get("id") or None, _index(entry)
        if given_id is not None:
            for call in self._calls:
                if call.given_id == given_id:
                    return call
        candidate = self._candidate(index, position)
        if candidate is None or not name:
            return candidate
        # A name begins a call, unless the service repeats the name in every delta of a call still open.
        fresh_id = given_id is not None and candidate.given_id is not None
        repeated = candidate.name in ("", name) and not fresh_id and not candidate.complete
        return candidate if repeated else None

    def _candidate(self, index: int | None, position: int | None) -> _Call | None:
        if index is not None:
            for call in reversed(self._calls):
                if call.given_index == index:
                    return call
            return None
        if position is not None:
            return self._calls[position] if position < len(self._calls) else None
        return self._calls[-1] if self._calls else None


def _index(entry: Json) -> int | None:
    index = entry.get("index")
    return index if type(index) is int else None
