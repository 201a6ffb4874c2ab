"""Groq's words for its refusals, and the Go durations in them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from freellm_simulator.quotas import DAY, MINUTE
from freellm_simulator.wires.openai_service import Refusals, Words

_DOCS = "https://console.groq.com/docs"
_INVALID = "invalid_request_error"
_WHERE = "for model `{model}` in organization `{account}` service tier `on_demand` on {on}: Limit {limit}"


def _error(status: int, type_: str, message: str, code: str | None = None, **more: str) -> Words:
    """Return words in Groq's shape, which leaves out a code that is none."""
    error = {"message": message, "type": type_, **more}
    return status, {"error": {**error, "code": code} if code else error}


REFUSALS: Refusals = {
    "no_key": _error(401, _INVALID, "Invalid API Key", "invalid_api_key"),
    "bad_key": _error(401, _INVALID, "Invalid API Key", "invalid_api_key"),
    "forbidden": _error(
        403,
        "permissions_error",
        "The model `{model}` is blocked at the project level. Please have a project admin enable this model.",
        "model_permission_blocked_project",
    ),
    "unknown_model": _error(
        404,
        _INVALID,
        "The model `{model}` does not exist or you do not have access to it.",
        "model_not_found",
    ),
    "retired_model": _error(
        400,
        _INVALID,
        f"The model `{{model}}` has been decommissioned and is no longer supported. Please refer to {_DOCS}/deprecations"
        " for a recommendation on which model to use instead.",
        "model_decommissioned",
    ),
    "bad_request": _error(400, _INVALID, "{message}", param="{param}"),
    "context_exceeded": _error(
        400,
        _INVALID,
        "Please reduce the length of the messages or completion.",
        "context_length_exceeded",
    ),
    "content_filter": _error(
        400, _INVALID, "The request was refused by the content policy.", "content_policy_violation"
    ),
    "tool_use_failed": _error(
        400,
        _INVALID,
        "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
        "tool_use_failed",
        failed_generation="{failed_generation}",
    ),
    "server_error": _error(500, "internal_server_error", "Internal Server Error"),
    "overloaded": _error(503, "service_unavailable", "Service Unavailable"),
    "unknown_path": _error(404, _INVALID, "Unknown request URL: {path}.", "unknown_url"),
    "quota": _error(
        429,
        "{unit}",
        f"Rate limit reached {_WHERE}, Used {{used}}, Requested {{requested}}. Please try again in {{duration}}.",
        "rate_limit_exceeded",
    ),
    "too_large": _error(
        413,
        "{unit}",
        f"Request too large {_WHERE}, Requested {{requested}}, please reduce your message size and try again.",
        "rate_limit_exceeded",
    ),
}
WINDOWS: Mapping[tuple[str, float], str] = {
    ("requests", MINUTE): "requests per minute (RPM)",
    ("requests", DAY): "requests per day (RPD)",
    ("tokens", MINUTE): "tokens per minute (TPM)",
    ("tokens", DAY): "tokens per day (TPD)",
}


def go_duration(seconds: float) -> str:
    """Write a duration as Go does: `825ms`, `7.66s`, `2m59.56s`, `1h0m3s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms" if seconds > 0 else "0s"
    minutes, rest = divmod(math.ceil(seconds * 1000) / 1000, 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{tail}"
    return f"{minutes}m{tail}" if minutes else tail
