"""Messages as Mistral's strict bodies and rules of order want them.

The rules are those of Mistral's own validator (mistral-common 1.x) and of the refusals 3230 and 3280 in users' reports.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from string import ascii_letters, digits

from freellm import Json

_SHORT = re.compile(r"[A-Za-z0-9]{9}")
_LETTERS = digits + ascii_letters

_BRIDGE: Json = {"role": "assistant", "content": "OK."}
"""What is said between a tool's result and the user's next words: models of before 2025-12 do not take them in a row."""


def strict_messages(messages: Sequence[Json]) -> list[Json]:
    """Return messages that Mistral takes: known members alone, short ids, calls with their results, roles in order."""
    paired = _paired([_known(message) for message in messages])
    ordered: list[Json] = []
    for message in paired:
        before = ordered[-1]["role"] if ordered else None
        if before == "tool" and message["role"] in ("user", "system"):
            ordered.append(_BRIDGE)
            before = "assistant"
        if message["role"] == "system" and (before == "assistant" or message is paired[-1]):
            message = {**message, "role": "user"}  # a system message stands at the start or after a user's
        ordered.append(message)
    if ordered and ordered[-1]["role"] == "assistant":
        ordered[-1] = {**ordered[-1], "prefix": True}
    return ordered


def short_id(identifier: str) -> str:
    """Return a tool call id of nine letters and digits: the same one for the same id, and itself if it is one."""
    if _SHORT.fullmatch(identifier):
        return identifier
    number = int.from_bytes(blake2b(identifier.encode(), digest_size=8).digest(), "big")
    letters = []
    for _ in range(9):
        number, digit = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return "".join(letters)


def _known(message: Json) -> Json:
    known: Json = {name: message[name] for name in ("role", "content") if name in message}
    if isinstance(known.get("content"), list):
        known["content"] = [
            {"type": part["type"], part["type"]: part.get(part["type"])} for part in known["content"]
        ]
    if message.get("tool_calls"):
        known["tool_calls"] = [_call(call) for call in message["tool_calls"]]
    if message["role"] == "tool":
        known.setdefault("content", "")
        known["tool_call_id"] = short_id(str(message.get("tool_call_id")))
    return known


def _call(call: Json) -> Json:
    function = call["function"]
    return {
        "id": short_id(str(call.get("id"))),
        "type": "function",
        "function": {"name": function["name"], "arguments": function.get("arguments") or "{}"},
    }


def _paired(messages: Sequence[Json]) -> list[Json]:
    """Return the messages without calls that have no result, results that have no call, and empty turns.

    The numbers of calls and results must be equal, and a turn of the assistant has a text or a call.
    """
    paired = []
    open_calls: set[str] = set()
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                continue
            open_calls.discard(message["tool_call_id"])
        elif message["role"] == "assistant":
            message = _answered(message, messages[place + 1 :])
            open_calls = {call["id"] for call in message.get("tool_calls", ())}
            if not message.get("content") and not open_calls:
                continue
        paired.append(message)
    return paired


def _answered(message: Json, following: Sequence[Json]) -> Json:
    if "tool_calls" not in message:
        return message
    results = set()
    for later in following:
        if later["role"] != "tool":
            break
        results.add(later["tool_call_id"])
    calls = [call for call in message["tool_calls"] if call["id"] in results]
    if len(calls) == len(message["tool_calls"]):
        return message
    left = {name: value for name, value in message.items() if name != "tool_calls"}
    return {**left, "tool_calls": calls} if calls else left
