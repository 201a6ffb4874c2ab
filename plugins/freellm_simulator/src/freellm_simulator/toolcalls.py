"""Whether a simulated model calls tools, which ones, and with what arguments."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from freellm_simulator import prompts
from freellm_simulator.exchange import Ask, Call, Tool
from freellm_simulator.scalars import Hints, UnsatisfiableError
from freellm_simulator.schemas import instance

_MOST_CALLS = 4
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_DULL = frozenset({"get", "set", "do", "run", "the", "tool", "function", "fetch", "data", "info", "current"})
_ENDINGS = re.compile(r"(?:ing|ers?|ed|es|s)$")


def decide(ask: Ask, rng: Random) -> tuple[Call, ...]:
    """Return the calls a model makes now; none, and it answers in words.

    A forced choice is obeyed. Otherwise tools are called for a user's turn that speaks of them, once for each
    subject it names when several calls are allowed.
    """
    if not ask.tools or ask.choice == "none":
        return ()
    chosen = _forced(ask) if ask.choice == "required" else _spoken_of(ask)
    if not chosen:
        return ()
    return tuple(_calls(ask, chosen, rng))


def _forced(ask: Ask) -> list[Tool]:
    allowed = [tool for tool in ask.tools if ask.named is None or tool.name in ask.named]
    spoken = [tool for tool in allowed if _score(tool, _stems(prompts.words(ask.question)))]
    return spoken or allowed[:1]


def _spoken_of(ask: Ask) -> list[Tool]:
    if ask.turns[-1].role != "user":
        return []
    said = _stems(prompts.words(ask.question)) | {word.lower() for word in re.findall(r"\w+", ask.question)}
    scored = [(tool, score) for tool in ask.tools if (score := _score(tool, said))]
    return [tool for tool, _ in sorted(scored, key=lambda pair: -pair[1])]


def _score(tool: Tool, said: set[str]) -> int:
    """Return how much of a tool's name and description was said; 0 is not enough."""
    if tool.name.lower() in said:
        return 100
    name = _stems(_PARTS.findall(tool.name)) - _DULL
    description = _stems(prompts.words(tool.description)) - _DULL
    in_name, in_description = len(name & said), len(description & said)
    enough = in_name or in_description > 1 or (in_description and len(description) <= 6)
    return 2 * in_name + in_description if enough else 0


def _stems(words: list[str]) -> set[str]:
    lowered = [word.lower() for word in words]
    kept = [
        word for word in lowered if (len(word) > 2 or not word.isascii()) and word not in prompts.STOP_WORDS
    ]
    return {_ENDINGS.sub("", word) if len(word) > 5 else word.removesuffix("s") for word in kept}


def _calls(ask: Ask, chosen: list[Tool], rng: Random) -> list[Call]:
    hints = _hints(ask.question, chosen[0])
    if not ask.parallel:
        return [_call(chosen[0], hints, rng)]
    if len(hints.subjects) > 1:
        each = [replace(hints, subjects=(subject,)) for subject in hints.subjects[:_MOST_CALLS]]
        return [_call(chosen[0], hints_for_one, rng) for hints_for_one in each]
    if prompts.asks_for_several(ask.question):
        several = chosen[:_MOST_CALLS] if len(chosen) > 1 else chosen * 2
        return [_call(tool, hints, rng) for tool in several]
    return [_call(chosen[0], hints, rng)]


def _hints(question: str, tool: Tool) -> Hints:
    """Return what the question offers, without the names that only mean the tool itself."""
    hints = prompts.hints(question)
    about = _stems(_PARTS.findall(tool.name)) | _stems(prompts.words(tool.description))
    return replace(hints, subjects=tuple(name for name in hints.subjects if not _stems(name.split()) & about))


def _call(tool: Tool, hints: Hints, rng: Random) -> Call:
    try:
        arguments = instance({"type": "object", **tool.schema}, rng, hints)
    except UnsatisfiableError:
        arguments = {}
    return Call(tool.name, arguments)
