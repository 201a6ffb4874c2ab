"""The normalizer of one stream of OpenAI chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from freellm.openai_compatible.reasoning import ThinkSplitter, mirror, split_parts
from freellm.openai_compatible.response import AnswerShape, empty_turn, failed_turn, repaired_usage, text_of
from freellm.openai_compatible.tool_call_deltas import ToolCallDeltas
from freellm.types import UNCHANGED, Answer, Chunks, Event, Failure, Json, Kind

CHUNK: Final = "chat.completion.chunk"


class ChunkNormalizer:
    """Turns a service's chunks into the ones that `freellm.types.StreamNormalizer` promises.

    Every chunk is repaired and compared with what came; a chunk that needed nothing is `UNCHANGED`. Plain text in the
    middle of a well-behaved stream is recognised without all that, because it is nearly every chunk there is.

    :param model_id: the id that the chunks must carry
    :param shape: how the service's answers differ from OpenAI's
    :param refuse: names an error that arrives inside the stream
    """

    __slots__ = (
        "_calls",
        "_created",
        "_finished",
        "_id",
        "_model_id",
        "_refuse",
        "_shape",
        "_spoke",
        "_started",
        "_steady",
        "_think",
        "_usage",
        "_usage_sent",
    )

    def __init__(self, model_id: str, shape: AnswerShape, refuse: Callable[[Answer], Failure]) -> None:
        self._model_id = model_id
        self._shape = shape
        self._refuse = refuse
        self._id: str | None = None
        self._created: int | None = None
        self._started = False  # the first chunk with a choice was sent
        self._spoke = False  # something that makes an answer was sent
        self._finished = False
        self._steady = False  # the stream keeps its promises: most deltas can be told at a glance
        self._usage: Json | None = None
        self._usage_sent = False
        self._calls: ToolCallDeltas | None = None
        self._think = ThinkSplitter() if shape.think else None

    def __call__(self, event: Event) -> Chunks:
        """Return the chunks that this event becomes."""
        if not self._steady:
            return self._repair(event)
        data = event.data
        try:
            (choice,) = data["choices"]
            if (
                data["id"] == self._id
                and data["model"] == self._model_id
                and data["created"] == self._created
                and data["object"] == CHUNK
                and choice["index"] == 0
                and choice["finish_reason"] is None
                and data.get("usage") is None
                and "error" not in data
            ):
                delta = choice["delta"]
                if self._spoke and len(delta) == 1 and delta.get("content").__class__ is str:
                    return UNCHANGED
                return self._steady_delta(data, choice, delta) or self._repair(event)
        except (KeyError, TypeError, ValueError, AttributeError):
            return self._repair(event)
        return self._repair(event)

    def _steady_delta(self, data: Json, choice: Json, delta: Json) -> Chunks | None:
        """Return what a delta of tool arguments or of reasoning becomes, None for any other."""
        if len(delta) == 1 and self._calls is not None and "tool_calls" in delta:
            return UNCHANGED if self._calls.continues(delta["tool_calls"]) else None
        if "content" in delta or "tool_calls" in delta or "role" in delta:
            return None
        mirrored = mirror(delta)
        return [{**data, "choices": [{**choice, "delta": {**delta, **mirrored}}]}] if mirrored else None

    def end(self) -> Chunks:
        """Say that the stream was cut, or hand out the usage that is still held."""
        if not self._finished:
            return Failure(kind=Kind.NETWORK, message="the stream was cut: it ended without a finish reason")
        if self._usage is None or self._usage_sent:
            return ()
        return [self._stamped({"choices": [], "usage": self._usage})]

    def _repair(self, event: Event) -> Chunks:
        data = event.data
        if not isinstance(data, dict):
            return Failure(kind=Kind.BAD_ANSWER, message="the stream holds something that is not a chunk")
        choices = data.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if _is_error(event, choice):
            return self._refuse(Answer(status=200, headers={}, body=data))
        if self._id is None and self._created is None:
            self._remember(data)
        self._keep_usage(data)
        if choice is None:
            return self._usage_chunk(data)
        if not isinstance(choice, dict):
            return Failure(kind=Kind.BAD_ANSWER, message="the stream holds a choice that is not an object")
        return self._choice(data, choice)

    def _choice(self, data: Json, choice: Json) -> Chunks:
        if self._finished:  # nothing may follow the finish; usage that came along is kept already
            return ()
        given = choice.get("finish_reason") or None
        delta = self._delta(choice, last=given is not None)
        reason = None
        if given is not None:
            reason = self._shape.finish_reason(given, self._calls is not None and self._calls.seen)
            if reason is None:
                return failed_turn(given)
            if not self._spoke and (failure := empty_turn(reason)):
                return failure
            self._finished = True
        kept = {name: value for name, value in choice.items() if name != "message"}
        repaired = {**kept, "index": 0, "delta": delta, "finish_reason": reason}
        chunk = self._stamped({**data, "choices": [repaired]})
        self._drop_usage(chunk)
        self._steady = self._is_steady()
        if self._is_as_it_came(chunk, data):
            return UNCHANGED
        return [chunk] if reason is not None or any(delta.values()) else ()

    def _is_steady(self) -> bool:
        settled = self._think is None or self._think.settled
        identified = self._id is not None and self._created is not None
        return settled and identified and not self._finished

    def _delta(self, choice: Json, *, last: bool) -> Json:
        given = choice.get("delta")
        if not isinstance(given, dict):  # some services answer a stream with one whole message
            message = choice.get("message")
            given = message if isinstance(message, dict) else {}
        delta = {name: value for name, value in given.items() if name != "role"}
        self._repair_text(delta, last=last)
        self._repair_calls(delta, last=last)
        if delta.get("refusal") or delta.get("function_call"):
            self._spoke = True
        if self._started:
            return delta
        self._started = True
        return {"role": "assistant", **delta}

    def _repair_text(self, delta: Json, *, last: bool) -> None:
        content = delta.get("content")
        if content is not None and not isinstance(content, str):
            reasoning, parts = split_parts(content)
            content = delta["content"] = text_of(parts)
            if reasoning:
                delta["reasoning_content"] = reasoning
        if self._think is not None and not self._think.settled:
            reasoning, answer = self._think.feed(content or "")
            if last:
                held_reasoning, held_answer = self._think.flush()
                reasoning, answer = reasoning + held_reasoning, answer + held_answer
            if "content" in delta or answer:
                content = delta["content"] = answer
            if reasoning:
                delta["reasoning_content"] = reasoning
        if mirrored := mirror(delta):
            delta.update(mirrored)
        if not self._spoke and content and not content.isspace():
            self._spoke = True

    def _repair_calls(self, delta: Json, *, last: bool) -> None:
        calls = delta.get("tool_calls")
        if self._calls is None:
            if not calls:
                return
            self._calls = ToolCallDeltas(self._id or "")
        entries = self._calls.feed(calls if isinstance(calls, list) else [])
        if last:
            entries = self._calls.finish(entries)
        if entries:
            delta["tool_calls"] = entries
        elif calls:
            del delta["tool_calls"]
        self._spoke = self._spoke or self._calls.seen

    def _usage_chunk(self, data: Json) -> Chunks:
        if not self._finished or self._usage is None or self._usage_sent:
            return ()
        self._usage_sent = True
        chunk = self._stamped({**data, "choices": [], "usage": self._usage})
        for name in self._shape.usage_members:
            chunk.pop(name, None)
        return UNCHANGED if self._is_as_it_came(chunk, data) else [chunk]

    def _keep_usage(self, data: Json) -> None:
        for holder in (data, *(data.get(name) for name in self._shape.usage_members)):
            usage = repaired_usage(holder.get("usage")) if isinstance(holder, dict) else None
            if usage is not None:
                self._usage = usage

    def _drop_usage(self, chunk: Json) -> None:
        if chunk.get("usage") is not None:
            del chunk["usage"]
        for name in self._shape.usage_members:
            member = chunk.get(name)
            if isinstance(member, dict) and "usage" in member:
                del chunk[name]

    def _remember(self, data: Json) -> None:
        identifier, created = data.get("id"), data.get("created")
        self._id = identifier if isinstance(identifier, str) and identifier else None
        self._created = created if type(created) is int else None

    def _stamped(self, chunk: Json) -> Json:
        """Give a new chunk the name and the identity that all chunks of the stream share; core fills what is missing."""
        chunk["object"] = CHUNK
        chunk["model"] = self._model_id
        for name, value in (("id", self._id), ("created", self._created)):
            if value is None:
                chunk.pop(name, None)
            else:
                chunk[name] = value
        return chunk

    def _is_as_it_came(self, chunk: Json, data: Json) -> bool:
        return self._id is not None and self._created is not None and chunk == data


def _is_error(event: Event, choice: object) -> bool:
    if event.name == "error" or event.data.get("error") or event.data.get("errors"):
        return True
    return isinstance(choice, dict) and bool(choice.get("error"))
