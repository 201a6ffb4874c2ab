"""SambaNova's wire: OpenAI's, with a list of models for everyone and a free tier that may want a payment method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from aiohttp import web

from freellm_simulator.exchange import Caller, Json, RefusedError
from freellm_simulator.quotas import DAY, MINUTE
from freellm_simulator.wires.contract import Wire, bearer
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, error
from freellm_simulator.worlds import Facts

UNPAID = "unpaid-"
"""Keys that begin so are of an account that is asked for a payment method, as accounts were in 2026."""

_INVALID = "invalid_request_error"
_QUOTA_NAMES: Mapping[tuple[str, float], str] = {
    ("requests", MINUTE): "x-ratelimit-{}-requests",
    ("requests", DAY): "x-ratelimit-{}-requests-day",
}
_LIMIT = "Request would exceed rate limit\nViolated duration_s: {window:.0f}, current usage: {used}, limit: {limit}"
_REFUSALS: Refusals = {
    "no_key": error(
        401, "Authentication credentials are missing", _INVALID, "invalid_authentication", param=None
    ),
    "bad_key": error(401, "The API key is invalid", _INVALID, "invalid_authentication", param=None),
    "unpaid": error(
        402, "A payment method is required", "payment_required", "PAYMENT_METHOD_REQUIRED", param=None
    ),
    "forbidden": error(403, "Access to {model} is denied", "permission_error", param=None),
    "paid_model": (422, {"error": "Couldn't find valid service tier for model {model}"}),
    "unknown_model": error(404, "Model {model} not found", _INVALID, "model_not_found", param="model"),
    "retired_model": error(410, "Model {model} has been removed", _INVALID, None, param="model"),
    "bad_request": error(400, "{message}", _INVALID, "invalid_value", param="{param}"),
    "context_exceeded": error(
        400,
        "This model's maximum context length is {context} tokens. However, you requested {tokens} tokens.",
        _INVALID,
        "context_length_exceeded",
        param="messages",
    ),
    "content_filter": error(400, "The request was refused", _INVALID, "content_filter", param=None),
    "quota": error(429, _LIMIT, "rate_limit_error", "rate_limit_exceeded", param=None),
    "server_error": error(500, "Something went wrong", "server_error", param=None),
    "overloaded": (503, {"error": "The model is temporarily unavailable due to maintenance"}),
    "unknown_path": (404, {"error": "no route: {path}"}),
}
_TAKES = frozenset(
    [
        "chat_template_kwargs",
        "do_sample",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "repetition_penalty",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
    ]
)


class SambaNova(OpenAIService):
    """The wire of api.sambanova.ai. A key is its own account."""

    provider = "sambanova"
    refusals = _REFUSALS
    takes = _TAKES
    message_members = frozenset({"role", "content", "tool_calls", "tool_call_id", "reasoning", "channel"})
    plain_content = True
    quota_names = _QUOTA_NAMES
    states_wait = False

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`. Anyone may list the models."""
        if request.method == "GET":
            return Caller("")
        key = bearer(request)
        if key.startswith(UNPAID):
            raise RefusedError("unpaid")
        return super().caller(request)

    def thinking(self, body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
        """See `OpenAIService`. DeepSeek's reasoning is switched by the template, and comes in tags."""
        if "switch" in facts.quirks:
            switch = body.get("chat_template_kwargs") or {}
            return "inline" if switch.get("enable_thinking") else "none"
        return super().thinking(body, facts)


wire: Wire = SambaNova()
