"""Reading an answer of the proxy: who gave it, what was tried before, and what went wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import orjson

from freellm.measuring.results import Hop, Passed, Result

_LONGEST = 300


def read_headers(result: Result, status: int, headers: Mapping[str, str]) -> None:
    """Note what an answer's headers say."""
    result.status = status
    result.request_id = headers.get("X-Request-Id")
    if via := headers.get("X-Routed-Via"):
        result.model = unquote(via)
    attempts = headers.get("X-Fallback-Attempts", "")
    result.attempts = int(attempts) if attempts.isdigit() else 0
    result.trail = _trail(headers.get("X-Fallback-Trail", ""))


def _trail(text: str) -> list[Hop]:
    hops = []
    for part in filter(None, re.split(r",\s*", text)):
        route, _, kind = part.rpartition("=")
        hops.append(Hop(unquote(route), kind))
    return hops


def read_whole(result: Result, body: bytes) -> None:
    """Note what a whole answer says, good or bad."""
    answer = read_json(body)
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        _fail(result, answer["error"])
    elif result.status != 200:
        _refuse(result, f"http_{result.status}", _text(body))
    elif not isinstance(answer, dict) or not answer.get("choices"):
        _refuse(result, "not_a_completion", "the answer is no chat completion; is this a freellm?")
    else:
        _told(result, answer)


def read_events(result: Result, events: Sequence[bytes]) -> None:
    """Note what the data of a stream's events says; a stream that does not end as it should has failed."""
    finished = False
    for data in events:
        if data == b"[DONE]":
            if not finished:
                _refuse(result, "stream_cut", "the stream ended without a finish reason")
            return
        chunk = read_json(data)
        if not isinstance(chunk, dict):
            _refuse(result, "not_a_chunk", "an event of the stream is not JSON")
            return
        if isinstance(chunk.get("error"), dict):
            _fail(result, chunk["error"])
            return
        _told(result, chunk)
        finished = finished or any(choice.get("finish_reason") for choice in chunk.get("choices") or ())
    _refuse(result, "stream_cut", "the stream ended without [DONE]")


def _told(result: Result, answer: Mapping[str, Any]) -> None:
    """Note who answered and who was passed over, as far as a completion or a chunk says."""
    via = answer.get("_routed_via")
    if isinstance(via, dict):
        result.model = f"{via.get('platform')}/{via.get('model')}"
    told = answer.get("x_freellm")
    if isinstance(told, dict):
        result.attempts = max(result.attempts, told.get("fallback_attempts") or 0)
        result.passed_over = [
            Passed(str(row.get("route")), str(row.get("reason", "")), str(row.get("detail", "")))
            for row in told.get("passed_over") or ()
        ]


def _fail(result: Result, error: Mapping[str, Any]) -> None:
    _refuse(
        result,
        str(error.get("code") or error.get("type") or f"http_{result.status}"),
        str(error.get("message") or ""),
    )
    told = error.get("x_freellm")
    if isinstance(told, dict) and not result.trail:
        attempts = told.get("attempts") or ()
        result.trail = [Hop(str(row.get("route")), str(row.get("class"))) for row in attempts]
        result.attempts = max(result.attempts, len(result.trail))


def _refuse(result: Result, code: str, message: str) -> None:
    result.error, result.message = code, message[:_LONGEST]


def read_json(data: bytes) -> Any:
    """Decode JSON; None when it is none."""
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _text(body: bytes) -> str:
    return " ".join(body[:_LONGEST].decode("utf-8", "replace").split())
