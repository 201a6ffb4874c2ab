"""Mistral's wire: OpenAI's with strict bodies, rules of order, nine-letter ids and thinking in parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from aiohttp import web

from freellm_simulator.exchange import Ask, Exchange, Json, RefusedError
from freellm_simulator.quotas import MINUTE, Standing
from freellm_simulator.wires import openai
from freellm_simulator.wires.contract import Frame, Wire
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts

_INVALID = "invalid_request_error"
_MONTH = 2_592_000.0


def _error(status: int, message: Any, type_: str = _INVALID, code: str | None = None) -> Words:
    """Return words in Mistral's flat shape."""
    return status, {"object": "error", "message": message, "type": type_, "param": None, "code": code}


_BUSY = _error(
    429,
    "Service tier capacity exceeded for this model.",
    "service_tier_capacity_exceeded",
    "3505",
)
_REFUSALS: Refusals = {
    "no_key": (401, {"message": "No API key found in request", "request_id": "simulated"}),
    "bad_key": (401, {"detail": "Unauthorized"}),
    "forbidden": _error(403, "You do not have access to this model", "forbidden"),
    "unknown_model": _error(400, "Invalid model: {model}", "invalid_model", "1500"),
    "retired_model": _error(404, "The model {model} is not available any more", "not_found"),
    "bad_request": _error(400, "{message}", "invalid_request_invalid_args", "3051"),
    "extra": (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": "{place}",
                    "msg": "Extra inputs are not permitted",
                    "input": "{input}",
                }
            ]
        },
    ),
    "order": _error(400, "{message}", "invalid_request_message_order", "3230"),
    "call_id": _error(
        400,
        "Function call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.",
        "invalid_request_function_call",
        "3280",
    ),
    "context_exceeded": _error(
        400,
        "Prompt contains {tokens} tokens and 0 draft tokens, too large for model with {context} maximum context length",
        "invalid_request_invalid_args",
        "3051",
    ),
    "content_filter": (451, {"object": "error", "message": "The request was refused by a guardrail."}),
    "quota": _error(429, "Rate limit exceeded", "rate_limited", "1300"),
    ("tokens", _MONTH): _error(
        429, "Monthly token limit exceeded for this organization", "rate_limited", "1300"
    ),
    "server_error": _error(500, "Internal server error", "internal_server_error", "1000"),
    "overloaded": _BUSY,
    "unknown_path": (404, {"message": "no Route matched with those values"}),
}

_TAKES = frozenset(
    {
        "frequency_penalty",
        "logprobs",
        "max_tokens",
        "messages",
        "metadata",
        "min_tokens",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_mode",
        "random_seed",
        "reasoning_effort",
        "response_format",
        "safe_prompt",
        "stop",
        "stream",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
    }
)
_EMBEDDINGS_TAKE = frozenset({"model", "input", "encoding_format", "output_dimension", "output_dtype"})
_MEMBERS: Mapping[str, frozenset[str]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}
_FOLLOWS: Mapping[str, frozenset[str]] = {
    "system": frozenset({"system", "user", "assistant"}),
    "user": frozenset({"system", "user", "assistant"}),
    "assistant": frozenset({"user", "assistant", "tool"}),
    "tool": frozenset({"tool", "assistant"}),
}
_QUOTA_NAMES: Mapping[tuple[str, float], str] = {
    ("requests", MINUTE): "x-ratelimit-{}-req-minute",
    ("tokens", MINUTE): "x-ratelimit-{}-tokens-minute",
}
_CALL_ID = re.compile(r"[A-Za-z0-9]{9}")


class Mistral(OpenAIService):
    """The wire of api.mistral.ai. A key is its own organization."""

    provider = "mistral"
    refusals = _REFUSALS
    thoughts = "reasoning_content"
    whole_calls = True
    usage = "last"
    quota_names = _QUOTA_NAMES
    states_wait = False

    def read(self, request: web.Request, body: Json, facts: Facts) -> Ask:
        """See `Wire`. Members are looked at first, then the order of roles."""
        _only(body, _TAKES, ())
        for at, message in enumerate(body.get("messages") or ()):
            role = message.get("role")
            _only(message, _MEMBERS.get(role, frozenset()), ("messages", at, role))
        _check_order(body.get("messages") or ())
        return super().read(request, body, facts)

    def parameter_problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`."""
        if body.get("reasoning_effort") is not None and not facts.efforts:
            yield "reasoning_effort", "Reasoning effort is not enabled for this model"
        if not 0 <= body.get("temperature", 0) <= 1.5:
            yield "temperature", "temperature must be between 0 and 1.5"
        yield from super().parameter_problems(body, ask, facts)

    def whole(self, exchange: Exchange) -> Json:
        """See `Wire`. Thoughts and text are parts of one content."""
        made = openai.completion(exchange, self.thoughts)
        message = made["choices"][0]["message"]
        if thoughts := message.pop(self.thoughts, ""):
            message["content"] = [_thinking(thoughts), {"type": "text", "text": message["content"] or ""}]
        for at, call in enumerate(message.get("tool_calls", ())):
            call["id"] = _call_id(exchange, at)
        return made

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """See `Wire`. Thoughts come as parts; a call comes whole."""
        for frame in super().frames(exchange):
            for choice in frame.data["choices"]:
                delta = choice["delta"]
                if thoughts := delta.pop(self.thoughts, ""):
                    delta["content"] = [_thinking(thoughts)]
                for call in delta.get("tool_calls", ()):
                    call["id"] = _call_id(exchange, call["index"])
            yield frame

    def quota_headers(self, standings: Sequence[Standing]) -> Mapping[str, str]:
        """See `Wire`. None states a reset."""
        headers = super().quota_headers(standings)
        return {name: value for name, value in headers.items() if "reset" not in name}

    def embeddings(self, request: web.Request, body: Json, facts: Facts) -> tuple[Json, int]:
        """See `EmbeddingWire`. Another length is asked for as `output_dimension`."""
        _only(body, _EMBEDDINGS_TAKE, ())
        return super().embeddings(request, {**body, "dimensions": body.get("output_dimension")}, facts)

    def listed(self, facts: Facts) -> Json:
        """See `OpenAIService`. The list says what a model can do."""
        capabilities = {
            "completion_chat": not facts.dimensions,
            "function_calling": "tools" in facts.abilities,
            "vision": "vision" in facts.abilities,
            "reasoning": bool(facts.efforts or "thinks" in facts.quirks),
        }
        known = {"capabilities": capabilities, "max_context_length": facts.context, "type": "base"}
        return {**super().listed(facts), "owned_by": "mistralai", **known}


def _only(body: Json, taken: frozenset[str], place: tuple[object, ...]) -> None:
    for name, value in body.items():
        if name not in taken:
            raise RefusedError("extra", place=["body", *place, name], input=value)


def _check_order(messages: Sequence[Json]) -> None:
    for first, second in pairwise(messages):
        if second["role"] not in _FOLLOWS.get(first["role"], ()):
            raise RefusedError("order", f"Unexpected role '{second['role']}' after role '{first['role']}'")
    waiting = 0
    for message in messages:
        if message["role"] == "tool":
            waiting -= 1
            _check_id(message.get("tool_call_id"))
        elif waiting:
            break
        elif message["role"] == "assistant":
            calls = message.get("tool_calls") or ()
            waiting = len(calls)
            for call in calls:
                _check_id(call.get("id"))
            if not (message.get("content") or calls):
                raise RefusedError("order", "Assistant message must have either content or tool_calls.")
    if waiting:
        raise RefusedError("order", "Not the same number of function calls and responses")
    last = messages[-1] if messages else {"role": "user"}
    if last["role"] not in ("user", "tool") and not last.get("prefix"):
        words = "Expected last role User or Tool (or Assistant with prefix True) for serving but got "
        raise RefusedError("order", words + last["role"])


def _check_id(identifier: object) -> None:
    if not isinstance(identifier, str) or not _CALL_ID.fullmatch(identifier):
        raise RefusedError("call_id", id=identifier)


def _call_id(exchange: Exchange, at: int) -> str:
    return f"{exchange.token[:8]}{at}"


def _thinking(text: str) -> Json:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


wire: Wire = Mistral()
