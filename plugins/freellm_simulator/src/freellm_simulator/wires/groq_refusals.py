"""Groq's refusals, and the Go durations in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from freellm_simulator.exchange import Caller, Json, RefusedError
from freellm_simulator.quotas import DAY, MINUTE, Exceeded
from freellm_simulator.wires.contract import Refusal

_DOCS = "https://console.groq.com/docs"
_INVALID = "invalid_request_error"

# kind: status, type, code, text
_REFUSALS: Mapping[str, tuple[int, str, str | None, str]] = {
    "no_key": (401, _INVALID, "invalid_api_key", "Invalid API Key"),
    "bad_key": (401, _INVALID, "invalid_api_key", "Invalid API Key"),
    "forbidden": (
        403,
        "permissions_error",
        "model_permission_blocked_project",
        "The model `{model}` is blocked at the project level. Please have a project admin enable this model.",
    ),
    "unknown_model": (
        404,
        _INVALID,
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "retired_model": (
        400,
        _INVALID,
        "model_decommissioned",
        (
            f"The model `{{model}}` has been decommissioned and is no longer supported. Please refer to {_DOCS}/deprecations"
            " for a recommendation on which model to use instead."
        ),
    ),
    "bad_request": (400, _INVALID, None, "{message}"),
    "too_large": (413, "tokens", "rate_limit_exceeded", "{message}"),
    "context_exceeded": (
        400,
        _INVALID,
        "context_length_exceeded",
        "Please reduce the length of the messages or completion.",
    ),
    "content_filter": (
        400,
        _INVALID,
        "content_policy_violation",
        "The request was refused by the content policy.",
    ),
    "tool_use_failed": (
        400,
        _INVALID,
        "tool_use_failed",
        "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
    ),
    "server_error": (500, "internal_server_error", None, "Internal Server Error"),
    "overloaded": (503, "service_unavailable", None, "Service Unavailable"),
    "unknown_path": (404, _INVALID, "unknown_url", "Unknown request URL: {path}."),
}
_WINDOWS = {
    ("requests", MINUTE): ("requests per minute (RPM)", "requests"),
    ("requests", DAY): ("requests per day (RPD)", "requests"),
    ("tokens", MINUTE): ("tokens per minute (TPM)", "tokens"),
    ("tokens", DAY): ("tokens per day (TPD)", "tokens"),
}


def refuse(refused: RefusedError, model: str, caller: Caller | None) -> Refusal:
    """Put a refusal into Groq's words."""
    if refused.kind == "quota":
        return _spent(_worst(refused.exceeded), model, caller)
    status, kind, code, text = _REFUSALS[refused.kind]
    facts = {"model": model, "message": refused.message, **refused.facts}
    error: Json = {"message": text.format_map(facts), "type": kind}
    if code:
        error["code"] = code
    for name in ("param", "failed_generation"):
        if refused.facts.get(name):
            error[name] = refused.facts[name]
    return Refusal(status, {"error": error}, {})


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


def _worst(exceeded: Sequence[Exceeded]) -> Exceeded:
    """Return the quota that can never take the request, else the first one that is spent."""
    return next((one for one in exceeded if one.requested > one.limit.limit), exceeded[0])


def _spent(exceeded: Exceeded, model: str, caller: Caller | None) -> Refusal:
    window, kind = _WINDOWS[exceeded.limit.unit, exceeded.limit.window]
    account = caller.account if caller else ""
    where = f"for model `{model}` in organization `{account}` service tier `on_demand` on {window}"
    limit, requested = f"Limit {exceeded.limit.limit:.0f}", f"Requested {exceeded.requested:.0f}"
    error = {"type": kind, "code": "rate_limit_exceeded"}
    if exceeded.requested > exceeded.limit.limit:
        text = (
            f"Request too large {where}: {limit}, {requested}, please reduce your message size and try again."
        )
        return Refusal(413, {"error": {"message": text, **error}}, {})
    used, wait = f"Used {exceeded.used:.0f}", go_duration(exceeded.wait)
    text = f"Rate limit reached {where}: {limit}, {used}, {requested}. Please try again in {wait}."
    return Refusal(
        429, {"error": {"message": text, **error}}, {"retry-after": str(max(1, math.ceil(exceeded.wait)))}
    )
