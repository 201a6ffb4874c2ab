"""Gemini's refusals: google.rpc statuses, and spent quotas told in the body."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from freellm_simulator.exchange import Json, RefusedError, dice
from freellm_simulator.quotas import DAY, MINUTE, Exceeded, Limit
from freellm_simulator.wires.contract import Refusal

_DOMAIN = "generativelanguage.googleapis.com"
_RPC = "type.googleapis.com/google.rpc"
_LIMITS_PAGE = "https://ai.google.dev/gemini-api/docs/rate-limits"
_GONE = (
    "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to"
    " see the list of available models and their supported methods."
)
# kind: HTTP status, google.rpc status, reason, text
_REFUSALS: Mapping[str, tuple[int, str, str | None, str]] = {
    "no_key": (
        403,
        "PERMISSION_DENIED",
        None,
        (
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or"
            " other form of API consumer identity to call this API."
        ),
    ),
    "bad_key": (
        400,
        "INVALID_ARGUMENT",
        "API_KEY_INVALID",
        "API key not valid. Please pass a valid API key.",
    ),
    "forbidden": (
        400,
        "FAILED_PRECONDITION",
        None,
        "User location is not supported for the API use.",
    ),
    "unknown_model": (404, "NOT_FOUND", None, _GONE),
    "retired_model": (404, "NOT_FOUND", None, _GONE),
    "unknown_path": (404, "NOT_FOUND", None, "Not found: {path}"),
    "bad_request": (400, "INVALID_ARGUMENT", None, "{message}"),
    "context_exceeded": (
        400,
        "INVALID_ARGUMENT",
        None,
        "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({context}).",
    ),
    "server_error": (
        500,
        "INTERNAL",
        None,
        (
            "An internal error has occurred. Please retry or report in"
            " https://developers.generativeai.google/guide/troubleshooting"
        ),
    ),
    "overloaded": (503, "UNAVAILABLE", None, "The model is overloaded. Please try again later."),
}
# unit and window: metric, quotaId
_QUOTAS = {
    ("requests", MINUTE): ("requests", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
    ("requests", DAY): ("requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    ("tokens", MINUTE): ("input_token_count", "GenerateContentInputTokensPerModelPerMinute-FreeTier"),
}
_EMBED_QUOTAS = {
    ("requests", MINUTE): ("requests", "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier"),
    ("requests", DAY): ("requests", "EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier"),
}


def refuse(refused: RefusedError, model: str) -> Refusal:
    """Put a refusal into Gemini's words. A blocked prompt is a 200 without candidates."""
    if refused.kind == "content_filter":
        return Refusal(200, {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": model}, {})
    if refused.kind in ("quota", "paid_model"):
        return _exhausted(refused.exceeded or _nothing_free(model), model)
    status, rpc_status, reason, text = _REFUSALS[refused.kind]
    words = text.format_map({"model": model, "message": refused.message, **refused.facts})
    error: Json = {"code": status, "message": words, "status": rpc_status}
    if reason:
        info = {"@type": f"{_RPC}.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        error["details"] = [{**info, "metadata": {"service": _DOMAIN}}]
    return Refusal(status, {"error": error}, {})


def _nothing_free(model: str) -> tuple[Exceeded, ...]:
    windows = (("requests", DAY), ("requests", MINUTE), ("tokens", MINUTE))
    limits = [Limit(unit=unit, limit=0, window=window, pool=model) for unit, window in windows]
    return tuple(Exceeded(limit, 0, 1, math.inf) for limit in limits)


def _exhausted(exceeded: Sequence[Exceeded], model: str) -> Refusal:
    """Tell of spent quotas. With a spent day the service asks to retry within the minute, which is no use."""
    longest = max(one.wait for one in exceeded)
    daily = any(one.limit.window == DAY for one in exceeded)
    wait = dice(model, longest).uniform(5, 59) if daily or longest > MINUTE else longest
    lines, violations = [], []
    for one in exceeded:
        kind, quotas = ("embed", _EMBED_QUOTAS) if "embedding" in model else ("generate", _QUOTAS)
        metric, quota_id = quotas[one.limit.unit, one.limit.window]
        name = f"{_DOMAIN}/{kind}_content_free_tier_{metric}"
        lines.append(f"* Quota exceeded for metric: {name}, limit: {one.limit.limit:.0f}, model: {model}")
        dimensions = {"location": "global", "model": model}
        violation = {"quotaMetric": name, "quotaId": quota_id, "quotaDimensions": dimensions}
        violations.append({**violation, "quotaValue": f"{one.limit.limit:.0f}"})
    opening = "You exceeded your current quota, please check your plan and billing details."
    text = "\n".join([f"{opening} See {_LIMITS_PAGE}.", *lines, f"Please retry in {wait:.9g}s."])
    link = {"description": "Learn more about Gemini API quotas", "url": _LIMITS_PAGE}
    details = [
        {"@type": f"{_RPC}.QuotaFailure", "violations": violations},
        {"@type": f"{_RPC}.Help", "links": [link]},
        {"@type": f"{_RPC}.RetryInfo", "retryDelay": f"{math.ceil(wait)}s"},
    ]
    error = {"code": 429, "message": text, "status": "RESOURCE_EXHAUSTED", "details": details}
    return Refusal(429, {"error": error}, {})
