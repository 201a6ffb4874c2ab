"""A service's own list of models, as OpenAI's `GET /models` has it with what services add to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from freellm.types import Json, ListedModel

_CONTEXT: Final = ("context_length", "context_window", "max_context_length", "max_model_len")
_MAX_OUTPUT: Final = ("max_completion_tokens", "max_output_tokens", "max_output_length")


def listed_models(body: Any) -> Sequence[ListedModel]:
    """Return the models of a list, of any of its common shapes; nothing when it is none.

    The shapes are `{"data": […]}`, `{"models": […]}` and the bare list.
    """
    rows = (body.get("data") or body.get("models")) if isinstance(body, dict) else body
    if not isinstance(rows, list):
        return ()
    return [_listed(row) for row in rows if isinstance(row, dict) and _id(row)]


def figure(row: Json, names: Sequence[str]) -> int | None:
    """Return the first of some members that is a positive whole number."""
    found = (row.get(name) for name in names)
    return next((value for value in found if type(value) is int and value > 0), None)


def _listed(row: Json) -> ListedModel:
    title = row.get("name")
    return ListedModel(
        id=_id(row),
        title=title if isinstance(title, str) and title != _id(row) else None,
        context=figure(row, _CONTEXT),
        max_output=figure(row, _MAX_OUTPUT),
    )


def _id(row: Json) -> str:
    found = row.get("id") or row.get("name")
    return found if isinstance(found, str) else ""
