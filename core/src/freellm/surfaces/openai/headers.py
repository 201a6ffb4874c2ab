"""The headers of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from urllib.parse import quote

from freellm.catalogue import Route
from freellm.gateway import Call
from freellm.ledger import Ledger

OPENAI_VERSION = "2020-10-01"
"""The version of OpenAI's API that its own answers state."""

_NAME = re.compile(r"[\w.\-]{1,64}", re.ASCII)
_NAMES_TOLD = 20
"""Dropped parameters that are named, at most; their names come from the client."""


def answer_headers(call: Call, routes: Sequence[Route], dropped: Sequence[str], now: float) -> dict[str, str]:
    """Return the headers that say who answered, after how many attempts, without which parameters, and what is left.

    :param routes: who answered: several, if they made parts of it
    :param now: Unix time
    """
    headers = {
        "X-Request-Id": call.id,
        "X-Routed-Via": ", ".join([route.header for route in routes]),
        "X-Fallback-Attempts": str(len(call.tried)),
        "openai-version": OPENAI_VERSION,
    }
    if call.tried:
        headers["X-Fallback-Trail"] = ", ".join(tried.summary for tried in call.tried)
    if remaining := pool_remaining(routes, now):
        headers["X-FreeLLM-Pool-Remaining"] = remaining
    if call.waited:
        headers["X-FreeLLM-Queue-Ms"] = f"{call.waited * 1000.0:.0f}"
    if dropped:
        headers["X-FreeLLM-Dropped-Params"] = _names(dropped)
    return headers


def whole_headers(call: Call, routes: Sequence[Route], dropped: Sequence[str], now: float) -> dict[str, str]:
    """Return the headers of a whole answer: those of any answer, and how long it took.

    :param now: Unix time
    """
    headers = answer_headers(call, routes, dropped, now)
    headers["Content-Type"] = "application/json"
    lasted = (now - call.started) * 1000.0
    headers["openai-processing-ms"] = f"{lasted:.0f}"
    headers["X-FreeLLM-Overhead-Ms"] = f"{max(0.0, lasted - call.upstream_ms - call.waited * 1000.0):.2f}"
    return headers


def pool_remaining(routes: Sequence[Route], now: float) -> str:
    """Return what is left in the tightest pool of each unit, whole, such as `requests=29, tokens=5400`.

    Empty when no limit is known, or none counts.
    """
    shares = routes[0].shares if len(routes) == 1 else [share for route in routes for share in route.shares]
    return ", ".join([f"{_unit(unit)}={amount:.0f}" for unit, amount in Ledger.left(shares, now).items()])


@cache
def _unit(name: str) -> str:
    """Return a unit as a header can hold it: providers name their own."""
    return quote(name)


def _names(dropped: Sequence[str]) -> str:
    return ", ".join(name for name in dropped[:_NAMES_TOLD] if _NAME.fullmatch(name))
