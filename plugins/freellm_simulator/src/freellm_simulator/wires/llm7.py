"""LLM7.io's wire: OpenAI's, with a token or without, and now and then another model than the one asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aiohttp import web

from freellm_simulator.exchange import Caller, Exchange, Json
from freellm_simulator.wires.contract import Frame
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, error
from freellm_simulator.worlds import Facts

OTHER = "gemini-2.5-flash-lite"
"""Who answers in place of a model with the quirk `substituted`."""


_REFUSALS: Refusals = {
    "no_key": error(401, "Missing API key.", "authentication_error"),
    "bad_key": error(401, "Missing API key.", "authentication_error"),
    "forbidden": error(401, "Missing API key.", "authentication_error"),
    "unknown_model": error(
        400, "The model `{model}` is not available", "invalid_request_error", "model_unavailable"
    ),
    "retired_model": error(
        400, "The model `{model}` is not available", "invalid_request_error", "model_unavailable"
    ),
    "paid_model": error(402, "This model needs the plan Pro. Please upgrade.", "payment_required"),
    "unknown_path": error(404, "Not found", "invalid_request_error"),
    "bad_request": error(400, "{message}", "invalid_request_error", param="{param}"),
    "context_exceeded": error(
        400,
        "This model's maximum context length is {context} tokens.",
        "invalid_request_error",
        "context_length_exceeded",
    ),
    "content_filter": error(
        400,
        "The request was refused by the content policy.",
        "invalid_request_error",
        "content_policy_violation",
    ),
    "server_error": error(500, "Internal server error", "server_error"),
    "overloaded": error(503, "Service unavailable", "server_error"),
    "quota": error(429, "Rate limit exceeded", "rate_limit_error", "rate_limit_exceeded"),
}


class LLM7(OpenAIService):
    """The wire of api.llm7.io. Without a token quotas belong to the address; the list of models is public."""

    provider = "llm7"
    refused = frozenset({"logit_bias", "logprobs", "top_logprobs", "response_format"})
    thoughts = "reasoning_content"
    states_wait = False
    refusals = _REFUSALS

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        anonymous = "Authorization" not in request.headers
        return Caller(f"ip_{request.remote}") if anonymous else super().caller(request)

    def whole(self, exchange: Exchange) -> Json:
        """See `Wire`."""
        return _signed(super().whole(exchange), exchange)

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """See `Wire`."""
        for frame in super().frames(exchange):
            yield replace(frame, data=_signed(frame.data, exchange))

    def listed(self, facts: Facts) -> Json:
        """Return what the list of models says about one: its tier above all."""
        tools = "tools" in facts.abilities
        told: Json = {"tier": "turbo", "tools_calling": tools, "json_mode": False}
        return {**super().listed(facts), **told, "context_window": {"tokens": facts.context}}


def _signed(data: Json, exchange: Exchange) -> Json:
    """Name the other model where the gateway has put one in the place of the one asked for."""
    return {**data, "model": OTHER} if "substituted" in exchange.model.quirks else data


wire = LLM7()
