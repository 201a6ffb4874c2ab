"""Cohere's wire: the compatible chat endpoint, and Cohere's own for embeddings, models and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from aiohttp import web

from freellm_simulator.exchange import Ask, Json, RefusedError
from freellm_simulator.quotas import MINUTE
from freellm_simulator.tokens import count
from freellm_simulator.vectors import vector
from freellm_simulator.wires.contract import SEED, Route, Wire, account_of, bearer
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts

_MONTH = 2_592_000.0
_TRIAL = (
    "You are using a Trial key, which is limited to {{limit}} API calls / {window}. You can continue to use the Trial"
    " key for free or upgrade to a Production key with higher rate limits at 'https://dashboard.cohere.com/api-keys'."
)


def _error(status: int, message: str) -> Words:
    """Return words in Cohere's shape."""
    return status, {"message": message, "id": "simulated"}


_REFUSALS: Refusals = {
    "no_key": _error(401, "no api key supplied"),
    "bad_key": _error(401, "invalid api token"),
    "forbidden": _error(403, "your api key does not have permission to use this model"),
    "unknown_model": _error(404, "model '{model}' not found, make sure the correct model ID was used"),
    "retired_model": _error(404, "model '{model}' was removed. See https://docs.cohere.com/docs/models"),
    "bad_request": _error(400, "invalid request: {message}"),
    "context_exceeded": _error(
        400, "too many tokens: {tokens}. The limit for this model is {context} tokens."
    ),
    "content_filter": _error(498, "the prompt was blocked for its content"),
    "quota": _error(429, "trial token rate limit exceeded"),
    ("requests", MINUTE): _error(429, _TRIAL.format(window="minute")),
    ("requests", _MONTH): _error(429, _TRIAL.format(window="month")),
    "server_error": _error(500, "internal server error"),
    "overloaded": _error(503, "service unavailable"),
    "unknown_path": _error(404, "404 page not found: {path}"),
}
_TAKES = frozenset(
    {
        "frequency_penalty",
        "max_tokens",
        "messages",
        "model",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
    }
)
_PURPOSES = ("search_document", "search_query", "classification", "clustering")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_]+")


class Cohere(OpenAIService):
    """The wire of api.cohere.ai. A key is its own organization."""

    provider = "cohere"
    base_path = "/compatibility/v1"
    refusals = _REFUSALS
    takes = _TAKES
    message_members = frozenset({"role", "content", "tool_calls", "tool_call_id", "name"})
    thoughts = "reasoning_content"
    states_wait = False

    @property
    def routes(self) -> Sequence[Route]:
        """See `Wire`."""
        return (
            Route("POST", f"{self.base_path}/chat/completions", "chat"),
            Route("POST", "/v2/embed", "embeddings"),
            Route("GET", "/v1/models", "models"),
            Route("POST", "/v1/check-api-key", "check"),
        )

    def thinking(self, body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
        """See `OpenAIService`. Who reasons does so unless told not to."""
        return "none" if body.get("reasoning_effort") == "none" else super().thinking(body, facts)

    def parameter_problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`."""
        yield from super().parameter_problems(body, ask, facts)
        for name in ("temperature", "frequency_penalty", "presence_penalty"):
            if not 0 <= body.get(name, 0) <= 1:
                yield name, f"{name} must be between 0 and 1.0 inclusive"
        if isinstance(body.get("tool_choice"), dict):
            yield "tool_choice", "tool_choice is REQUIRED or NONE"
        if ask.tools and "response_format" in body:
            yield "response_format", "response_format is not supported with tools"
        for tool in ask.tools:
            if not _TOOL_NAME.fullmatch(tool.name):
                yield "tools", f"tool name {tool.name!r} must be letters, digits and underscores"
            for keyword in _refused_keywords(tool.schema):
                yield "tools", f"the schema of {tool.name} has the unsupported field {keyword}"

    def embeddings(self, request: web.Request, body: Json, facts: Facts) -> tuple[Json, int]:
        """See `EmbeddingWire`. Vectors come by type."""
        texts, size = body.get("texts") or [], body.get("output_dimension") or facts.dimensions[0]
        if body.get("input_type") not in _PURPOSES:
            raise RefusedError("bad_request", "valid input_type must be provided with the provided model")
        if not texts or len(texts) > (facts.max_inputs or 1) or size not in facts.dimensions:
            raise RefusedError("bad_request", "texts or output_dimension are out of bounds")
        tokens = sum(map(count, texts))
        return {
            "id": "simulated",
            "texts": texts,
            "embeddings": {"float": [vector(request.app[SEED], facts, text, size) for text in texts]},
            "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}},
            "response_type": "embeddings_by_type",
        }, tokens

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task == "check":
            return {
                "valid": True,
                "organization_id": account_of(bearer(request), "org-"),
                "owner_id": "simulated",
            }
        endpoint = request.query.get("endpoint")
        rows = [self.listed(facts) for facts in served]
        return {
            "models": [row for row in rows if endpoint in (None, *row["endpoints"])],
            "next_page_token": "",
        }

    def listed(self, facts: Facts) -> Json:
        """See `OpenAIService`."""
        features = {"json": "json_mode", "schema": "json_schema"}
        return {
            "name": facts.id,
            "is_deprecated": False,
            "endpoints": ["embed" if facts.dimensions else "chat"],
            "finetuned": False,
            "context_length": facts.context,
            "features": [features.get(ability, ability) for ability in sorted(facts.abilities)],
            "default_endpoints": [],
        }


def _refused_keywords(schema: Any) -> Iterator[str]:
    """Yield the keywords that a tool's schema may not have, wherever they stand."""
    if isinstance(schema, list):
        for part in schema:
            yield from _refused_keywords(part)
    if not isinstance(schema, dict):
        return
    for name, part in schema.items():
        if name in ("$schema", "additionalProperties"):
            yield name
        yield from _refused_keywords(list(part.values()) if name == "properties" else part)


wire: Wire = Cohere()
