"""Corrections of refused requests: what to leave out, or by which note to translate it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from freellm import ChatRequest


class Amend(NamedTuple):
    """A correction.

    :param words: a regular expression for what the refusal says
    :param param: the OpenAI field at fault
    :param drops: the parameters to leave out
    :param hint: the note to translate the request by
    """

    words: str
    param: str
    drops: tuple[str, ...] = ()
    hint: str | None = None


AMENDS: Final[Sequence[Amend]] = (
    Amend(r"thought.?signature", "messages", hint="bypass_signatures"),
    Amend(r"function.?(?:response|call)(?:\.| )?id\b", "messages", hint="call_ids"),
    Amend(r"(?:developer|system).?instruction is not (?:enabled|supported)", "messages", hint="fold_system"),
    Amend(r"penalty is not enabled", "presence_penalty", ("presence_penalty", "frequency_penalty")),
    Amend(r"\bthinking", "reasoning_effort", ("reasoning_effort", "reasoning")),
    Amend(r"function calling with a response mime type", "response_format", ("response_format",)),
    Amend(r"response_?(?:json_?)?schema", "response_format", hint="plain_schema"),
    Amend(r"function_?declarations\[\d+\]|parameters_?json_?schema", "tools", hint="plain_schema"),
)
"""Refusals that a changed request avoids; the first row whose words fit counts."""

_PATTERNS: Final = tuple((re.compile(row.words, re.IGNORECASE), row) for row in AMENDS)


def amended(request: ChatRequest, message: str) -> tuple[str | None, ChatRequest | None]:
    """Return the field a refusal is about, and the corrected request; None for what is not known.

    :param message: what the service says
    """
    for pattern, row in _PATTERNS:
        if pattern.search(message):
            corrected = request.without(*row.drops, hint=row.hint)
            # What is already corrected has been tried: the service means something else.
            return row.param, corrected if corrected != request else None
    return None, None
