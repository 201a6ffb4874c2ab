"""The wire of a service that speaks OpenAI: a table of refusals, what it takes, and its headers; the rest is the same.

A further wire is a subclass that states these and overrides what is odd about its service.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from aiohttp import web

from freellm_simulator.exchange import Ask, Caller, Exchange, Json, RefusedError
from freellm_simulator.quotas import Exceeded, Standing
from freellm_simulator.tokens import count
from freellm_simulator.wires import openai
from freellm_simulator.wires.contract import SEED, SSE, Frame, Framing, Refusal, Route, account_of, bearer
from freellm_simulator.worlds import Facts

Words: TypeAlias = tuple[int, Any]
"""A refusal's status and body. Texts in the body are templates over what the refusal knows; one that is nothing but a
name in braces, such as `{param}`, becomes that value itself."""

Refusals: TypeAlias = Mapping[str | tuple[str, float], Words]
"""Words by kind of refusal; those of a spent quota by (unit, window), else under `quota`."""


def error(status: int, message: str, type_: str | None = None, code: str | None = None, **more: Any) -> Words:
    """Return words in the shape that OpenAI itself uses.

    :param more: further members, such as `param="{param}"`
    """
    return status, {"error": {"message": message, "type": type_, "code": code, **more}}


class OpenAIService:
    """The wire of an OpenAI-speaking service. A key is its own account unless `caller` says otherwise.

    :cvar base_path: what stands before `/chat/completions`
    :cvar refusals: its words; a prompt that no window can hold is `too_large` if the table has that row
    :cvar takes: members of a body that it takes; None is any. `refused` are those it refuses all the same
    :cvar message_members: members of a message that it takes; None is any
    :cvar embeddings_take: members of the body of an embeddings request that it takes; None is any
    :cvar plain_content: whether models without vision take a message's content as a text only
    :cvar default_max: tokens of output when a request states no maximum
    :cvar thoughts: the member that holds the reasoning
    :cvar whole_calls: whether a streamed call comes in one piece
    :cvar usage: whether a stream's usage comes when asked for, always, or in the last chunk with a choice
    :cvar quota_names: by (unit, window), the name of a header with `{}` for `limit`, `remaining` and `reset`
    :cvar states_wait: whether the refusal of a spent quota has a `retry-after`
    """

    provider: str
    base_path: str = "/v1"
    refusals: Refusals
    takes: frozenset[str] | None = None
    refused: frozenset[str] = frozenset()
    message_members: frozenset[str] | None = None
    embeddings_take: frozenset[str] | None = None
    plain_content: bool = False
    default_max: int | None = None
    thoughts: str = "reasoning"
    whole_calls: bool = False
    usage: Literal["asked", "always", "last"] = "asked"
    quota_names: Mapping[tuple[str, float], str] = {}
    states_wait: bool = True

    @property
    def routes(self) -> Sequence[Route]:
        """See `Wire`."""
        return (
            Route("POST", f"{self.base_path}/chat/completions", "chat"),
            Route("POST", f"{self.base_path}/embeddings", "embeddings"),
            Route("GET", f"{self.base_path}/models", "models"),
            Route("GET", f"{self.base_path}/models/{{model:.+}}", "model"),
        )

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        return Caller(account_of(bearer(request), ""))

    def model_id(self, request: web.Request, body: Json) -> str:
        """See `Wire`."""
        return str(body.get("model", ""))

    def read(self, request: web.Request, body: Json, facts: Facts) -> Ask:
        """See `Wire`."""
        ask = openai.read_ask(body, self.thinking(body, facts), self.default_max)
        if problem := next(self.problems(body, ask, facts), None):
            raise RefusedError("bad_request", problem[1], param=problem[0])
        return ask

    def thinking(self, body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
        """Say whether the model thinks, and where its thoughts go.

        Models with the quirk `thinks` always do, those with `think-tags` inside their text, others when told to.
        """
        if "think-tags" in facts.quirks:
            return "inline"
        told = bool(facts.efforts) and body.get("reasoning_effort") not in (None, "none")
        return "shown" if told or "thinks" in facts.quirks else "none"

    def problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """Yield what the service refuses whatever the quotas: the field at fault, and words."""
        yield from self.parameter_problems(body, ask, facts)
        yield from self.message_problems(body["messages"], ask, facts)

    def parameter_problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the members of a body."""
        for name, value in body.items():
            if name in self.refused or (self.takes is not None and name not in self.takes):
                yield name, f"Unsupported parameter: '{name}' (it was {value!r:.40})"
        effort = body.get("reasoning_effort")
        if effort is not None and effort not in facts.efforts:
            yield "reasoning_effort", f"reasoning_effort: '{effort}' is not one of {list(facts.efforts)}"
        if ask.tools and "tools" not in facts.abilities:
            yield "tools", "this model does not support tools"
        if ask.json_mode and ("json" if ask.schema is None else "schema") not in facts.abilities:
            yield "response_format", "this model does not support this response_format"
        if facts.max_output and (ask.max_tokens or 0) > facts.max_output:
            yield "max_tokens", f"max_tokens must be less than or equal to {facts.max_output}"

    def message_problems(self, messages: Sequence[Json], ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the messages."""
        for at, message in enumerate(messages):
            for name in message:
                if self.message_members is not None and name not in self.message_members:
                    yield f"messages.{at}.{name}", f"messages.{at}: unknown member '{name}'"
            if "vision" in facts.abilities:
                continue
            if ask.turns[at].images:
                yield f"messages.{at}.content", "this model does not support image input"
            elif self.plain_content and isinstance(message.get("content"), list):
                yield f"messages.{at}.content", f"messages.{at}.content must be a string"

    def whole(self, exchange: Exchange) -> Json:
        """See `Wire`."""
        return openai.completion(exchange, self.thoughts)

    def frames(self, exchange: Exchange) -> Iterator[Frame]:
        """See `Wire`."""
        yield Frame(openai.chunk(exchange, {"role": "assistant", "content": ""}))
        yield from openai.deltas(exchange, self.thoughts)
        for at, call in enumerate(openai.tool_calls(exchange)):
            if self.whole_calls:
                yield Frame(openai.chunk(exchange, {"tool_calls": [{**call, "index": at}]}), 8)
            else:
                yield from openai.call_frames(exchange, at, call)
        last = openai.chunk(exchange, {}, exchange.reply.finish)
        if self.usage == "last":
            last["usage"] = openai.usage(exchange.reply.usage)
        yield Frame(last, final=True)
        if self.usage == "always" or (self.usage == "asked" and exchange.ask.usage_chunk):
            yield Frame(openai.usage_chunk(exchange))

    def framing(self, request: web.Request) -> Framing:
        """See `Wire`."""
        return SSE

    def refuse(self, refused: RefusedError, model: str, caller: Caller | None) -> Refusal:
        """See `Wire`."""
        facts = {"model": model, "message": refused.message, "param": None, **refused.facts}
        if refused.kind == "quota":
            return self.spent(worst(refused.exceeded), {**facts, "account": caller.account if caller else ""})
        status, body = self.refusals[refused.kind]
        return Refusal(status, filled(body, facts), {})

    def spent(self, exceeded: Exceeded, facts: Mapping[str, object]) -> Refusal:
        """Refuse for a quota that is spent."""
        limit, wait = exceeded.limit, exceeded.wait
        words = self.refusals.get((limit.unit, limit.window)) or self.refusals["quota"]
        if never := exceeded.requested > limit.limit:
            words = self.refusals.get("too_large", words)
        figures = {
            "limit": int(limit.limit),
            "used": int(exceeded.used),
            "requested": int(exceeded.requested),
        }
        known = {**facts, **figures, "unit": limit.unit, "window": limit.window, "wait": seconds(wait)}
        headers = {"retry-after": str(seconds(wait))} if self.states_wait and not never else {}
        return Refusal(words[0], filled(words[1], known), headers)

    def quota_headers(self, standings: Sequence[Standing]) -> Mapping[str, str]:
        """See `Wire`."""
        headers = {}
        for standing in standings:
            limit = standing.limit
            if pattern := self.quota_names.get((limit.unit, limit.window)):
                left = max(0, int(limit.limit - standing.used))
                headers[pattern.format("limit")] = f"{limit.limit:.0f}"
                headers[pattern.format("remaining")] = str(left)
                headers[pattern.format("reset")] = self.reset(standing)
        return headers

    def reset(self, standing: Standing) -> str:
        """Return how the service writes when a quota is whole again: seconds, unless it is overridden."""
        return f"{standing.resets_in:.3f}"

    def embeddings(self, request: web.Request, body: Json, facts: Facts) -> tuple[Json, int]:
        """See `EmbeddingWire`."""
        for name, words in self.embedding_problems(body, facts):
            raise RefusedError("bad_request", words, param=name)
        return openai.embedding_list(body, facts, request.app[SEED])

    def embedding_problems(self, body: Json, facts: Facts) -> Iterator[tuple[str, str]]:
        """Yield what the service refuses of an embeddings request: the field at fault, and words."""
        for name in body:
            if self.embeddings_take is not None and name not in self.embeddings_take:
                yield name, f"Unsupported parameter: '{name}'"
        texts = openai.texts(body)
        if not texts:
            yield "input", "input must be a text or a list of texts"
        if facts.max_inputs and len(texts) > facts.max_inputs:
            yield "input", f"input: at most {facts.max_inputs} texts"
        if any(count(text) > facts.context for text in texts):
            yield "input", f"input: a text is longer than the maximum of {facts.context} tokens"
        if body.get("dimensions") not in (None, *facts.dimensions):
            yield "dimensions", f"dimensions: one of {list(facts.dimensions)}"

    def look_up(self, task: str, request: web.Request, body: Json, served: Sequence[Facts]) -> Json:
        """See `Wire`."""
        if task == "models":
            return {"object": "list", "data": [self.listed(facts) for facts in served]}
        wanted = request.match_info["model"]
        found = next((facts for facts in served if facts.id == wanted), None)
        if found is None:
            raise RefusedError("unknown_model", model=wanted)
        return self.listed(found)

    def listed(self, facts: Facts) -> Json:
        """Return what the list of models says about one."""
        return {"id": facts.id, "object": "model", "created": 1_700_000_000, "owned_by": self.provider}


def filled(template: Any, facts: Mapping[str, object]) -> Any:
    """Return a body with its templates filled in."""
    if isinstance(template, dict):
        return {name: filled(value, facts) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, facts) for value in template]
    if not isinstance(template, str):
        return template
    name = template[1:-1]
    if template == f"{{{name}}}" and name.isidentifier():
        return facts[name]
    return template.format_map(facts)


def worst(exceeded: Sequence[Exceeded]) -> Exceeded:
    """Return the quota that can never take the request, else the first one that is spent."""
    return next((one for one in exceeded if one.requested > one.limit.limit), exceeded[0])


def seconds(wait: float) -> int:
    """Return a wait in whole seconds, at least one; a day for what never ends."""
    return max(1, math.ceil(wait)) if math.isfinite(wait) else 86_400
