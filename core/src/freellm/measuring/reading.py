"""Reading one answer of the proxy while its bytes come, whole or streamed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freellm.errors import UpstreamError
from freellm.measuring.answers import read_events, read_headers, read_json, read_whole
from freellm.measuring.asking import LONGEST
from freellm.measuring.results import Result
from freellm.sse import SSEParser


class Reading:
    """One answer, read piece by piece: the headers, the bytes of the body, the end.

    :param result: takes what the answer says of its way here
    :ivar text: what the model said
    :ivar reasoning: what it thought before, as far as its provider tells
    :ivar first_delta_ms: milliseconds until the first piece of text, of reasoning or of a tool call
    :ivar tokens_in: tokens of the prompt; None while nobody has said
    :ivar tokens_out: tokens of the answer, reasoning included; None while nobody has said
    :ivar finish_reason: why the model stopped; None while it has not
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self.text = ""
        self.reasoning = ""
        self.first_delta_ms: float | None = None
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.finish_reason: str | None = None
        self._parser: SSEParser | None = None
        self._events: list[bytes] = []
        self._body = bytearray()

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers, whose names are found in any case."""
        read_headers(self.result, status, headers)
        if headers.get("Content-Type", "").startswith("text/event-stream"):
            self._parser = SSEParser()

    def feed(self, data: bytes, ms: float) -> str:
        """Take bytes of the body; return the text that came with them.

        :param ms: milliseconds since the request was sent
        """
        if self._parser is None:
            self._body += data
            return ""
        try:
            frames = self._parser.feed(data)
        except UpstreamError as error:
            self.fail("bad_stream", error.message)
            return ""
        if frames and self.result.first_byte_ms is None:
            self.result.first_byte_ms = ms
        before = len(self.text)
        for frame in frames:
            self._events.append(frame.data)
            self._take(read_json(frame.data), ms)
        return self.text[before:]

    def end(self, ms: float) -> None:
        """Take the end of the body, and judge the answer as a whole."""
        self.result.ms = ms
        if self.result.error is not None:
            return
        if self._parser is not None:
            read_events(self.result, self._events)
            return
        body = bytes(self._body)
        self.result.first_byte_ms = ms
        read_whole(self.result, body)
        if self.result.succeeded:
            self._take(read_json(body), ms)

    def timed_out(self) -> None:
        """Note that the answer took longer than anybody waits."""
        self.fail("timeout", f"no whole answer within {LONGEST:g} s; ask another model, or for less")

    def broke_off(self, error: Exception) -> None:
        """Note that the connection to the proxy broke.

        :param error: what the HTTP client raised; its class is told
        """
        self.fail(
            "connection_lost",
            f"{type(error).__name__}: the connection broke; is the proxy still running? Its log says more",
        )

    def fail(self, code: str, message: str) -> None:
        """Note that there is no whole answer.

        :param code: the error's code
        :param message: the error in words, with what to do about it
        """
        self.result.error, self.result.message = code, message

    def _take(self, answer: Any, ms: float) -> None:
        """Take what a completion or a chunk says; anything else is judged at the end."""
        if not isinstance(answer, dict):
            return
        usage = answer.get("usage")
        if isinstance(usage, dict):
            self.tokens_in = usage.get("prompt_tokens")
            self.tokens_out = usage.get("completion_tokens")
        for choice in answer.get("choices") or ():
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            said = choice.get("delta") or choice.get("message") or {}
            text = said.get("content") or ""
            reasoning = said.get("reasoning_content") or said.get("reasoning") or ""
            if self.first_delta_ms is None and (text or reasoning or said.get("tool_calls")):
                self.first_delta_ms = ms
            self.text += text
            self.reasoning += reasoning
