"""What the mock upstream says, as bytes made once per model: OpenAI's wire and the Gemini wire.

Every answer is a tuple of writes. A stream is a burst, but it leaves in several writes, so a proxy meets what it
meets in the field: sometimes one event in a read, sometimes many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

CHUNKS: Final = 100
"""Content chunks of one stream; the usage chunk and `[DONE]` come on top."""

CHUNKS_PER_WRITE: Final = 10

TEXT: Final = (
    "Lisbon is the capital of Portugal. It is built on hills above the mouth of the Tagus, has about half a million "
    "inhabitants inside the city limits, and is mild enough in spring and autumn to be explored on foot. Bring shoes "
    "with a good grip: the pavements are polished stone."
)
PROMPT_TOKENS: Final = 97
USAGE: Final = {
    "prompt_tokens": PROMPT_TOKENS,
    "completion_tokens": CHUNKS,
    "total_tokens": PROMPT_TOKENS + CHUNKS,
}
GEMINI_USAGE: Final = {
    "promptTokenCount": PROMPT_TOKENS,
    "candidatesTokenCount": CHUNKS,
    "totalTokenCount": PROMPT_TOKENS + CHUNKS,
}

QUOTA_HEADERS: Final = (
    b"x-ratelimit-limit-requests: 1000000\r\nx-ratelimit-remaining-requests: 999999\r\n"
    b"x-ratelimit-reset-requests: 86ms\r\nx-ratelimit-limit-tokens: 100000000\r\n"
    b"x-ratelimit-remaining-tokens: 99999000\r\nx-ratelimit-reset-tokens: 1ms\r\n"
)
"""Groq states its quotas on every answer (console.groq.com/docs/rate-limits, 2026-11), so reading them is measured too."""


def whole(body: Any, headers: bytes = b"", status: bytes = b"200 OK") -> tuple[bytes, ...]:
    """Return a JSON answer with a content length.

    :param body: what is sent as JSON
    :param headers: further header lines, each closed by CRLF
    :param status: the status line without the version
    """
    content = orjson.dumps(body)
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\n%scontent-length: %d\r\n\r\n"
    return (head % (status, headers, len(content)) + content,)


def streamed(events: Sequence[bytes], headers: bytes = b"") -> tuple[bytes, ...]:
    """Return a chunked event stream, one HTTP chunk per event and `CHUNKS_PER_WRITE` of them to a write.

    :param events: framed events, the blank line included
    :param headers: further header lines, each closed by CRLF
    """
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\n%s"
    )
    frames = [b"%x\r\n%s\r\n" % (len(event), event) for event in events]
    writes = [b"".join(frames[at : at + CHUNKS_PER_WRITE]) for at in range(0, len(frames), CHUNKS_PER_WRITE)]
    writes[0] = head % headers + b"transfer-encoding: chunked\r\n\r\n" + writes[0]
    writes[-1] += b"0\r\n\r\n"
    return tuple(writes)


@lru_cache(maxsize=4096)
def completion(model: str, headers: bytes) -> tuple[bytes, ...]:
    """Return a whole OpenAI chat completion by `model`."""
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    named = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1763900000, "model": model}
    return whole({**named, "choices": [choice], "usage": USAGE, "system_fingerprint": "fp_bench"}, headers)


@lru_cache(maxsize=4096)
def chunks(model: str, headers: bytes) -> tuple[bytes, ...]:
    """Return an OpenAI stream by `model`: the content chunks, one with the usage, and `[DONE]`."""
    events = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in _chunk_objects(model)]
    return streamed([*events, b"data: [DONE]\n\n"], headers)


def _chunk_objects(model: str) -> Iterator[dict[str, Any]]:
    named = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1763900000, "model": model}
    for number in range(CHUNKS):
        last = number == CHUNKS - 1
        delta = {} if last else {"content": f" word{number:02}"}
        if number == 0:
            delta["role"] = "assistant"
        finish = "stop" if last else None
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        yield {**named, "choices": [choice]}
    yield {**named, "choices": [], "usage": USAGE}


@lru_cache(maxsize=4096)
def gemini_completion(model: str) -> tuple[bytes, ...]:
    """Return a whole Gemini answer by `model`."""
    return whole(_gemini(model, TEXT, finished=True))


@lru_cache(maxsize=4096)
def gemini_chunks(model: str) -> tuple[bytes, ...]:
    """Return a Gemini stream by `model`: usage in every frame, CRLF framing, no `[DONE]`."""
    frames = (_gemini(model, f" word{number:02}", finished=number == CHUNKS - 1) for number in range(CHUNKS))
    return streamed([b"data: " + orjson.dumps(frame) + b"\r\n\r\n" for frame in frames])


def _gemini(model: str, text: str, *, finished: bool) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finished:
        candidate["finishReason"] = "STOP"
    answer = {"candidates": [candidate], "usageMetadata": GEMINI_USAGE}
    return {**answer, "modelVersion": model, "responseId": "bench"}
