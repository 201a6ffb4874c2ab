"""Whole answers: what OpenAI's clients need, whatever the service left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from freellm.openai_compatible.reasoning import mirror, split_parts, split_whole
from freellm.openai_compatible.tool_calls import whole_calls
from freellm.types import Failure, Json, Kind

COMPLETION: Final = "chat.completion"

_FINISH_REASONS: Final[Mapping[str, str | None]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "complete": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "function_call",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "error": None,
}
"""OpenAI's finish reason for what services send, in lower case; None is a turn that failed."""

_IDENTITY: Final = (("id", str), ("created", int))
_COUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


class AnswerShape(msgspec.Struct, frozen=True):
    """How a service's chat answers differ from OpenAI's.

    :param finish_reasons: OpenAI's finish reason for further ones of the service's, in lower case; None is a failed turn
    :param think: whether models write their reasoning into leading `<think>` tags
    :param usage_members: members of a chunk whose `usage` is the stream's usage
    :param verdicts: in lower case, answers that count as none when they are all there is: what a guard model says that a
        router put in a chat model's place
    """

    finish_reasons: Mapping[str, str | None] = {}
    think: bool = False
    usage_members: tuple[str, ...] = ()
    verdicts: frozenset[str] = frozenset()

    def finish_reason(self, given: Any, called: bool) -> str | None:
        """Return OpenAI's word for a finish reason, None when the turn failed.

        :param called: whether the turn called tools, which some services report as a plain stop
        """
        word = str(given).lower()
        known = self.finish_reasons if word in self.finish_reasons else _FINISH_REASONS
        reason = known.get(word, "stop")
        return "tool_calls" if called and reason == "stop" else reason


def empty_turn(reason: str | None) -> Failure | None:
    """Judge a turn that brought neither text nor a tool call nor a refusal.

    :param reason: its finish reason in OpenAI's words
    :return: a failure, so that the next route is tried, or None when the turn stands as it is
    """
    if reason == "length":  # all allowed tokens went into reasoning: legal, and told by the reason
        return None
    if reason == "content_filter":
        return Failure(
            kind=Kind.CONTENT_FILTERED, message="the service's content filter left nothing of the answer"
        )
    return Failure(kind=Kind.BAD_ANSWER, message="the answer is empty: no text, no tool call, no refusal")


def failed_turn(given: Any) -> Failure:
    """Return the failure that a finish reason such as `error` stands for."""
    return Failure(kind=Kind.BAD_ANSWER, message=f"the model gave up: finish reason {given!r}")


def text_of(content: Any) -> str | None:
    """Return a message's content as text: parts joined, an object (from JSON mode) as JSON, None as None."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(str(part.get("text") or "") for part in content)
    return msgspec.json.encode(content).decode()


def repaired_usage(usage: Any) -> Json | None:
    """Return a usage object with OpenAI's three counts, None when the service counted nothing."""
    if not isinstance(usage, dict) or not any(type(usage.get(name)) is int for name in _COUNTS):
        return None
    if all(type(usage.get(name)) is int for name in _COUNTS):
        return usage
    prompt, completion = (count if type(count := usage.get(name)) is int else 0 for name in _COUNTS[:2])
    total = usage.get("total_tokens")
    total = total if type(total) is int else prompt + completion
    return {
        **usage,
        "prompt_tokens": prompt,
        "completion_tokens": completion or total - prompt,
        "total_tokens": total,
    }


def repaired_completion(body: Json, shape: AnswerShape) -> Json | Failure:
    """Return the completion that clients expect, or the failure that this one hides.

    A body that needs nothing is returned as it came; what needs something is copied, never changed in place.
    """
    if _is_plain(body, shape):
        return _with_refusal(body)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        return Failure(kind=Kind.BAD_ANSWER, message="the answer has no choices")
    seed = str(body.get("id") or "")
    repaired = [_choice(choice, position, seed, shape) for position, choice in enumerate(choices)]
    for choice in repaired:
        if isinstance(choice, Failure):
            return choice
    usage = repaired_usage(body.get("usage"))
    unchanged = all(new is old for new, old in zip(repaired, choices, strict=True))
    strange = [
        name for name, kind in _IDENTITY if body.get(name) is not None and type(body[name]) is not kind
    ]
    if unchanged and not strange and body.get("object") == COMPLETION and usage is body.get("usage"):
        return body
    completion = {**body, "object": COMPLETION, "choices": repaired, "usage": usage}
    for name in strange:  # core makes up what is missing
        del completion[name]
    if (
        usage is None
    ):  # better none, which core estimates, than one of zeros, which would settle as nothing spent
        del completion["usage"]
    return completion


def _is_plain(body: Json, shape: AnswerShape) -> bool:
    """Tell at a glance whether this is one text, well-formed: nearly every answer there is."""
    try:
        (choice,) = body["choices"]
        message, usage = choice["message"], body["usage"]
        content = message["content"]
        return (
            content.__class__ is str
            and content.strip() != ""
            and message["role"] == "assistant"
            and message.get("refusal") is None
            and message.get("tool_calls") is None
            and "reasoning" not in message
            and "reasoning_content" not in message
            and choice["finish_reason"] in ("stop", "length")
            and choice["index"] == 0
            and "logprobs" in choice
            and body["object"] == COMPLETION
            and body["id"].__class__ is str
            and body["created"].__class__ is int
            and usage["prompt_tokens"].__class__ is int
            and usage["completion_tokens"].__class__ is int
            and usage["total_tokens"].__class__ is int
            and not (shape.think and "think>" in content)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _with_refusal(body: Json) -> Json:
    """Return a plain body with the one member that services forget."""
    choice = body["choices"][0]
    message = choice["message"]
    if "refusal" in message:
        return body
    return {**body, "choices": [{**choice, "message": {**message, "refusal": None}}]}


def _choice(choice: Any, position: int, seed: str, shape: AnswerShape) -> Json | Failure:
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return Failure(kind=Kind.BAD_ANSWER, message="the answer has a choice without a message")
    given = choice.get("finish_reason") or "stop"
    message = _message(choice["message"], f"{seed}:{position}", shape)
    called = bool(message.get("tool_calls") or message.get("function_call"))
    reason = shape.finish_reason(given, called)
    if reason is None:
        return failed_turn(given)
    content = message["content"]
    if not (called or message["refusal"] or (content and not content.isspace())) and (
        failure := empty_turn(reason)
    ):
        return failure
    if (
        message is choice["message"]
        and reason == choice.get("finish_reason")
        and "logprobs" in choice
        and choice.get("index") == position
    ):
        return choice
    return {"logprobs": None, **choice, "index": position, "message": message, "finish_reason": reason}


def _message(message: Json, seed: str, shape: AnswerShape) -> Json:
    changes: Json = {}
    if (
        message.get("tool_calls") == []
    ):  # clients take an empty list for calls that were announced and got lost
        message = {name: value for name, value in message.items() if name != "tool_calls"}
    content = given = message.get("content")
    if given is not None and not isinstance(given, str):
        reasoning, parts = split_parts(given)
        content = text_of(parts)
        if reasoning:
            changes.update(reasoning=reasoning, reasoning_content=reasoning)
    if shape.think and content and "think>" in content:
        reasoning, content = split_whole(content)
        if reasoning and not message.get("reasoning_content"):
            changes.update(reasoning=reasoning, reasoning_content=reasoning)
    if content is not given or "content" not in message:
        changes["content"] = content
    if not changes.get("reasoning") and (mirrored := mirror(message)):
        changes.update(mirrored)
    calls = message.get("tool_calls")
    if calls:
        whole = whole_calls(calls, seed)
        if len(whole) != len(calls) or any(new is not old for new, old in zip(whole, calls, strict=True)):
            changes["tool_calls"] = whole
    if message.get("role") != "assistant":
        changes["role"] = "assistant"
    if "refusal" not in message:
        changes["refusal"] = None
    return {**message, **changes} if changes else message
