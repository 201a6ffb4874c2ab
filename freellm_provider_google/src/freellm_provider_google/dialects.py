"""What each generation of models understands, as one table; the rest of the package asks it and no model id.

Levels, budgets and JSON rules: Google's pages on thinking, function calling and structured output, read
2026-11-23. Where a model's levels are not stated, the row holds those that all of its siblings take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Signatures = Literal["never", "optional", "required"]
"""Whether a functionCall part of an earlier turn carries the thought signature it came with."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to speak to a group of models.

    :param efforts: OpenAI's reasoning effort to a thinking budget in tokens, or to a thinking level; empty when
        the models take no thinkingConfig
    :param thoughts: whether includeThoughts may be sent
    :param signatures: whether thought signatures are sent back
    :param json_schema: whether plain JSON Schema is taken, instead of the OpenAPI subset
    :param json_with_tools: whether JSON mode and functions go together
    :param prefill: whether a conversation may end with the model's own turn
    """

    efforts: Mapping[str, int | str]
    thoughts: bool = True
    signatures: Signatures = "required"
    json_schema: bool = True
    json_with_tools: bool = True
    prefill: bool = False


def _levels(none: str, low: str, medium: str) -> Mapping[str, str]:
    high = {"high": "high", "xhigh": "high", "max": "high"}
    return {"none": none, "minimal": none, "low": low, "medium": medium, **high}


def _budgets(off: int, most: int) -> Mapping[str, int]:
    # The steps are those of Google's own OpenAI endpoint.
    steps = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
    return {"none": off, **steps, "xhigh": most, "max": most}


def _second(efforts: Mapping[str, int | str]) -> Dialect:
    return Dialect(efforts, signatures="optional", json_with_tools=False, prefill=True)


_FOUR_LEVELS: Final = Dialect(_levels("minimal", "low", "medium"))
_THREE_LEVELS: Final = Dialect(_levels("low", "low", "medium"))
_PLAIN: Final = Dialect(
    {}, thoughts=False, signatures="never", json_schema=False, json_with_tools=False, prefill=True
)

DIALECTS: Final[tuple[tuple[str, Dialect], ...]] = (
    ("gemini-2.0-", _PLAIN),
    ("gemini-2.5-pro", _second(_budgets(off=128, most=32_768))),
    ("gemini-2.5-", _second(_budgets(off=0, most=24_576))),
    ("gemini-3-flash", _FOUR_LEVELS),
    ("gemini-3-pro", Dialect(_levels("low", "low", "high"))),
    ("gemini-3.1-flash-lite", _FOUR_LEVELS),
    ("gemini-3.5-flash", _FOUR_LEVELS),
    ("gemini-flash-lite-latest", _FOUR_LEVELS),
    ("gemini-", _THREE_LEVELS),
    # Gemma 4 knows two levels and refuses budgets, includeThoughts and signatures.
    (
        "gemma-4-",
        Dialect(
            _levels("minimal", "minimal", "high"),
            thoughts=False,
            signatures="never",
            json_schema=False,
            json_with_tools=False,
            prefill=True,
        ),
    ),
    ("", _PLAIN),
)
"""Prefixes of model ids and how to speak to them; the first that fits counts. A Gemini that is not named is
taken for a recent one."""


@lru_cache(maxsize=256)
def dialect_of(model_id: str) -> Dialect:
    """Return how to speak to a model."""
    return next(dialect for prefix, dialect in DIALECTS if model_id.startswith(prefix))
