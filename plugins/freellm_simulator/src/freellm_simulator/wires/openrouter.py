"""OpenRouter's wire: OpenAI's with what a gateway adds, one pool for all free models, and whatever it does not know ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Exchange, Json, RefusedError
from freellm_simulator.quotas import DAY, MINUTE, Exceeded
from freellm_simulator.wires.contract import Frame, Framing, Refusal, Route, account_of, bearer
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts

_COMMENT = b": OPENROUTER PROCESSING\n\n"
_USER = "user_simulated"


def _error(code: int, message: str, **metadata: Any) -> Words:
    """Return words in OpenRouter's shape: the status stands in the body too, what else is known under `metadata`."""
    told = {"metadata": metadata} if metadata else {}
    return code, {"error": {"message": message, "code": code, **told}, "user_id": _USER}


_PER_DAY = (
    "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
)


_REFUSALS: Refusals = {
    "no_key": _error(401, "No auth credentials found"),
    "bad_key": _error(401, "User not found."),
    "forbidden": _error(
        404,
        "No endpoints found matching your data policy (Free model training). Configure:"
        " https://openrouter.ai/settings/privacy",
    ),
    "unknown_model": _error(400, "{model} is not a valid model ID"),
    "retired_model": _error(404, "No endpoints found for {model}."),
    "paid_model": _error(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
    "no_endpoint": _error(404, "No endpoints found that support {message}"),
    "unknown_path": _error(404, "Not found: {path}"),
    "bad_request": _error(400, "{message}"),
    "context_exceeded": _error(
        400,
        "This endpoint's maximum context length is {context} tokens. However, you requested about {tokens} tokens."
        " Please reduce the length of either one.",
    ),
    "content_filter": _error(
        403,
        "Your chosen model requires moderation and your input was flagged",
        reasons=["simulated"],
        flagged_input="",
    ),
    "server_error": _error(502, "Provider returned error", provider_name="Simulated"),
    "overloaded": _error(503, "No instances available for {model}"),
    "quota": _error(
        429,
        "Provider returned error",
        raw="{model} is temporarily rate-limited upstream. Please retry shortly.",
        provider_name="Simulated",
    ),
    ("requests", MINUTE): _error(429, "Rate limit exceeded: free-models-per-min. "),
    ("requests", DAY): _error(429, _PER_DAY, limit_source="openrouter_free_tier_daily"),
}


class OpenRouter(OpenAIService):
    """The wire of openrouter.ai. A key is its own account; the list of models is public."""

    provider = "openrouter"
    base_path = "/api/v1"
    usage = "always"
    refusals = _REFUSALS

    @property
    def routes(self) -> Sequence[Route]:
        """See `Wire`."""
        return (*super().routes, Route("GET", f"{self.base_path}/key", "key"))

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        return Caller("") if "/models" in request.path else super().caller(request)

    def problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """Refuse what no service of the model can do; parameters that it does not know are ignored."""
        if ask.tools and "tools" not in facts.abilities:
            raise RefusedError("no_endpoint", "tool use")
        if any(turn.images for turn in ask.turns) and "vision" not in facts.abilities:
            raise RefusedError("no_endpoint", "image input")
        yield from ()

    def whole(self, exchange: Exchange) -> Json:
        """See `Wire`."""
        made = super().whole(exchange)
        choices = [{**choice, "native_finish_reason": choice["finish_reason"]} for choice in made["choices"]]
        return {**made, "provider": "Simulated", "choices": choices, "usage": {**made["usage"], "cost": 0}}

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """See `Wire`. The role comes with every chunk."""
        for frame in super().frames(exchange):
            choices = [
                {
                    **choice,
                    "delta": {"role": "assistant", "content": "", **choice["delta"]},
                    "native_finish_reason": choice["finish_reason"],
                }
                for choice in frame.data["choices"]
            ]
            yield replace(frame, data={**frame.data, "provider": "Simulated", "choices": choices})

    def framing(self, request: web.Request) -> Framing:
        """See `Wire`. A comment keeps the connection open before the first event."""
        sse = super().framing(request)
        return replace(sse, first=_COMMENT + sse.first)

    def spent(self, exceeded: Exceeded, facts: Mapping[str, object]) -> Refusal:
        """Refuse for a quota that is spent, and quote the headers that tell of it."""
        refusal = super().spent(exceeded, facts)
        quoted = {"X-RateLimit-Limit": f"{exceeded.limit.limit:.0f}", "X-RateLimit-Remaining": "0"}
        if exceeded.at is not None:
            quoted["X-RateLimit-Reset"] = f"{(exceeded.at + exceeded.wait) * 1_000:.0f}"
        error = refusal.body["error"]
        metadata = {**error.get("metadata", {}), "headers": quoted, "provider_name": None}
        return replace(refusal, body={**refusal.body, "error": {**error, "metadata": metadata}})

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task != "key":
            return super().look_up(task, request, body, served)
        told: Json = {"label": "simulated", "limit": None, "limit_remaining": None, "usage": 0}
        told |= {"is_free_tier": True, "is_management_key": False, "organization_id": None}
        return {"data": {**told, "creator_user_id": account_of(bearer(request), "user_")}}

    def listed(self, facts: Facts) -> Json:
        """Return what the list of models says about one: prices, windows, and what goes in and comes out."""
        return {
            "id": facts.id,
            "name": facts.id,
            "created": 1_700_000_000,
            "context_length": facts.context,
            "architecture": {
                "input_modalities": ["text", "image"] if "vision" in facts.abilities else ["text"],
                "output_modalities": ["embeddings"] if facts.dimensions else ["text"],
            },
            "pricing": {"prompt": "0", "completion": "0", "request": "0"},
            "top_provider": {"context_length": facts.context, "max_completion_tokens": facts.max_output},
            "supported_parameters": sorted(_parameters(facts)),
        }


def _parameters(facts: Facts) -> set[str]:
    names = {"tools": "tools", "json": "response_format", "schema": "structured_outputs"}
    found = {names[ability] for ability in facts.abilities & names.keys()}
    return found | {"max_tokens", "seed", "temperature"} | ({"reasoning"} if facts.efforts else set())


wire = OpenRouter()
