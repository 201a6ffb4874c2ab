"""OpenAI chat bodies and stream chunks that the misbehaving upstream sends, and the bytes around them."""

from __future__ import annotations

import json
from typing import Any

TEXT = "Grüße, 世界 🌍"
"""What every mode that answers at all says, in whole or in part."""

PIECES = ("Grüße", ", ", "世界", " ", "🌍")
MODEL = "faulty"
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def completion(content: str | None = TEXT, finish_reason: str | None = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-fault",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": USAGE,
    }


def chunk(
    delta: dict[str, Any] | None = None, finish_reason: str | None = None, **more: Any
) -> dict[str, Any]:
    """A chunk with one choice, or with none when no delta is given."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return {
        "id": "chatcmpl-fault",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": choices,
        **more,
    }


def opening() -> list[dict[str, Any]]:
    """The chunks up to the last piece of text, without the finish."""
    return [chunk({"role": "assistant", "content": ""}), *(chunk({"content": piece}) for piece in PIECES)]


def story() -> list[dict[str, Any]]:
    """The chunks of a whole stream."""
    return [*opening(), chunk({}, "stop")]


def events(chunks: list[dict[str, Any]], end: bytes = b"\n") -> bytes:
    """Frame chunks with a line end of choice."""
    return b"".join(b"data: " + dump(one) + end + end for one in chunks)


def done(end: bytes = b"\n") -> bytes:
    return b"data: [DONE]" + end + end


def error(message: str, type_: str = "server_error", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}
