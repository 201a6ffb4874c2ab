"""What several answers share."""

from __future__ import annotations

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server sends."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends; a field that does not exist is refused."""


class Problem(Answer, frozen=True, kw_only=True):
    """What is wrong and what to do.

    :param message: what is wrong, in words for a person
    :param field: the field of the body or of the query that is to be changed; null: it is none
    :param cure: what to do
    """

    message: str
    field: str | None = None
    cure: str | None = None


class Refusal(Answer, frozen=True, kw_only=True):
    """Every answer that is not 2xx.

    :param error: what is wrong
    """

    error: Problem


Json = dict[str, Any]
"""A JSON object that is passed on as it is."""
