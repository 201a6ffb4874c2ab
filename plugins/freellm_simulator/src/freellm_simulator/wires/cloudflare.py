"""Cloudflare Workers AI's wire: OpenAI's bodies behind an account id, refusals as Cloudflare's API words them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import orjson
from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Exchange, Json, RefusedError
from freellm_simulator.quotas import DAY, Standing
from freellm_simulator.tokens import count, prompt_tokens
from freellm_simulator.wires import openai
from freellm_simulator.wires.contract import SEED, SSE, Frame, Framing, Refusal, Route, Wire, bearer, digest
from freellm_simulator.worlds import Facts

DEFAULT_MAX_TOKENS = 256
"""What the service takes when a request states no `max_tokens`."""
ACCOUNT_TOKEN = "cfat_"  # noqa: S105 - the prefix of a kind of token, not a token
"""Tokens that begin so belong to an account and are valid only at its own verify path."""

_ACCOUNT = re.compile(r"[0-9a-f]{32}")
# kind: status, code, text
_REFUSALS: Mapping[str, tuple[int, int, str]] = {
    "no_key": (401, 10000, "Authentication error"),
    "bad_key": (401, 10000, "Authentication error"),
    "bad_token": (401, 1000, "Invalid API Token"),
    "no_route": (404, 7003, "Could not route to {path}, perhaps your object identifier is invalid?"),
    "unknown_path": (404, 7000, "No route for that URI"),
    "forbidden": (403, 3041, "AiError: This account is not allowed to access this model"),
    "paid_model": (403, 5018, "AiError: This account is not allowed to access this model"),
    "licence": (
        403,
        5016,
        "AiError: Prior to using this model, you must submit the prompt 'agree' to accept its licence",
    ),
    "unknown_model": (400, 5007, "AiError: No such model {model} or task"),
    "retired_model": (400, 5007, "AiError: No such model {model} or task"),
    "bad_request": (400, 5006, "AiError: Bad input: {message}"),
    "no_json": (400, 5025, "AiError: This model doesn't support JSON mode"),
    "context_exceeded": (
        413,
        5021,
        (
            "AiError: The estimated number of input and maximum output tokens ({tokens}) exceeded this model context"
            " window limit ({context})"
        ),
    ),
    "content_filter": (400, 3030, "AiError: The prompt was refused by the content policy"),
    "server_error": (500, 3043, "AiError: Internal server error"),
    "overloaded": (429, 3040, "AiError: Capacity temporarily exceeded, please try again."),
}
_NEURONS = (
    429,
    3036,
    (
        "AiError: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers"
        " Paid plan if you would like to continue usage."
    ),
)
_RATE_LIMITED = (429, 971, "rate limited: Please wait and consider throttling your request speed")
_UNSUPPORTED = ("min_p", "logit_bias", "logprobs")


class Cloudflare:
    """The wire of api.cloudflare.com. The account in the path owns the quotas."""

    provider = "cloudflare"
    routes = (
        Route("POST", "/client/v4/accounts/{account}/ai/v1/chat/completions", "chat"),
        Route("POST", "/client/v4/accounts/{account}/ai/v1/embeddings", "embeddings"),
        Route("GET", "/client/v4/accounts/{account}/ai/models/search", "models"),
        Route("GET", "/client/v4/user/tokens/verify", "verify-user"),
        Route("GET", "/client/v4/accounts/{account}/tokens/verify", "verify-account"),
    )

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        account = request.match_info.get("account", "")
        if "account" in request.match_info and not _ACCOUNT.fullmatch(account):
            raise RefusedError("no_route", path=request.path.partition("/client/v4")[2])
        try:
            bearer(request)
        except RefusedError as refused:
            verifies = request.path.endswith("/tokens/verify")
            raise (RefusedError("bad_token") if verifies and refused.kind == "bad_key" else refused) from None
        return Caller(account)

    def model_id(self, request: web.Request, body: Json) -> str:
        """See `Wire`."""
        return str(body.get("model", ""))

    def read(self, request: web.Request, body: Json, facts: Facts) -> Ask:
        """See `Wire`."""
        ask = openai.read_ask(body, _thinking(body, facts), DEFAULT_MAX_TOKENS)
        if problem := next(_problems(body, facts), None):
            raise RefusedError("bad_request", problem)
        if ask.json_mode and "json" not in facts.abilities:
            raise RefusedError("no_json")
        total = prompt_tokens(ask) + (ask.max_tokens or 0)
        if total > facts.context:
            raise RefusedError("context_exceeded", tokens=total, context=facts.context)
        return ask

    def whole(self, exchange: Exchange) -> Json:
        """See `Wire`. Some models give arguments, or the content of JSON mode, as objects and calls no id."""
        made = openai.completion(exchange, "reasoning_content")
        message = made["choices"][0]["message"]
        if exchange.reply.calls:
            message["tool_calls"] = _calls(exchange)
        elif (
            exchange.ask.json_mode
            and "object-content" in exchange.model.quirks
            and exchange.reply.finish == "stop"
        ):
            message["content"] = orjson.loads(exchange.reply.text)
        return made

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """See `Wire`. The usage comes in a chunk of its own, whether it was asked for or not."""
        yield Frame(openai.chunk(exchange, {"role": "assistant", "content": ""}))
        yield from openai.deltas(exchange, "reasoning_content")
        for at, call in enumerate(_calls(exchange)):
            yield from _call_frames(exchange, at, call)
        yield Frame(openai.chunk(exchange, {}, exchange.reply.finish), final=True)
        yield Frame(openai.usage_chunk(exchange))

    def framing(self, request: web.Request) -> Framing:
        """See `Wire`."""
        return SSE

    def refuse(self, refused: RefusedError, model: str, caller: Caller | None) -> Refusal:
        """See `Wire`."""
        if refused.kind == "quota":
            daily = any(exceeded.limit.window == DAY for exceeded in refused.exceeded)
            status, code, text = _NEURONS if daily else _RATE_LIMITED
        else:
            status, code, text = _REFUSALS[refused.kind]
        words = text.format_map({"model": model, "message": refused.message, **refused.facts})
        errors = [{"code": code, "message": words}]
        return Refusal(status, {"result": None, "success": False, "errors": errors, "messages": []}, {})

    def quota_headers(self, standings: Sequence[Standing]) -> Mapping[str, str]:
        """See `Wire`. The service sends none."""
        return {}

    def embeddings(self, request: web.Request, body: Json, facts: Facts) -> tuple[Json, int]:
        """See `EmbeddingWire`."""
        texts = openai.texts(body)
        if not texts or "" in texts:
            raise RefusedError("bad_request", "Type mismatch of '/input', 'string' not in 'array'")
        if facts.max_inputs and len(texts) > facts.max_inputs:
            raise RefusedError("bad_request", f"'/input' must have at most {facts.max_inputs} items")
        if body.get("dimensions") not in (None, *facts.dimensions):
            raise RefusedError("bad_request", "'/dimensions' is not supported by this model")
        if (longest := max(map(count, texts))) > facts.context:
            raise RefusedError("context_exceeded", tokens=longest, context=facts.context)
        return openai.embedding_list(body, facts, request.app[SEED])

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task == "models":
            listed = [_listed(facts) for facts in served]
            page = {"page": 1, "per_page": 1000, "count": len(listed), "total_count": len(listed)}
            return {**_success(listed, []), "result_info": page}
        token = bearer(request)
        if task == "verify-user" and token.startswith(ACCOUNT_TOKEN):
            raise RefusedError("bad_token")
        active = {"code": 10000, "message": "This API Token is valid and active", "type": None}
        return _success({"id": digest({"token": token})[:32], "status": "active"}, [active])


def _success(result: object, messages: list[Json]) -> Json:
    return {"result": result, "success": True, "errors": [], "messages": messages}


def _listed(facts: Facts) -> Json:
    calls = [{"property_id": "function_calling", "value": "true"}] if "tools" in facts.abilities else []
    return {
        "id": digest({"id": facts.id})[:32],
        "name": facts.id,
        "task": {"name": "Text Embeddings" if facts.dimensions else "Text Generation"},
        "properties": [{"property_id": "context_window", "value": str(facts.context)}, *calls],
    }


def _thinking(body: Json, facts: Facts) -> Literal["none", "shown", "inline"]:
    if "think-tags" in facts.quirks:
        return "inline"
    return "shown" if facts.efforts and body.get("reasoning_effort") else "none"


def _problems(body: Json, facts: Facts) -> Iterator[str]:
    for name in _UNSUPPORTED:
        if body.get(name) is not None:
            yield f"'/{name}' is not supported"
    if body.get("reasoning_effort") and not facts.efforts:
        yield "'/reasoning_effort' is not supported by this model"
    for at, message in enumerate(body["messages"]):
        content = message.get("content")
        if content is None or (isinstance(content, list) and "vision" not in facts.abilities):
            yield f"Error: Type mismatch of '/messages/{at}/content', 'string' not in 'array','null'"


def _calls(exchange: Exchange) -> list[Json]:
    calls = openai.tool_calls(exchange)
    if "object-arguments" not in exchange.model.quirks:
        return calls
    return [
        {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in exchange.reply.calls
    ]


def _call_frames(exchange: Exchange, at: int, call: Json) -> Iterator[Frame]:
    """Return one call in pieces: its name first, then its arguments, unless they are an object."""
    if isinstance(call["function"]["arguments"], dict):
        yield Frame(openai.chunk(exchange, {"tool_calls": [{**call, "index": at}]}), 8)
        return
    yield from openai.call_frames(exchange, at, call)


wire: Wire = Cloudflare()
