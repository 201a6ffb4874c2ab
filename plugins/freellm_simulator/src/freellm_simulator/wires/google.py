"""Gemini's wire: generateContent, its CRLF streams, google.rpc errors, quotas told in the body alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aiohttp import web

from freellm_simulator.exchange import Ask, Call, Caller, Exchange, Json, RefusedError
from freellm_simulator.quotas import Standing
from freellm_simulator.tokens import chunks, count, prompt_tokens
from freellm_simulator.wires.contract import (
    BAD_KEY,
    SEED,
    Frame,
    Framing,
    Refusal,
    Route,
    Wire,
    account_of,
)
from freellm_simulator.wires.google_embeddings import embed
from freellm_simulator.wires.google_refusals import refuse
from freellm_simulator.wires.google_request import read_ask
from freellm_simulator.wires.google_rules import signature
from freellm_simulator.worlds import Facts

_SSE = Framing(b"data: ", b"data: ", b"\r\n\r\n", b"")
_ARRAY = Framing(b"[", b",\r\n", b"", b"]", "application/json; charset=UTF-8")
_CHAT_METHODS = ["generateContent", "countTokens"]
_EMBED_METHODS = ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"]
_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}


class Google:
    """The wire of generativelanguage.googleapis.com. A key is its own project."""

    provider = "google"
    routes = (
        Route("POST", "/v1beta/models/{model}:generateContent", "chat"),
        Route("POST", "/v1beta/models/{model}:streamGenerateContent", "chat"),
        Route("POST", "/v1beta/models/{model}:embedContent", "embeddings"),
        Route("POST", "/v1beta/models/{model}:batchEmbedContents", "embeddings"),
        Route("POST", "/v1beta/models/{model}:countTokens", "count"),
        Route("GET", "/v1beta/models", "models"),
        Route("GET", "/v1beta/models/{model}", "model"),
    )

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        key = request.headers.get("x-goog-api-key") or request.query.get("key")
        if not key:
            raise RefusedError("no_key")
        if key.startswith(BAD_KEY):
            raise RefusedError("bad_key")
        return Caller(account_of(key, "project-"))

    def model_id(self, request: web.Request, body: Json) -> str:
        """See `Wire`."""
        return request.match_info.get("model", "")

    def read(self, request: web.Request, body: Json, facts: Facts) -> Ask:
        """See `Wire`."""
        stream = request.path.endswith(":streamGenerateContent")
        return read_ask(body, facts, request.app[SEED], stream=stream)

    def whole(self, exchange: Exchange) -> Json:
        """See `Wire`."""
        reply = exchange.reply
        parts: list[Json] = [{"text": reply.reasoning, "thought": True}] if reply.reasoning else []
        parts += [{"text": reply.text}] if reply.text else []
        parts += _call_parts(exchange)
        return _answer(exchange, parts, reply.usage.completion, _FINISH[reply.finish])

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """See `Wire`. Usage is cumulative in every frame; the last one alone has the finish reason."""
        reply = exchange.reply
        spent = 0
        for thought, text in ((True, reply.reasoning), (False, reply.text)):
            for piece in chunks(text):
                spent += count(piece)
                part: Json = {"text": piece, "thought": True} if thought else {"text": piece}
                yield Frame(_answer(exchange, [part], min(spent, reply.usage.completion)), count(piece))
        last = _call_parts(exchange) or [{"text": ""}]
        yield Frame(_answer(exchange, last, reply.usage.completion, _FINISH[reply.finish]), final=True)

    def framing(self, request: web.Request) -> Framing:
        """See `Wire`."""
        return _SSE if request.query.get("alt") == "sse" else _ARRAY

    def refuse(self, refused: RefusedError, model: str, caller: Caller | None) -> Refusal:
        """See `Wire`."""
        return refuse(refused, model)

    def quota_headers(self, standings: Sequence[Standing]) -> Mapping[str, str]:
        """See `Wire`. The service sends none."""
        return {}

    def embeddings(self, request: web.Request, body: Json, facts: Facts) -> tuple[Json, int]:
        """See `EmbeddingWire`."""
        return embed(body, facts, request.app[SEED], batch=request.path.endswith(":batchEmbedContents"))

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task == "models":
            return {"models": [_listed(facts) for facts in served]}
        model = request.match_info["model"]
        facts = next((facts for facts in served if facts.id == model), None)
        if facts is None:
            raise RefusedError("unknown_model", model=model)
        if task == "count":
            ask = read_ask(body.get("generateContentRequest", body), facts, request.app[SEED], stream=False)
            return {"totalTokens": prompt_tokens(ask)}
        return _listed(facts)


def _answer(exchange: Exchange, parts: list[Json], completion: int, finish: str | None = None) -> Json:
    content: Json = {"role": "model"}
    if parts:
        content["parts"] = parts
    candidate: Json = {"content": content, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = exchange.reply.usage
    thoughts = min(usage.reasoning, completion)
    counted = {
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": completion - thoughts,
        "totalTokenCount": usage.prompt + completion,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.prompt}],
    }
    if thoughts:
        counted["thoughtsTokenCount"] = thoughts
    return {
        "candidates": [candidate],
        "usageMetadata": counted,
        "modelVersion": exchange.model.id,
        "responseId": exchange.token,
    }


def _call_parts(exchange: Exchange) -> list[Json]:
    """Return the calls, each whole in a part; models that sign give ids, and sign the first one."""
    signs = "signatures" in exchange.model.quirks
    parts = [_call_part(exchange, at, call, signs) for at, call in enumerate(exchange.reply.calls)]
    if parts and signs:
        parts[0]["thoughtSignature"] = signature(exchange.model.id, exchange.seed, exchange.token)
    return parts


def _call_part(exchange: Exchange, at: int, call: Call, with_id: bool) -> Json:
    made: Json = {"name": call.name, "args": call.arguments}
    if with_id:
        made["id"] = f"{exchange.token[:8]}{at}"
    return {"functionCall": made}


def _listed(facts: Facts) -> Json:
    return {
        "name": f"models/{facts.id}",
        "version": "001",
        "displayName": facts.id,
        "inputTokenLimit": facts.context,
        "outputTokenLimit": facts.max_output,
        "supportedGenerationMethods": _EMBED_METHODS if facts.dimensions else _CHAT_METHODS,
        "thinking": bool(facts.efforts),
    }


wire: Wire = Google()
