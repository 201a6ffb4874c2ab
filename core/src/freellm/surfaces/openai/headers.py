"""The headers of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from freellm.gateway import Call

OPENAI_VERSION = "2020-10-01"
"""The version of OpenAI's API that its own answers state."""

_NAME = re.compile(r"[\w.\-]{1,64}", re.ASCII)
_NAMES_TOLD = 20
"""Dropped parameters that are named, at most; their names come from the client."""


def answer_headers(call: Call, via: str, dropped: Sequence[str]) -> dict[str, str]:
    """Return the headers that say who answered, after how many attempts, and without which parameters.

    :param via: who answered, as a header says it
    """
    headers = {
        "X-Request-Id": call.id,
        "X-Routed-Via": via,
        "X-Fallback-Attempts": str(len(call.tried)),
        "openai-version": OPENAI_VERSION,
    }
    if call.tried:
        headers["X-Fallback-Trail"] = ", ".join(tried.summary for tried in call.tried)
    if dropped:
        headers["X-FreeLLM-Dropped-Params"] = _names(dropped)
    return headers


def whole_headers(call: Call, via: str, dropped: Sequence[str], now: float) -> dict[str, str]:
    """Return the headers of a whole answer: those of any answer, and how long it took.

    :param now: Unix time
    """
    headers = answer_headers(call, via, dropped)
    headers["Content-Type"] = "application/json"
    lasted = (now - call.started) * 1000.0
    headers["openai-processing-ms"] = f"{lasted:.0f}"
    headers["X-FreeLLM-Overhead-Ms"] = f"{max(0.0, lasted - call.upstream_ms):.2f}"
    return headers


def _names(dropped: Sequence[str]) -> str:
    return ", ".join(name for name in dropped[:_NAMES_TOLD] if _NAME.fullmatch(name))
