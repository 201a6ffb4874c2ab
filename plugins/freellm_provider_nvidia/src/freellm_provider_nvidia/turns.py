"""Conversations for models that know one tool call in a turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from freellm import Json


def single_calls(messages: Sequence[Json]) -> list[Json]:
    """Return the messages with each turn of several calls as turns of one call, each followed by its result.

    What the assistant said stays with the first call. Results that follow keep to their calls by id; those of no call
    keep their place at the end.
    """
    found: list[Json] = []
    rest = list(messages)
    while rest:
        message = rest.pop(0)
        calls = message.get("tool_calls") or []
        if message.get("role") != "assistant" or len(calls) < 2:
            found.append(message)
            continue
        results: list[Json] = []
        while rest and rest[0].get("role") == "tool":
            results.append(rest.pop(0))
        found += _apart(message, calls, results)
    return found


def _apart(message: Json, calls: Sequence[Json], results: list[Json]) -> Iterator[Json]:
    for position, call in enumerate(calls):
        turn = {**message, "tool_calls": [call]}
        if position and "content" in turn:
            del turn["content"]
        yield turn
        for result in [result for result in results if result.get("tool_call_id") == call.get("id")]:
            results.remove(result)
            yield result
    yield from results
