"""A stream of generateContent answers becomes a stream of chat completion chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freellm import Answer, ChatRequest, Chunks, Event, Failure, Json, Kind, Model
from freellm_provider_google.completions import (
    FAILED_TURNS,
    FINISHES,
    Speaker,
    blocked_prompt,
    empty_turn,
    failed_turn,
    image_of,
    unwrap,
    usage_of,
)
from freellm_provider_google.refusals import classify


class GeminiChunks:
    """Normalizes one stream; it holds what a chunk cannot tell by itself.

    The finish reason and the usage are held until the end: the service may send more after the first frame
    that has a finish reason, and counts tokens cumulatively in every frame.

    :param request: the request that is answered
    :param model: the model that answers
    """

    __slots__ = ("_counted", "_reason", "_request", "_said", "_speaker", "_started")

    def __init__(self, request: ChatRequest, model: Model) -> None:
        self._request = request
        self._speaker = Speaker(request, model)
        self._started = False
        self._said = False
        self._reason: str | None = None
        self._counted: Mapping[str, Any] = {}

    def __call__(self, event: Event) -> Chunks:
        """Return the chunks of one frame, or the failure it reports."""
        try:
            return self._frame(unwrap(event.data))
        except (AttributeError, KeyError, TypeError):
            # Frames come from outside, and what has another shape fails here rather than being checked for.
            return Failure(kind=Kind.BAD_ANSWER, message="a frame of the stream is not a Gemini answer")

    def end(self) -> Chunks:
        """Return the finish chunk and the usage, or the failure of a stream that was cut or said nothing."""
        reason = self._reason
        if reason is None:
            return Failure(kind=Kind.NETWORK, message="the stream was cut")
        if not self._said and (failure := empty_turn(reason)):
            return failure
        finish = FINISHES.get(reason, "stop")
        if finish == "stop" and self._speaker.calls:
            finish = "tool_calls"
        chunks = [] if self._started else [self._delta({"content": ""})]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        if self._counted:
            chunks.append({"choices": [], "usage": usage_of(self._counted)})
        return chunks

    def _frame(self, frame: Any) -> Chunks:
        if "error" in frame:
            return classify(self._request, Answer(status=200, headers={}, body=frame))
        if isinstance(counted := frame.get("usageMetadata"), Mapping):
            self._counted = counted
        candidates = frame.get("candidates")
        if not candidates:
            return blocked_prompt(frame) or ()
        return self._candidate(candidates[0], frame.get("responseId") or "")

    def _candidate(self, candidate: Mapping[str, Any], answer_id: str) -> Chunks:
        reason = candidate.get("finishReason")
        if reason in FAILED_TURNS:
            return failed_turn(reason, candidate.get("finishMessage"))
        self._reason = reason or self._reason
        content = candidate.get("content")
        chunks: list[Json] = []
        for part in (content.get("parts") or ()) if content else ():
            chunks += self._part(part, answer_id)
        return chunks

    def _part(self, part: Mapping[str, Any], answer_id: str) -> list[Json]:
        if "functionCall" in part:
            return self._call(part, answer_id)
        if "inlineData" in part:
            self._said = True
            return [self._delta({"images": [image_of(part)]})]
        text = part.get("text")
        if not text:
            return []
        if part.get("thought"):
            return [self._delta({"reasoning_content": text, "reasoning": text})]
        self._said = True
        return [self._delta({"content": text})]

    def _call(self, part: Mapping[str, Any], answer_id: str) -> list[Json]:
        """Return a call as the pair of deltas that clients expect: who is called, then with what."""
        index = self._speaker.calls
        call, keep = self._speaker.tool_call(part, answer_id)
        arguments = call["function"]["arguments"]
        call["function"] = {**call["function"], "arguments": ""}
        opening = self._delta({"tool_calls": [{"index": index, **call}]})
        if keep:
            opening["keep"] = keep
        self._said = True
        return [
            opening,
            self._delta({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}),
        ]

    def _delta(self, delta: Json) -> Json:
        if not self._started:
            self._started = True
            delta = {"role": "assistant", **delta}
        return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
