"""The headers of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from freellm.gateway import Call, Served

OPENAI_VERSION = "2020-10-01"
"""The version of OpenAI's API that its own answers state."""

_NAME = re.compile(r"[\w.\-]{1,64}", re.ASCII)
_NAMES_TOLD = 20
"""Dropped parameters that are named, at most; their names come from the client."""


def answer_headers(call: Call, served: Served) -> dict[str, str]:
    """Return the headers that say who answered, after how many attempts, and without which parameters."""
    headers = {
        "X-Request-Id": call.id,
        "X-Routed-Via": served.route.header,
        "X-Fallback-Attempts": str(len(call.tried)),
        "openai-version": OPENAI_VERSION,
    }
    if call.tried:
        headers["X-Fallback-Trail"] = ", ".join(tried.summary for tried in call.tried)
    if served.dropped:
        headers["X-FreeLLM-Dropped-Params"] = _names(served.dropped)
    return headers


def _names(dropped: Sequence[str]) -> str:
    return ", ".join(name for name in dropped[:_NAMES_TOLD] if _NAME.fullmatch(name))
