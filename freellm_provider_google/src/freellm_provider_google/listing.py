"""The service's own list of models, `models.list` of the Gemini API. It does not say what is free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from freellm import Answer, Key, ListedModel, Upstream
from freellm_provider_google.requests import key_header

_MOST: Final = 1000
"""Models on one page; more are not sent at once (ai.google.dev/api/models)."""


def request(key: Key) -> Sequence[Upstream]:
    """Return the request for the whole list."""
    return (Upstream(method="GET", path=f"/models?pageSize={_MOST}", headers=key_header(key)),)


def read(answer: Answer) -> Sequence[ListedModel]:
    """Return the models of the list; none when it is only a part of it."""
    body = answer.body
    if not isinstance(body, dict) or body.get("nextPageToken"):
        return ()
    return tuple(_models(body.get("models")))


def _models(rows: object) -> Iterator[ListedModel]:
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            continue
        title = row.get("displayName")
        yield ListedModel(
            id=row["name"].removeprefix("models/"),
            title=title if isinstance(title, str) else None,
            task=_task(row.get("supportedGenerationMethods")),
            context=_figure(row.get("inputTokenLimit")),
            max_output=_figure(row.get("outputTokenLimit")),
        )


def _task(methods: Any) -> Literal["chat", "embeddings", "other"] | None:
    if not isinstance(methods, list):
        return None
    if "generateContent" in methods:
        return "chat"
    return "embeddings" if "embedContent" in methods else "other"


def _figure(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
