"""The fields of a request: what each may hold, as a table of checks.

A check returns what was expected when a value will not do, else None. Ranges are OpenAI's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any], str | None]

_NUMBERS = (int, float)
"""What JSON's numbers become; true and false are none."""


def _is(kind: type, expected: str) -> Check:
    return lambda value: None if isinstance(value, kind) else expected


def _between(low: float, high: float) -> Check:
    def check(value: Any) -> str | None:
        good = value.__class__ in _NUMBERS and low <= value <= high
        return None if good else f"a number from {low:g} to {high:g}"

    return check


def whole(low: int, high: int | None = None) -> Check:
    """Return the check of a whole number in a range, ends included."""
    span = f"from {low} to {high}" if high is not None else f"of {low} or more"

    def check(value: Any) -> str | None:
        good = type(value) is int and value >= low and (high is None or value <= high)
        return None if good else f"a whole number {span}"

    return check


def one_of(*names: str) -> Check:
    """Return the check of a string that is one of some."""

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and value in names else f"one of {', '.join(names)}"

    return check


def _seed(value: Any) -> str | None:
    return None if type(value) is int else "a whole number"


def _stop(value: Any) -> str | None:
    strings = [value] if isinstance(value, str) else value
    good = isinstance(strings, list) and len(strings) <= 4 and all(isinstance(item, str) for item in strings)
    return None if good else "a string or a list of at most four strings"


def _response_format(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in ("text", "json_object"):
        return None
    if kind != "json_schema":
        return "an object whose type is text, json_object or json_schema"
    schema = value.get("json_schema")
    good = isinstance(schema, dict) and isinstance(schema.get("schema", {}), dict)
    return None if good else "json_schema: an object with a name and a schema"


_boolean = _is(bool, "true or false")
text = _is(str, "a string")
_object = _is(dict, "an object")

CHECKS: Mapping[str, Check] = {
    "temperature": _between(0, 2),
    "top_p": _between(0, 1),
    "top_k": whole(0),
    "min_p": _between(0, 1),
    "presence_penalty": _between(-2, 2),
    "frequency_penalty": _between(-2, 2),
    "max_tokens": whole(1),
    "max_completion_tokens": whole(1),
    "seed": _seed,
    "stop": _stop,
    "logprobs": _boolean,
    "top_logprobs": whole(0, 20),
    "logit_bias": _object,
    "parallel_tool_calls": _boolean,
    "response_format": _response_format,
    "reasoning_effort": one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "verbosity": one_of("low", "medium", "high"),
    "user": text,
    "safety_identifier": text,
    "prompt_cache_key": text,
    "metadata": _object,
    "store": _boolean,
    "service_tier": text,
    "modalities": _is(list, "a list"),
    "tools": _is(list, "a list of tools"),
    "functions": _is(list, "a list of functions"),
}
"""What each parameter may hold; one that is not here is unknown and passed on as it is."""
