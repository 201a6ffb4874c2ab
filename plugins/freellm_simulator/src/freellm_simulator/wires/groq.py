"""Groq's wire: OpenAI's, with usage under `x_groq`, Go durations in its headers, and strict bodies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Exchange, Json, Refused
from freellm_simulator.quotas import DAY, MINUTE, Exceeded, Standing
from freellm_simulator.wires import openai
from freellm_simulator.wires.contract import SSE, Frame, Framing, Refusal, Route, account_of, bearer
from freellm_simulator.worlds import Facts

_DOCS = "https://console.groq.com/docs"
_INVALID = "invalid_request_error"

# kind: status, type, code, text
_REFUSALS: Mapping[str, tuple[int, str, str | None, str]] = {
    "no_key": (401, _INVALID, "invalid_api_key", "Invalid API Key"),
    "bad_key": (401, _INVALID, "invalid_api_key", "Invalid API Key"),
    "forbidden": (
        403,
        "permissions_error",
        "model_permission_blocked_project",
        "The model `{model}` is blocked at the project level. Please have a project admin enable this model.",
    ),
    "unknown_model": (
        404,
        _INVALID,
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "retired_model": (
        400,
        _INVALID,
        "model_decommissioned",
        f"The model `{{model}}` has been decommissioned and is no longer supported. Please refer to {_DOCS}/deprecations"
        " for a recommendation on which model to use instead.",
    ),
    "bad_request": (400, _INVALID, None, "{message}"),
    "too_large": (413, "tokens", "rate_limit_exceeded", "{message}"),
    "context_exceeded": (
        400,
        _INVALID,
        "context_length_exceeded",
        "Please reduce the length of the messages or completion.",
    ),
    "content_filter": (
        400,
        _INVALID,
        "content_policy_violation",
        "The request was refused by the content policy.",
    ),
    "tool_use_failed": (
        400,
        _INVALID,
        "tool_use_failed",
        "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
    ),
    "server_error": (500, "internal_server_error", None, "Internal Server Error"),
    "overloaded": (503, "service_unavailable", None, "Service Unavailable"),
    "unknown_path": (404, _INVALID, "unknown_url", "Unknown request URL: {path}."),
}
_WINDOWS = {
    ("requests", MINUTE): ("requests per minute (RPM)", "requests"),
    ("requests", DAY): ("requests per day (RPD)", "requests"),
    ("tokens", MINUTE): ("tokens per minute (TPM)", "tokens"),
    ("tokens", DAY): ("tokens per day (TPD)", "tokens"),
}
_UNSUPPORTED = ("logprobs", "top_logprobs", "logit_bias")
_MEMBERS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "reasoning"})


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
        ask = openai.read_ask(body, _thinking(body, facts))
        if problem := next(_problems(body, ask, facts), None):
            raise Refused("bad_request", problem[1], param=problem[0])
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

    def refuse(self, refused: Refused, model: str, caller: Caller | None) -> Refusal:
        """See `Wire`."""
        if refused.kind == "quota":
            return _spent(_worst(refused.exceeded), model, caller)
        status, kind, code, text = _REFUSALS[refused.kind]
        facts = {"model": model, "message": refused.message, **refused.facts}
        error: Json = {"message": text.format_map(facts), "type": kind}
        if code:
            error["code"] = code
        for name in ("param", "failed_generation"):
            if refused.facts.get(name):
                error[name] = refused.facts[name]
        return Refusal(status, {"error": error}, {})

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
            raise Refused("unknown_model", model=wanted)
        return _listed(found)


def go_duration(seconds: float) -> str:
    """Write a duration as Go does: `825ms`, `7.66s`, `2m59.56s`, `1h0m3s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms" if seconds > 0 else "0s"
    minutes, rest = divmod(math.ceil(seconds * 1000) / 1000, 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{tail}"
    return f"{minutes}m{tail}" if minutes else tail


def _worst(exceeded: Sequence[Exceeded]) -> Exceeded:
    """Return the quota that can never take the request, else the first one that is spent."""
    return next((one for one in exceeded if one.requested > one.limit.limit), exceeded[0])


def _spent(exceeded: Exceeded, model: str, caller: Caller | None) -> Refusal:
    window, kind = _WINDOWS[exceeded.limit.unit, exceeded.limit.window]
    account = caller.account if caller else ""
    where = f"for model `{model}` in organization `{account}` service tier `on_demand` on {window}"
    limit, requested = f"Limit {exceeded.limit.limit:.0f}", f"Requested {exceeded.requested:.0f}"
    error = {"type": kind, "code": "rate_limit_exceeded"}
    if exceeded.requested > exceeded.limit.limit:
        text = (
            f"Request too large {where}: {limit}, {requested}, please reduce your message size and try again."
        )
        return Refusal(413, {"error": {"message": text, **error}}, {})
    used, wait = f"Used {exceeded.used:.0f}", go_duration(exceeded.wait)
    text = f"Rate limit reached {where}: {limit}, {used}, {requested}. Please try again in {wait}."
    return Refusal(
        429, {"error": {"message": text, **error}}, {"retry-after": str(max(1, math.ceil(exceeded.wait)))}
    )


def _thinking(body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
    if not facts.efforts or body.get("reasoning_effort") in (None, "none"):
        return "none"
    if body.get("reasoning_format") == "raw":
        return "inline"
    return (
        "hidden"
        if body.get("reasoning_format") == "hidden" or body.get("include_reasoning") is False
        else "shown"
    )


def _problems(body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield what Groq refuses: the field at fault and the words."""
    for name in _UNSUPPORTED:
        if body.get(name):
            yield name, f"`{name}` is not supported with this model"
    if body.get("n", 1) != 1:
        yield "n", "'n' : number must be at most 1"
    yield from _message_problems(body["messages"], ask, facts)
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in facts.efforts:
        allowed = " or ".join(f"`{name}`" for name in facts.efforts)
        yield (
            "reasoning_effort",
            f"`reasoning_effort` must be one of {allowed}"
            if allowed
            else ("`reasoning_effort` is not supported with this model"),
        )
    if body.get("reasoning_format") and body.get("include_reasoning") is not None:
        yield "reasoning_format", "`reasoning_format` and `include_reasoning` cannot be used together"
    if body.get("reasoning_format") == "raw" and (ask.tools or ask.json_mode):
        yield "reasoning_format", "`reasoning_format` must not be `raw` with tools or JSON mode"
    yield from _format_problems(ask, facts)
    if facts.max_output and (ask.max_tokens or 0) > facts.max_output:
        yield "max_tokens", f"`max_tokens` must be less than or equal to `{facts.max_output}`"


def _format_problems(ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
    if ask.schema is None:
        return
    if "schema" not in facts.abilities:
        yield "response_format", "This model does not support response format `json_schema`."
    if ask.tools or ask.stream:
        other = "tool calling" if ask.tools else "streaming"
        yield "response_format", f"response format `json_schema` cannot be combined with {other}"


def _message_problems(messages: Sequence[Json], ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
    for at, message in enumerate(messages):
        rule = f"'messages.{at}' : for 'role:{message['role']}' the following must be satisfied"
        for name, value in message.items():
            if name not in _MEMBERS:
                yield f"messages.{at}", f"{rule}[('messages.{at}' : property '{name}' is unsupported)]"
            elif value is None and name != "content":
                yield f"messages.{at}", f"{rule}[('messages.{at}.{name}' : value must not be null)]"
        if ask.turns[at].images and "vision" not in facts.abilities:
            yield f"messages.{at}", f"{rule}[('messages.{at}.content' : value must be a string)]"


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
