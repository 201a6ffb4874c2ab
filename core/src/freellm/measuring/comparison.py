"""One prompt put to several models: the row that each becomes, and which models are worth asking. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec

from freellm.measuring.reading import Reading
from freellm.measuring.results import Hop
from freellm.types import Json


class Compared(msgspec.Struct, kw_only=True, frozen=True):
    """What one model made of the prompt.

    :param asked: the model that was asked for
    :param model: who answered, as `provider/model`; None when nobody did
    :param status: the HTTP status; 0 when there was no answer
    :param first_delta_ms: milliseconds until the first piece of the answer
    :param ms: milliseconds until its end
    :param tokens_in: tokens of the prompt
    :param tokens_out: tokens of the answer, reasoning included
    :param tokens_per_s: tokens of the answer by the seconds until its end
    :param attempts: attempts that failed before the one that answered
    :param trail: these attempts
    :param finish_reason: why the model stopped
    :param text: the answer
    :param reasoning: what the model thought before, as far as its provider tells
    :param request_id: the proxy's name for the request
    :param error: the error's code; None when it succeeded
    :param message: the error in words
    """

    asked: str
    model: str | None
    status: int
    first_delta_ms: float | None
    ms: float
    tokens_in: int | None
    tokens_out: int | None
    tokens_per_s: float | None
    attempts: int
    trail: list[Hop]
    finish_reason: str | None
    text: str
    reasoning: str
    request_id: str | None
    error: str | None
    message: str

    @classmethod
    def of(cls, asked: str, reading: Reading) -> Self:
        """Make the row of an answer that has been read to its end."""
        result, out = reading.result, reading.tokens_out
        return cls(
            asked=asked,
            model=result.model,
            status=result.status,
            first_delta_ms=reading.first_delta_ms,
            ms=result.ms,
            tokens_in=reading.tokens_in,
            tokens_out=out,
            tokens_per_s=out / result.ms * 1000.0 if out is not None and result.ms else None,
            attempts=result.attempts,
            trail=result.trail,
            finish_reason=reading.finish_reason,
            text=reading.text,
            reasoning=reading.reasoning,
            request_id=result.request_id,
            error=result.error,
            message=result.message,
        )


def best_families(listed: Sequence[Json], most: int = 3) -> list[str]:
    """Return the best models that are open, each of another family, best first.

    :param listed: the rows of `GET /v1/models`
    :param most: how many at most
    """
    ranked: Sequence[str] = next((row["x_freellm"]["routes"] for row in listed if row["id"] == "auto"), [])
    models = {
        route: row
        for row in listed
        for route in row["x_freellm"]["routes"]
        if row["owned_by"] != "freellm" and row["x_freellm"]["available"]
    }
    found: dict[str, str] = {}
    for route in ranked:
        if route in models:
            row = models[route]
            found.setdefault(row["x_freellm"]["family"], row["id"])
    return list(found.values())[:most]
