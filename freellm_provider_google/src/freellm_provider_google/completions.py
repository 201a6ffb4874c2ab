"""A whole generateContent answer becomes a chat completion; the words it shares with streams are here too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from freellm import Answer, ChatRequest, Failure, Json, Kind, Model
from freellm_provider_google.refusals import classify
from freellm_provider_google.tools import original_names

FINISHES: Final[Mapping[str, str]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "MODEL_ARMOR",
        ),
        "content_filter",
    ),
}
"""Why the model stopped, in OpenAI's words; a reason that is not named here is `stop`."""

FAILED_TURNS: Final = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
    }
)
"""Reasons that say the answer is of no use."""


class Speaker:
    """What the normalizers of one answer know about the request it answers.

    :param request: the request
    :param model: the model that answers
    """

    __slots__ = ("_ids", "_model_id", "_names", "_request", "calls")

    def __init__(self, request: ChatRequest, model: Model) -> None:
        self._request = request
        self._model_id = model.id
        self._names: dict[str, str] | None = None
        self._ids: set[str] = set()
        self.calls = 0

    def tool_call(self, part: Mapping[str, Any], answer_id: str) -> tuple[Json, Json]:
        """Return the OpenAI tool call of a functionCall part, and what has to be kept for it.

        :param answer_id: the answer's `responseId`, from which the id of a call without one is made
        """
        call = part["functionCall"]
        name = self._original(call.get("name") or "")
        arguments = json.dumps(call.get("args") or {}, ensure_ascii=False, separators=(",", ":"))
        signature = part.get("thoughtSignature")
        origin = answer_id or f"{len(self._request.messages)}:{signature}"
        id_ = call.get("id")
        if not id_ or id_ in self._ids:  # clients tell calls apart by their ids
            id_ = _call_id(origin, self.calls, name, arguments)
        self._ids.add(id_)
        self.calls += 1
        tool_call: Json = {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        if not signature:
            return tool_call, {}
        # The shape of Google's own OpenAI endpoint, plus the model, for whose turns alone the signature is valid.
        google = {"thought_signature": signature, "model": self._model_id}
        tool_call["extra_content"] = {"google": google}
        return tool_call, {id_: {"signature": signature}}

    def _original(self, name: str) -> str:
        if self._names is None:
            self._names = original_names(self._request)
        return self._names.get(name, name)


def _call_id(origin: str, position: int, name: str, arguments: str) -> str:
    text = f"{origin}\0{position}\0{name}\0{arguments}"
    return f"call_{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"


def image_of(part: Mapping[str, Any]) -> Json:
    """Return an inlineData part as an image with a data URI."""
    data = part["inlineData"]
    return {
        "type": "image_url",
        "image_url": {"url": f"data:{data.get('mimeType')};base64,{data.get('data')}"},
    }


def usage_of(counted: Mapping[str, Any]) -> Json:
    """Return OpenAI's usage of a usageMetadata; thoughts are a part of the completion."""
    count = {name: value for name, value in counted.items() if isinstance(value, int)}.get
    prompt = count("promptTokenCount", 0) + count("toolUsePromptTokenCount", 0)
    thoughts = count("thoughtsTokenCount", 0)
    completion = count("candidatesTokenCount", 0) + thoughts
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": count("totalTokenCount") or prompt + completion,
        "prompt_tokens_details": {"cached_tokens": count("cachedContentTokenCount", 0)},
        "completion_tokens_details": {"reasoning_tokens": thoughts},
    }


def unwrap(body: Any) -> Any:
    """Return the object in a one-element array, as some of the service's front ends answer; else the body."""
    return body[0] if isinstance(body, list) and len(body) == 1 else body


def blocked_prompt(body: Mapping[str, Any]) -> Failure | None:
    """Return the failure of a prompt that was blocked: it is answered with 200 and no candidate."""
    reason = (body.get("promptFeedback") or {}).get("blockReason")
    if not reason or body.get("candidates"):
        return None
    return Failure(kind=Kind.CONTENT_FILTERED, message=f"the prompt was blocked: {reason}", scope="model")


def failed_turn(reason: str | None, explanation: Any = None) -> Failure:
    """Return the failure of a turn that came to nothing."""
    text = f"the model ended with {reason} and no usable answer" if reason else "the answer breaks off"
    return Failure(kind=Kind.BAD_ANSWER, message=f"{text}: {explanation}"[:300] if explanation else text)


def empty_turn(reason: str) -> Failure | None:
    """Judge a turn without text, call or image: legal when the tokens ran out, a refusal when it was filtered."""
    finish = FINISHES.get(reason, "stop")
    if finish == "length":
        return None
    if finish == "content_filter":
        return Failure(kind=Kind.CONTENT_FILTERED, message=f"the answer was blocked: {reason}", scope="model")
    return failed_turn(reason)


def complete(request: ChatRequest, model: Model, answer: Answer) -> Json | Failure:
    """Return the chat completion of a whole 2xx answer, or the failure that it hides."""
    body = unwrap(answer.body)
    if not isinstance(body, dict):
        return Failure(kind=Kind.BAD_ANSWER, message="the answer is not a JSON object")
    if "error" in body:
        return classify(request, answer)
    if failure := blocked_prompt(body):
        return failure
    candidate: Json = (body.get("candidates") or [{}])[0]
    reason = candidate.get("finishReason")
    if reason is None or reason in FAILED_TURNS:
        return failed_turn(reason, candidate.get("finishMessage"))
    parts = (candidate.get("content") or {}).get("parts") or ()
    message, keep = _message(parts, Speaker(request, model), body.get("responseId") or "")
    says_something = message["content"] or "tool_calls" in message or "images" in message
    if not says_something and (failure := empty_turn(reason)):
        return failure
    finish = FINISHES.get(reason, "stop")
    if finish == "stop" and "tool_calls" in message:
        finish = "tool_calls"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    completion: Json = {"object": "chat.completion", "choices": [choice]}
    if counted := body.get("usageMetadata"):
        completion["usage"] = usage_of(counted)
    if keep:
        completion["keep"] = keep
    return completion


def _message(parts: Any, speaker: Speaker, answer_id: str) -> tuple[Json, Json]:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[Json] = []
    images: list[Json] = []
    keep: Json = {}
    for part in parts:
        if "functionCall" in part:
            call, kept = speaker.tool_call(part, answer_id)
            calls.append(call)
            keep |= kept
        elif "inlineData" in part:
            images.append(image_of(part))
        elif text := part.get("text"):
            (thoughts if part.get("thought") else texts).append(text)
    message: Json = {"role": "assistant", "content": "".join(texts) or (None if calls else "")}
    if thoughts:
        message["reasoning_content"] = message["reasoning"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    if images:
        message["images"] = images
    return message, keep
