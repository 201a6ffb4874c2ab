"""A service's own list of models, as OpenAI's `GET /models` has it with what services add to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from freellm.openai_compatible.durations import parse_number
from freellm.types import Json, ListedModel

_CONTEXT: Final = ("context_length", "context_window", "max_context_length", "max_model_len")
_MAX_OUTPUT: Final = ("max_completion_tokens", "max_output_tokens", "max_output_length")
_PRICES: Final = ("prompt", "completion", "request")
_ABILITIES: Final = {
    "tools": "tools",
    "response_format": "json",
    "structured_outputs": "json_schema",
    "reasoning": "reasoning",
}


def listed_rows(body: Any) -> Sequence[Json]:
    """Return the rows of a list that name a model; nothing when it is no list.

    Its common shapes are `{"data": […]}`, `{"models": […]}` and the bare list.
    """
    rows = (body.get("data") or body.get("models")) if isinstance(body, dict) else body
    if not isinstance(rows, list):
        return ()
    return [row for row in rows if isinstance(row, dict) and _id(row)]


def figure(row: Json, names: Sequence[str]) -> int | None:
    """Return the first of some members that is a positive whole number."""
    found = (row.get(name) for name in names)
    return next((value for value in found if type(value) is int and value > 0), None)


def listed_model(row: Json) -> ListedModel:
    """Return the model of a row.

    Gateways tell prices, the parameters a model takes, and what goes in and comes out.
    """
    title = row.get("name")
    outputs = _strings(_member(row, "architecture").get("output_modalities"))
    return ListedModel(
        id=_id(row),
        title=title if isinstance(title, str) and title != _id(row) else None,
        free=_is_free(_member(row, "pricing")),
        task=None if outputs is None else "chat" if "text" in outputs else "other",
        context=figure(row, _CONTEXT),
        max_output=figure(row, _MAX_OUTPUT) or figure(_member(row, "top_provider"), _MAX_OUTPUT),
        abilities=_abilities(row),
    )


def _is_free(prices: Json) -> bool | None:
    """Tell whether every price is nought; None otherwise, since a model with a price may still be in a free tier."""
    stated = [parse_number(str(prices[name])) for name in _PRICES if name in prices]
    return (
        True if {"prompt", "completion"} <= prices.keys() and not any(stated) and None not in stated else None
    )


def _abilities(row: Json) -> frozenset[str] | None:
    parameters = _strings(row.get("supported_parameters"))
    if parameters is None:
        return None
    inputs = _strings(_member(row, "architecture").get("input_modalities")) or ()
    found = {ability for parameter, ability in _ABILITIES.items() if parameter in parameters}
    return frozenset(found | {"system"} | ({"vision"} if "image" in inputs else set()))


def _member(row: Json, name: str) -> Json:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _strings(value: Any) -> Sequence[str] | None:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else None


def _id(row: Json) -> str:
    found = row.get("id") or row.get("name")
    return found if isinstance(found, str) else ""
