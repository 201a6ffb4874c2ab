"""Cerebras' wire: OpenAI's, with flat errors and a header for every window of every unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from freellm_simulator.exchange import Json
from freellm_simulator.quotas import DAY, MINUTE
from freellm_simulator.wires.contract import Wire
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts

_HOUR = 3600.0
_WINDOWS = {"minute": MINUTE, "hour": _HOUR, "day": DAY}
_INVALID = "invalid_request_error"
_QUOTA_NAMES: Mapping[tuple[str, float], str] = {
    (unit, window): f"x-ratelimit-{{}}-{unit}-{name}"
    for unit in ("requests", "tokens")
    for name, window in _WINDOWS.items()
}


def _flat(status: int, message: str, type_: str, param: str, code: str) -> Words:
    return status, {"message": message, "type": type_, "param": param, "code": code}


_SPENT: Mapping[str | tuple[str, float], Words] = {
    (unit, window): _flat(
        429,
        f"{unit.capitalize()} per {name} limit exceeded - too many {unit} {verb}.",
        f"too_many_{unit}_error",
        "quota",
        f"{unit.removesuffix('s')}_quota_exceeded",
    )
    for unit, verb in (("requests", "sent"), ("tokens", "processed"))
    for name, window in _WINDOWS.items()
}
_REFUSALS: Refusals = {
    **_SPENT,
    "quota": _SPENT["requests", MINUTE],
    "no_key": _flat(401, "Wrong API Key", _INVALID, "api_key", "wrong_api_key"),
    "bad_key": _flat(401, "Wrong API Key", _INVALID, "api_key", "wrong_api_key"),
    "forbidden": _flat(403, "Permission denied", "permission_denied_error", "model", "permission_denied"),
    "paid_model": _flat(
        404,
        "Model {model} does not exist or you do not have access to it.",
        "not_found_error",
        "model",
        "model_not_found",
    ),
    "unknown_model": _flat(
        404,
        "Model {model} does not exist or you do not have access to it.",
        "not_found_error",
        "model",
        "model_not_found",
    ),
    "retired_model": _flat(404, "Model {model} is archived.", "not_found_error", "model", "model_archived"),
    "bad_request": _flat(422, "{message}", _INVALID, "{param}", "unprocessable_entity"),
    "context_exceeded": _flat(
        400,
        "Please reduce the length of the messages or completion. Current length is {tokens} while limit is {context}",
        _INVALID,
        "messages",
        "context_length_exceeded",
    ),
    "content_filter": _flat(
        400, "The request was refused by the content policy.", _INVALID, "messages", "content_filter"
    ),
    "server_error": _flat(500, "Internal server error", "server_error", "", "internal_error"),
    "overloaded": _flat(
        429,
        "We're experiencing high traffic right now! Please try again soon.",
        "too_many_requests_error",
        "queue",
        "queue_exceeded",
    ),
    "unknown_path": _flat(404, "Not Found: {path}", "not_found_error", "", "not_found"),
}
_TAKES = frozenset(
    [
        "clear_thinking",
        "disable_reasoning",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "min_tokens",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "reasoning_format",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
    ]
)
_SHOWN: Mapping[object, Literal["hidden", "inline"]] = {"hidden": "hidden", "raw": "inline"}


class Cerebras(OpenAIService):
    """The wire of api.cerebras.ai. A key is its own organization."""

    provider = "cerebras"
    refusals = _REFUSALS
    takes = _TAKES
    message_members = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "reasoning"})
    quota_names = _QUOTA_NAMES
    states_wait = False  # the headers of the buckets tell

    def thinking(self, body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
        """See `OpenAIService`. Models reason unless they are told not to."""
        if not facts.efforts or body.get("reasoning_effort") == "none" or body.get("disable_reasoning"):
            return "none"
        return _SHOWN.get(body.get("reasoning_format"), "shown")


wire: Wire = Cerebras()
