"""Answers that are a guard model's verdict and nothing else: a router has put the guard in a chat model's place."""

from __future__ import annotations

from collections.abc import Sequence

from freellm.types import ChatRequest, Chunks, Event, Failure, Json, Kind, StreamNormalizer, Unchanged


def bare_verdict(text: str | None, request: ChatRequest, verdicts: frozenset[str]) -> Failure | None:
    """Judge a whole answer's text.

    :param text: what was said; None when the answer is more than a text
    :param verdicts: the verdicts, in lower case
    :return: a failure, so that the next route is tried, or None when the answer stands: it says more, or the request
        speaks of the verdict itself and may have asked for it
    """
    word = _word(text) if text else ""
    if word not in verdicts or any(word in _text_of(message) for message in request.messages):
        return None
    return Failure(
        kind=Kind.BAD_ANSWER, message=f"a guard model answered in the model's place: it said {word!r} alone"
    )


def spoken_text(completion: Json) -> str | None:
    """Return what a completion says, None when it calls tools or shows reasoning too."""
    message = completion["choices"][0]["message"]
    return None if message.get("tool_calls") or message.get("reasoning_content") else message.get("content")


class VerdictGuard:
    """Holds a stream's chunks back while its text may still be a verdict and nothing else.

    :param normalizer: makes the chunks
    :param request: what was asked
    :param verdicts: the verdicts, in lower case
    """

    __slots__ = ("_finished", "_held", "_normalizer", "_request", "_settled", "_text", "_verdicts")

    def __init__(self, normalizer: StreamNormalizer, request: ChatRequest, verdicts: frozenset[str]) -> None:
        self._normalizer = normalizer
        self._request = request
        self._verdicts = verdicts
        self._settled = False
        self._finished = False
        self._text = ""
        self._held: list[Json] = []

    def __call__(self, event: Event) -> Chunks:
        """Return the chunks that this event lets through."""
        made = self._normalizer(event)
        if self._settled or isinstance(made, Failure):
            return made
        chunks: Sequence[Json] = [event.data] if isinstance(made, Unchanged) else made
        if self._may_be_verdict(chunks):
            if not self._finished:
                self._held += chunks
                return ()
            if failure := bare_verdict(self._text, self._request, self._verdicts):
                return failure
        self._settled = True
        held, self._held = self._held, []
        return [*held, *chunks] if held else made

    def end(self) -> Chunks:
        """Judge the stream when it is over."""
        return self._normalizer.end()

    def _may_be_verdict(self, chunks: Sequence[Json]) -> bool:
        """Listen to the next chunks; tell whether all that was said may be, or become, a verdict."""
        for chunk in chunks:
            for choice in chunk["choices"]:
                delta = choice["delta"]
                if delta.get("tool_calls") or delta.get("reasoning_content"):
                    return False
                self._text += delta.get("content") or ""
                self._finished = self._finished or choice["finish_reason"] is not None
        word = _word(self._text)
        return any(verdict.startswith(word) for verdict in self._verdicts)


def _word(text: str) -> str:
    return text.strip().rstrip(".").lower()


def _text_of(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content.lower() if isinstance(content, str) else ""
