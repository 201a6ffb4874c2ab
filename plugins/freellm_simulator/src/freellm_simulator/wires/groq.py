"""Groq's wire: OpenAI's, with usage under `x_groq`, Go durations in its headers, and strict bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Exchange, Json, RefusedError
from freellm_simulator.quotas import DAY, MINUTE, Standing
from freellm_simulator.wires import openai
from freellm_simulator.wires.contract import SSE, Frame, Framing, Refusal, Route, account_of, bearer
from freellm_simulator.wires.groq_refusals import go_duration, refuse
from freellm_simulator.wires.groq_rules import problems, thinking
from freellm_simulator.worlds import Facts


class Groq:
    """The wire of api.groq.com. A key is its own organization."""

    provider = "groq"
    routes = (
        Route("POST", "/openai/v1/chat/completions", "chat"),
        Route("GET", "/openai/v1/models", "models"),
        Route("GET", "/openai/v1/models/{model:.+}", "model"),
    )

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        return Caller(account_of(bearer(request), "org_"))

    def model_id(self, request: web.Request, body: Json) -> str:
        """See `Wire`."""
        return str(body.get("model", ""))

    def read(self, request: web.Request, body: Json, facts: Facts) -> Ask:
        """See `Wire`."""
        ask = openai.read_ask(body, thinking(body, facts))
        if problem := next(problems(body, ask, facts), None):
            raise RefusedError("bad_request", problem[1], param=problem[0])
        return ask

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

    def framing(self, request: web.Request) -> Framing:
        """See `Wire`."""
        return SSE

    def refuse(self, refused: RefusedError, model: str, caller: Caller | None) -> Refusal:
        """See `Wire`."""
        return refuse(refused, model, caller)

    def quota_headers(self, standings: Sequence[Standing]) -> Mapping[str, str]:
        """See `Wire`. The headers speak of requests a day and of tokens a minute only."""
        headers = {}
        for standing in standings:
            unit = standing.limit.unit
            if (unit, standing.limit.window) in (("requests", DAY), ("tokens", MINUTE)):
                left = max(0, int(standing.limit.limit - standing.used))
                headers[f"x-ratelimit-limit-{unit}"] = f"{standing.limit.limit:.0f}"
                headers[f"x-ratelimit-remaining-{unit}"] = str(left)
                headers[f"x-ratelimit-reset-{unit}"] = go_duration(standing.resets_in)
        return headers

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task == "models":
            return {"object": "list", "data": [_listed(facts) for facts in served]}
        wanted = request.match_info["model"]
        found = next((facts for facts in served if facts.id == wanted), None)
        if found is None:
            raise RefusedError("unknown_model", model=wanted)
        return _listed(found)


def _listed(facts: Facts) -> Json:
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
