"""Ollama Cloud's wire: OpenAI's with refusals in plain texts, and parameters that are ignored without a word."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Json
from freellm_simulator.wires.contract import Route, Wire
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts

_HOUR, _SESSION, _WEEK = 3_600.0, 18_000.0, 604_800.0


def _error(status: int, text: str) -> Words:
    """Return words in Ollama's shape: a text and nothing else."""
    return status, {"error": text}


def _spent(window: str) -> Words:
    more = "upgrade for higher limits: https://ollama.com/upgrade"
    return _error(429, f"you ({{account}}) have reached your {window} usage limit, {more}")


_REFUSALS: Refusals = {
    "no_key": _error(401, "Unauthorized"),
    "bad_key": _error(401, "Unauthorized"),
    "forbidden": _error(403, "forbidden"),
    "unknown_model": _error(404, "model '{model}' not found"),
    "retired_model": _error(410, "model '{model}' has been retired"),
    "paid_model": _error(
        403, "this model requires a subscription, upgrade for access: https://ollama.com/upgrade"
    ),
    "bad_request": _error(400, "{message}"),
    "context_exceeded": _error(400, "prompt too long; exceeded max context length by {tokens} tokens"),
    "content_filter": _error(400, "the request was refused by a content filter"),
    "quota": _error(429, "too many requests"),
    ("concurrent", math.inf): _error(429, "too many concurrent requests"),
    ("tokens", _HOUR): _spent("hourly"),
    ("tokens", _SESSION): _spent("session"),
    ("tokens", _WEEK): _spent("weekly"),
    "server_error": _error(500, "internal server error"),
    "overloaded": _error(503, "Service Temporarily Unavailable: the server is overloaded"),
    "unknown_path": (404, "404 page not found"),
}


class Ollama(OpenAIService):
    """The wire of ollama.com. A key is its own account; the list of models is open to everybody."""

    provider = "ollama"
    refusals = _REFUSALS
    whole_calls = True
    states_wait = False

    @property
    def routes(self) -> Sequence[Route]:
        """See `Wire`."""
        chat, _, *lists = super().routes  # it makes no embeddings
        return (chat, *lists, Route("GET", "/api/usage", "usage"))

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        return Caller("") if request.path.endswith("/v1/models") else super().caller(request)

    def read(self, request: web.Request, body: Json, facts: Facts) -> Ask:
        """See `Wire`. No choice of tools is kept to."""
        known = {name: value for name, value in body.items() if name != "tool_choice"}
        return replace(super().read(request, known, facts), parallel=True)

    def message_problems(self, messages: Sequence[Json], ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`. Images come inline only."""
        yield from super().message_problems(messages, ask, facts)
        for at, turn in enumerate(ask.turns):
            if any(image.mime == "unknown" for image in turn.images):
                yield f"messages.{at}.content", "invalid image input"

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`. The usage is always told as none: only refusals show it here."""
        if task == "usage":
            window = {"usage": 0.0, "models": []}
            return {
                "limits": {"session": window, "weekly": window},
                "activity": {"cost": "0.00000", "models": []},
            }
        return super().look_up(task, request, body, served)


wire: Wire = Ollama()
