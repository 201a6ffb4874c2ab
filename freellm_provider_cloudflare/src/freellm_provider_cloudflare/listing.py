"""Cloudflare's search of models. It does not say what is free: the daily neurons pay for whatever it serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from freellm import Json, ListedModel

_TASKS: Final[Mapping[str, Literal["chat", "embeddings"]]] = {
    "Text Generation": "chat",
    "Text Embeddings": "embeddings",
}


def read_models(body: Json) -> Sequence[ListedModel]:
    """Return the models of a page, if the page is the whole list."""
    rows, info = body.get("result"), body.get("result_info")
    total = info.get("total_count") if isinstance(info, dict) else None
    if not isinstance(rows, list) or (isinstance(total, int) and total > len(rows)):
        return ()
    return tuple(_models(rows))


def _models(rows: Sequence[Any]) -> Iterator[ListedModel]:
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            continue
        task, properties = row.get("task"), _properties(row.get("properties"))
        calls = properties.get("function_calling") == "true"
        yield ListedModel(
            id=row["name"],
            task=_TASKS.get(str(task.get("name")), "other") if isinstance(task, dict) else None,
            context=_figure(properties.get("context_window")),
            abilities=frozenset({"system", "tools"}) if calls else None,
        )


def _properties(rows: object) -> Mapping[str, object]:
    if not isinstance(rows, list):
        return {}
    return {str(row.get("property_id")): row.get("value") for row in rows if isinstance(row, dict)}


def _figure(value: object) -> int | None:
    """Return a figure that the service writes as a text."""
    text = str(value).replace(",", "")
    return int(text) or None if text.isdecimal() else None
