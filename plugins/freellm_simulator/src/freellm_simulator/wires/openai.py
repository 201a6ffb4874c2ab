"""Chat completions as OpenAI's wire has them: what Groq, Cloudflare and others share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import orjson

from freellm_simulator.answers import dumps
from freellm_simulator.exchange import Ask, Call, Exchange, Image, Json, RefusedError, Tool, Turn, Usage
from freellm_simulator.tokens import chunks, count
from freellm_simulator.vectors import packed, vector
from freellm_simulator.wires.contract import Frame, digest
from freellm_simulator.worlds import Facts

_ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def read_ask(
    body: Json, thinking: Literal["none", "hidden", "shown", "inline"], default_max: int | None = None
) -> Ask:
    """Read a chat completion request.

    :param thinking: what the wire made of the request's reasoning switches
    :param default_max: tokens of output when the request states no maximum
    :raises RefusedError: when it is malformed
    """
    try:
        messages = body["messages"]
        if not isinstance(messages, list) or not messages:
            raise RefusedError(
                "bad_request", "messages: must be a list with at least one message", param="messages"
            )
        names = _call_names(messages)
        choice, named = _choice(body.get("tool_choice"))
        schema, json_mode = _format(body.get("response_format"))
        stop = body.get("stop") or ()
        return Ask(
            turns=tuple(_turn(message, at, names) for at, message in enumerate(messages)),
            tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
            choice=choice,
            named=named,
            parallel=body.get("parallel_tool_calls") is not False,
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens") or default_max,
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            json_mode=json_mode,
            schema=schema,
            thinking=thinking,
            stream=body.get("stream") is True,
            usage_chunk=bool((body.get("stream_options") or {}).get("include_usage")),
            digest=digest(body, "stream", "stream_options"),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RefusedError("bad_request", f"the request is malformed: {error!r}") from error


def _call_names(messages: list[Json]) -> dict[str, str]:
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    return {call.get("id", ""): call["function"]["name"] for call in calls}


def _turn(message: Json, at: int, names: dict[str, str]) -> Turn:
    role = _ROLES.get(message["role"])
    if role is None:
        raise RefusedError(
            "bad_request", f"messages.{at}.role: unknown role {message['role']!r}", param="messages"
        )
    content = message.get("content")
    parts: Sequence[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content or ()
    calls = tuple(_read_call(call) for call in message.get("tool_calls") or ())
    if role == "tool" and message["tool_call_id"] not in names:
        raise RefusedError(
            "bad_request",
            f"messages.{at}.tool_call_id: no call has this id",
            param=f"messages.{at}.tool_call_id",
        )
    return Turn(
        role=role,
        text="".join(part["text"] for part in parts if part["type"] == "text"),
        images=tuple(_image(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"),
        calls=calls,
        name=names.get(message.get("tool_call_id", ""), ""),
    )


def _read_call(call: Json) -> Call:
    arguments = orjson.loads(call["function"]["arguments"] or "{}")
    return Call(call["function"]["name"], arguments)


def _image(url: str) -> Image:
    if not url.startswith("data:"):
        return Image("unknown", 0)
    header, _, data = url.removeprefix("data:").partition(",")
    try:
        return Image(header.split(";")[0], len(base64.b64decode(data, validate=True)))
    except binascii.Error as error:
        raise RefusedError("bad_request", "an image is not valid base64", param="messages") from error


def _tool(tool: Json) -> Tool:
    function = tool["function"]
    return Tool(function["name"], function.get("description") or "", function.get("parameters") or {})


def _choice(stated: Any) -> tuple[Literal["auto", "none", "required"], frozenset[str] | None]:
    if isinstance(stated, dict):
        return "required", frozenset({stated["function"]["name"]})
    if stated not in (None, "auto", "none", "required"):
        raise RefusedError("bad_request", f"tool_choice: unknown value {stated!r}", param="tool_choice")
    return stated or "auto", None


def _format(stated: Json | None) -> tuple[Json | None, bool]:
    kind = (stated or {}).get("type", "text")
    if stated and kind == "json_schema":
        return stated["json_schema"]["schema"], True
    return None, kind == "json_object"


def usage(spent: Usage) -> Json:
    """Return a usage object."""
    counted: Json = {
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.completion,
        "total_tokens": spent.prompt + spent.completion,
    }
    if spent.reasoning:
        counted["completion_tokens_details"] = {"reasoning_tokens": spent.reasoning}
    return counted


def tool_calls(exchange: Exchange) -> list[Json]:
    """Return the calls of an answer, whole."""
    return [
        {
            "id": f"call_{exchange.token[:16]}{at}",
            "type": "function",
            "function": {"name": call.name, "arguments": dumps(call.arguments)},
        }
        for at, call in enumerate(exchange.reply.calls)
    ]


def completion(exchange: Exchange, thoughts: str) -> Json:
    """Return a chat completion.

    :param thoughts: the member that holds the reasoning
    """
    reply = exchange.reply
    message: Json = {"role": "assistant", "content": None if reply.calls else reply.text}
    if reply.reasoning:
        message[thoughts] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = tool_calls(exchange)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish}
    return {**_head(exchange, "chat.completion"), "choices": [choice], "usage": usage(reply.usage)}


def _head(exchange: Exchange, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{exchange.token}",
        "object": kind,
        "created": exchange.created,
        "model": exchange.model.id,
    }


def chunk(exchange: Exchange, delta: Json, finish: str | None = None) -> Json:
    """Return a chunk with one choice."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_head(exchange, "chat.completion.chunk"), "choices": [choice]}


def usage_chunk(exchange: Exchange) -> Json:
    """Return the chunk that has the usage and no choice."""
    return {
        **_head(exchange, "chat.completion.chunk"),
        "choices": [],
        "usage": usage(exchange.reply.usage),
    }


def deltas(exchange: Exchange, thoughts: str) -> Iterator[Frame]:
    """Return the chunks between the first one, with the role, and the last one, with the reason to finish.

    :param thoughts: the member that holds the reasoning
    """
    for piece in chunks(exchange.reply.reasoning):
        yield Frame(chunk(exchange, {thoughts: piece}), count(piece))
    for piece in chunks(exchange.reply.text):
        yield Frame(chunk(exchange, {"content": piece}), count(piece))


def call_frames(exchange: Exchange, at: int, call: Json) -> Iterator[Frame]:
    """Return the chunks of one call: its name first, then its arguments in pieces."""
    opening = {**call, "index": at, "function": {**call["function"], "arguments": ""}}
    yield Frame(chunk(exchange, {"tool_calls": [opening]}), 2)
    for piece in chunks(call["function"]["arguments"]):
        part = {"index": at, "function": {"arguments": piece}}
        yield Frame(chunk(exchange, {"tool_calls": [part]}), 2)


def embedding_list(body: Json, facts: Facts, seed: int) -> tuple[Json, int]:
    """Return the vectors of an embeddings request that has been checked, and the tokens it counts."""
    given = texts(body)
    size = body.get("dimensions") or facts.dimensions[0]
    written = packed if body.get("encoding_format") == "base64" else list
    rows = [
        {"object": "embedding", "index": at, "embedding": written(vector(seed, facts, text, size))}
        for at, text in enumerate(given)
    ]
    tokens = sum(map(count, given))
    spent = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": facts.id, "usage": spent}, tokens


def texts(body: Json) -> list[str]:
    """Return the texts of an embeddings request; none when its input is something else."""
    given = body.get("input")
    listed = [given] if isinstance(given, str) else given
    return listed if isinstance(listed, list) and all(isinstance(text, str) for text in listed) else []
