"""NVIDIA's wire: OpenAI's in front of many model servers, with errors of several shapes and no quota headers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Json
from freellm_simulator.wires.contract import Wire
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts


def _problem(status: int, title: str, detail: str | None = None) -> Words:
    """Return words in the shape of RFC 7807, which the gateway uses."""
    body = {"status": status, "title": title}
    return status, {**body, "detail": detail} if detail else body


def _server(status: int, message: str, type_: str = "BadRequestError") -> Words:
    """Return words in vLLM's shape."""
    return status, {"object": "error", "message": message, "type": type_, "param": "{param}", "code": status}


_NOT_FOUND: Words = (404, "404 page not found")
_REFUSALS: Refusals = {
    "no_key": _problem(401, "Unauthorized", "Header of type `authorization` was missing"),
    "bad_key": _problem(403, "Forbidden", "Authorization failed"),
    "forbidden": _problem(
        404, "Not Found", "Function '8f7b3e0c-4d0a-4b52-9d55-6f0f4c1f0a11': Not found for account 'simulated'"
    ),
    "unknown_model": _NOT_FOUND,
    "unknown_path": _NOT_FOUND,
    "retired_model": _problem(
        410, "Gone", "The model '{model}' has reached its end of life and is no longer available."
    ),
    "bad_request": _server(400, "{message}"),
    "context_exceeded": _server(
        400,
        "This model's maximum context length is {context} tokens. However, you requested {tokens} tokens in the messages,"
        " Please reduce the length of the messages.",
    ),
    "content_filter": _server(400, "The request was refused: content_filter"),
    "quota": _problem(429, "Too Many Requests"),
    "server_error": _problem(500, "Internal Server Error"),
    "overloaded": _problem(400, "Bad Request", "Function id '8f7b3e0c': DEGRADED function cannot be invoked"),
}
_TAKES = frozenset(
    [
        "chat_template_kwargs",
        "frequency_penalty",
        "max_tokens",
        "messages",
        "model",
        "parallel_tool_calls",
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
    ]
)


class Nvidia(OpenAIService):
    """The wire of integrate.api.nvidia.com. A key is its own account."""

    provider = "nvidia"
    refusals = _REFUSALS
    takes = _TAKES
    embeddings_take = frozenset(
        {"dimensions", "encoding_format", "input", "input_type", "model", "truncate", "user"}
    )
    thoughts = "reasoning_content"
    states_wait = False

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`. Anyone may list the models."""
        return Caller("") if request.method == "GET" else super().caller(request)

    def parameter_problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`. Some servers know one call in a turn."""
        yield from super().parameter_problems(body, ask, facts)
        if "one-call" in facts.quirks and ask.tools and ask.parallel:
            yield "parallel_tool_calls", "This model only supports single tool-calls at once!"

    def message_problems(self, messages: Sequence[Json], ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`."""
        yield from super().message_problems(messages, ask, facts)
        if "one-call" in facts.quirks and any(len(turn.calls) > 1 for turn in ask.turns):
            yield "messages", "This model only supports single tool-calls at once!"

    def embedding_problems(self, body: Json, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`. Questions and passages have vectors of their own."""
        yield from super().embedding_problems(body, facts)
        if facts.id.startswith("nvidia/") and body.get("input_type") not in ("query", "passage"):
            yield "input_type", "'input_type' parameter is required: query or passage"


wire: Wire = Nvidia()
