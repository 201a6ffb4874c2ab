"""Pollinations' wire: OpenAI's bodies, paid with pollen that is there again at the full hour, refusals in a shape of its own."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from freellm_simulator.exchange import Caller, Json
from freellm_simulator.quotas import HOUR
from freellm_simulator.wires.contract import Route
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts


def _error(status: int, code: str, message: str) -> Words:
    """Return words in Pollinations' shape."""
    return status, {
        "status": status,
        "success": False,
        "error": {"code": code, "message": message, "details": {"name": "HTTPException"}},
    }


_REFUSALS: Refusals = {
    "no_key": _error(401, "UNAUTHORIZED", "Authentication required. Please provide an API key."),
    "bad_key": _error(401, "UNAUTHORIZED", "Authentication required. Please provide an API key."),
    "forbidden": _error(
        403, "FORBIDDEN", "Access denied to model {model}: this API key has no permission for it."
    ),
    "paid_model": _error(402, "PAYMENT_REQUIRED", "This model needs bought pollen."),
    "unknown_model": _error(400, "BAD_REQUEST", "Model '{model}' not found"),
    "retired_model": _error(400, "BAD_REQUEST", "Model '{model}' not found"),
    "unknown_path": _error(404, "NOT_FOUND", "Not found"),
    "bad_request": _error(400, "BAD_REQUEST", "{message}"),
    "context_exceeded": _error(
        400,
        "BAD_REQUEST",
        "400 Bad Request: This model's maximum context length is {context} tokens. However, you requested {tokens}.",
    ),
    "content_filter": _error(451, "CONTENT_FILTERED", "The request was refused by the content policy"),
    "server_error": _error(500, "INTERNAL_ERROR", "Something went wrong"),
    "overloaded": _error(503, "SERVICE_UNAVAILABLE", "Busy"),
    "quota": _error(429, "RATE_LIMITED", "Too many requests"),
    ("pollen", HOUR): _error(
        402, "PAYMENT_REQUIRED", "Insufficient pollen balance. Top up or wait for your next refill."
    ),
}


class Pollinations(OpenAIService):
    """The wire of gen.pollinations.ai. A key is its own account; the list of models is public."""

    provider = "pollinations"
    thoughts = "reasoning_content"
    states_wait = False
    refusals = _REFUSALS

    @property
    def routes(self) -> Sequence[Route]:
        """See `Wire`."""
        return (*super().routes, Route("GET", "/account/key", "key"))

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        return Caller("") if "/models" in request.path else super().caller(request)

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task == "key":
            return {"valid": True, "type": "secret", "permissions": {"models": None}, "pollenBudget": None}
        return super().look_up(task, request, body, served)


wire = Pollinations()
