"""Texts and numbers that keep to a JSON schema, taken from the prompt where that is plausible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from freellm_simulator.exchange import Json
from freellm_simulator.patterns import matching

_TRIES = 50
_FORMATS = {
    "date-time": "2026-11-23T12:00:00Z",
    "date": "2026-11-23",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "simulated@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/simulated",
    "url": "https://example.com/simulated",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_QUESTION_NAMES = frozenset({"query", "question", "prompt", "text", "message", "input", "content", "q"})


class UnsatisfiableError(ValueError):
    """No instance of a schema was found."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What a prompt offers to fill an instance with.

    :param text: the question
    :param subjects: the names in it, such as places
    :param numbers: the numbers in it
    """

    text: str = ""
    subjects: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()


def string(schema: Json, name: str, hints: Hints, rng: Random) -> str:
    """Return a text for a schema of type string.

    :param name: the property it is for
    """
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least: int = schema.get("minLength", 0)
    most: float = schema.get("maxLength", math.inf)
    if "pattern" in schema:
        for _ in range(_TRIES):
            made = matching(str(schema["pattern"]), rng)
            if made is not None and least <= len(made) <= most:
                return made
    text = _plain(name, hints)
    text = text[: int(min(most, len(text)))]
    return text + "x" * (least - len(text))


def _plain(name: str, hints: Hints) -> str:
    if name.lower() in _QUESTION_NAMES and hints.text:
        return hints.text
    return hints.subjects[0] if hints.subjects else f"simulated {name}".strip()


def number(schema: Json, hints: Hints, *, whole: bool, above: float = -math.inf) -> float:
    """Return a number for a schema of type integer or number.

    :param whole: whether it must be an integer
    :param above: a number that it must exceed
    :raises UnsatisfiableError: when no number lies between the bounds
    """
    step = schema.get("multipleOf") or (1 if whole else None)
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf), above)
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    for candidate in (*hints.numbers, 1, 0, *_near(low, high, step)):
        if (
            candidate > above
            and _fits(candidate, schema, step)
            and (not whole or candidate == int(candidate))
        ):
            return int(candidate) if candidate == int(candidate) else candidate
    raise UnsatisfiableError("no number lies between the bounds")


def _near(low: float, high: float, step: float | None) -> list[float]:
    """List numbers just inside the bounds: multiples of the step, when there is one."""
    near: list[float] = []
    if math.isfinite(low):
        near += _beside(low, math.inf, 1) if step is None else _multiples(math.ceil(low / step), 1, step)
    if math.isfinite(high):
        near += (
            _beside(high, -math.inf, -1) if step is None else _multiples(math.floor(high / step), -1, step)
        )
    if step is None and math.isfinite(low) and math.isfinite(high):
        near.append((low + high) / 2)
    return near


def _beside(bound: float, direction: float, one: int) -> list[float]:
    return [bound, bound + one, math.nextafter(bound, direction)]


def _multiples(times: int, one: int, step: float) -> list[float]:
    return [times * step, (times + one) * step]


def _fits(candidate: float, schema: Json, step: float | None) -> bool:
    inside = schema.get("minimum", -math.inf) <= candidate <= schema.get("maximum", math.inf) and schema.get(
        "exclusiveMinimum", -math.inf
    ) < candidate < schema.get("exclusiveMaximum", math.inf)
    return bool(inside and (not step or abs(candidate / step - round(candidate / step)) < 1e-9))
