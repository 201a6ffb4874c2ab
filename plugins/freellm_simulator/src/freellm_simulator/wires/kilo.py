"""Kilo Gateway's wire: OpenAI's, for anybody, counted by address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Json
from freellm_simulator.quotas import HOUR
from freellm_simulator.wires.contract import Route, bearer
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts

_SPENT = "Free model usage limit reached. Please try again later or upgrade to a paid model."


def _error(status: int, message: str, code: int | str | None = None) -> Words:
    return status, {"error": {"message": message, "code": code or status}}


_REFUSALS: Refusals = {
    "no_key": (401, {"error": "Unauthorized"}),
    "bad_key": (401, {"error": "Unauthorized"}),
    "forbidden": _error(401, "You need to sign in to use this model.", "PAID_MODEL_AUTH_REQUIRED"),
    "paid_model": _error(401, "You need to sign in to use this model.", "PAID_MODEL_AUTH_REQUIRED"),
    "unknown_model": _error(404, "The model {model} does not exist"),
    "retired_model": _error(404, "No endpoints found for {model}."),
    "unknown_path": _error(404, "Not found"),
    "bad_request": _error(400, "Provider returned error"),
    "context_exceeded": _error(
        400,
        "This endpoint's maximum context length is {context} tokens. However, you requested about {tokens} tokens.",
    ),
    "content_filter": _error(451, "The request was refused by the content policy"),
    "server_error": _error(502, "Provider returned error"),
    "overloaded": _error(503, "The service is temporarily unavailable. Please try again later."),
    "quota": _error(429, "Provider returned error"),
    ("requests", HOUR): (
        429,
        {"error": "Rate limit exceeded", "error_type": "rate_limit_exceeded", "message": _SPENT},
    ),
}


class Kilo(OpenAIService):
    """The wire of api.kilo.ai. A free model answers without a key, and with any."""

    provider = "kilo"
    base_path = "/api/gateway"
    usage = "always"
    states_wait = False
    refusals = _REFUSALS

    @property
    def routes(self) -> Sequence[Route]:
        """See `Wire`. A key's owner is beside the gateway."""
        return (*super().routes, Route("GET", "/api/profile", "profile"))

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        if request.path.endswith("/profile"):
            bearer(request)
        return Caller(f"ip_{request.remote}")

    def parameter_problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """Refuse JSON mode; parameters that it does not know are ignored."""
        if "response_format" in body:
            yield "response_format", "response_format"
        if ask.tools and "tools" not in facts.abilities:
            yield "tools", "tools"

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task == "profile":
            return {"user": {"email": "simulated@example.com", "name": "Simulated"}, "organizations": []}
        return super().look_up(task, request, body, served)

    def listed(self, facts: Facts) -> Json:
        """Return what the list of models says about one."""
        return {
            "id": facts.id,
            "name": facts.id,
            "context_length": facts.context,
            "pricing": {"prompt": "0", "completion": "0"},
        }


wire = Kilo()
