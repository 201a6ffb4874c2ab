"""The headers of an answer."""

from __future__ import annotations

from freellm.gateway import Call, Served


def answer_headers(call: Call, served: Served) -> dict[str, str]:
    """Return the headers that say who answered, and after how many attempts."""
    headers = {
        "X-Request-Id": call.id,
        "X-Routed-Via": served.route.header,
        "X-Fallback-Attempts": str(len(call.tried)),
    }
    if call.tried:
        headers["X-Fallback-Trail"] = ", ".join(tried.summary for tried in call.tried)
    return headers
