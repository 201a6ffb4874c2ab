"""Groq's wire: OpenAI's, with usage under `x_groq`, Go durations in its headers, and strict bodies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Exchange, Json
from freellm_simulator.quotas import DAY, MINUTE, Exceeded, Standing
from freellm_simulator.wires import openai
from freellm_simulator.wires.contract import Frame, Refusal, Wire, account_of, bearer
from freellm_simulator.wires.groq_refusals import REFUSALS, WINDOWS, go_duration
from freellm_simulator.wires.groq_rules import problems, thinking
from freellm_simulator.wires.openai_service import OpenAIService
from freellm_simulator.worlds import Facts

# The headers speak of requests a day and of tokens a minute only.
_QUOTA_NAMES: Mapping[tuple[str, float], str] = {
    ("requests", DAY): "x-ratelimit-{}-requests",
    ("tokens", MINUTE): "x-ratelimit-{}-tokens",
}


class Groq(OpenAIService):
    """The wire of api.groq.com. A key is its own organization."""

    provider = "groq"
    base_path = "/openai/v1"
    refusals = REFUSALS
    quota_names = _QUOTA_NAMES

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        return Caller(account_of(bearer(request), "org_"))

    def thinking(self, body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
        """See `OpenAIService`."""
        return thinking(body, facts)

    def problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`."""
        return problems(body, ask, facts)

    def whole(self, exchange: Exchange) -> Json:
        """See `Wire`."""
        return {**openai.completion(exchange, "reasoning"), "x_groq": {"id": f"req_{exchange.token}"}}

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """See `Wire`."""
        request_id = f"req_{exchange.token}"
        first = openai.chunk(exchange, {"role": "assistant", "content": ""})
        yield Frame({**first, "x_groq": {"id": request_id}})
        yield from openai.deltas(exchange, "reasoning")
        for at, call in enumerate(openai.tool_calls(exchange)):
            yield Frame(openai.chunk(exchange, {"tool_calls": [{**call, "index": at}]}), 8)
        spent = openai.usage(exchange.reply.usage)
        last = openai.chunk(exchange, {}, exchange.reply.finish)
        yield Frame({**last, "x_groq": {"id": request_id, "usage": spent}}, final=True)
        if exchange.ask.usage_chunk:
            yield Frame(openai.usage_chunk(exchange))

    def spent(self, exceeded: Exceeded, facts: Mapping[str, object]) -> Refusal:
        """See `OpenAIService`. The wait is told as Go writes durations."""
        duration = go_duration(exceeded.wait) if math.isfinite(exceeded.wait) else ""
        on = WINDOWS[exceeded.limit.unit, exceeded.limit.window]
        return super().spent(exceeded, {**facts, "duration": duration, "on": on})

    def reset(self, standing: Standing) -> str:
        """See `OpenAIService`."""
        return go_duration(standing.resets_in)

    def listed(self, facts: Facts) -> Json:
        """See `OpenAIService`."""
        return {
            "id": facts.id,
            "object": "model",
            "created": 1_700_000_000,
            "owned_by": facts.id.partition("/")[0] if "/" in facts.id else "Meta",
            "active": True,
            "context_window": facts.context,
            "max_completion_tokens": facts.max_output,
            "public_apps": None,
        }


wire: Wire = Groq()
