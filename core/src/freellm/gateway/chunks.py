"""A provider's stream on its way to the client: every event parsed, its bytes forwarded as they came where possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from freellm.catalogue import Route
from freellm.sse import DONE, DONE_DATA, Frame, frame
from freellm.types import UNCHANGED, Event, Failure, Json, Kind, StreamNormalizer, Unchanged

_MEANINGFUL = ("content", "tool_calls", "reasoning_content", "reasoning", "refusal", "audio")
_LEGAL_WHEN_EMPTY = frozenset({"length", "content_filter"})
"""Finish reasons with which an answer may be empty: a budget of one token, or a filter."""


class StreamBrokenError(Exception):
    """The stream cannot go on.

    :param failure: why
    :param before: the client's bytes of what came before it in the same read
    """

    def __init__(self, failure: Failure, before: bytes = b"") -> None:
        super().__init__(failure.kind)
        self.failure = failure
        self.before = before


class ChunkStream:
    """Turns the frames of one upstream stream into the client's bytes.

    :param normalizer: the provider's, for this stream
    :param route: who answers
    :param completion_id: the stream's id if the provider gives none
    :param created: Unix time, for the same case
    :param extra: returns what the last chunk tells as `x_freellm`
    """

    __slots__ = (
        "_created",
        "_extra",
        "_id",
        "_model",
        "_normalizer",
        "_started",
        "_via",
        "deltas",
        "done",
        "finish_reason",
        "kept",
        "meaningful",
        "usage",
    )

    def __init__(
        self,
        normalizer: StreamNormalizer,
        route: Route,
        completion_id: str,
        created: int,
        extra: Callable[[], Json],
    ) -> None:
        self._normalizer = normalizer
        self._via = route.via
        self._model = route.model.id
        self._id = completion_id
        self._created = created
        self._extra = extra
        self._started = False
        self.meaningful = False
        self.done = False
        self.deltas = 0
        self.finish_reason: str | None = None
        self.usage: Json | None = None
        self.kept: dict[str, Any] = {}

    def take(self, frames: Sequence[Frame]) -> bytes:
        """Return the client's bytes for the frames of one read.

        :raises StreamBrokenError: when the provider reports an error or sends what is none of its format
        """
        out: list[bytes] = []
        try:
            for received in frames:
                if received.data == DONE_DATA:
                    self.done = True
                    break
                data = received.json()
                chunks = self._normalizer(Event(received.name, data))
                if chunks is UNCHANGED and self.meaningful:
                    choices = data["choices"]
                    if choices and not choices[0].get("finish_reason"):
                        self.deltas += 1
                        out.append(received.raw)
                        continue
                self._take((data,) if isinstance(chunks, Unchanged) else chunks, out)
        except (Exception, SystemExit) as error:
            raise _broken(error, out) from error
        return b"".join(out)

    def end(self, *, include_usage: bool, usage: Json) -> bytes:
        """Return the client's last bytes, the terminator included.

        :param include_usage: whether the client wants the usage chunk
        :param usage: the usage to tell if the provider told none
        :raises StreamBrokenError: when the stream was cut, or there was nothing in it
        """
        out: list[bytes] = []
        try:
            chunks = self._normalizer.end()
            self._take(() if isinstance(chunks, Unchanged) else chunks, out)
            self._judge()
        except (Exception, SystemExit) as error:
            raise _broken(error, out) from error
        if include_usage:
            out.append(self._framed({"choices": [], "usage": self.usage or usage}))
        out.append(DONE)
        return b"".join(out)

    def _judge(self) -> None:
        if self.finish_reason is None:
            raise StreamBrokenError(Failure(kind=Kind.NETWORK, message="the stream was cut"))
        if not self.meaningful and self.finish_reason not in _LEGAL_WHEN_EMPTY:
            raise StreamBrokenError(Failure(kind=Kind.BAD_ANSWER, message="the answer was empty"))

    def _take(self, chunks: Sequence[Json] | Failure, out: list[bytes]) -> None:
        if isinstance(chunks, Failure):
            raise StreamBrokenError(chunks)
        for chunk in chunks:
            if kept := chunk.pop("keep", None):
                self.kept.update(kept)
            if usage := chunk.pop("usage", None):
                self.usage = usage
            if chunk.get("choices"):
                out.append(self._choice(chunk))

    def _choice(self, chunk: Json) -> bytes:
        choice = chunk["choices"][0]
        self.deltas += 1
        if not self._started:
            self._started = True
            self._id = chunk.get("id") or self._id
            self._created = chunk.get("created") or self._created
            chunk["_routed_via"] = self._via
        if not self.meaningful:
            delta = choice.get("delta") or {}
            self.meaningful = any(delta.get(name) for name in _MEANINGFUL)
        if choice.get("finish_reason"):
            self.finish_reason = choice["finish_reason"]
            chunk["_routed_via"] = self._via
            chunk["x_freellm"] = self._extra()
        return self._framed(chunk)

    def _framed(self, chunk: Json) -> bytes:
        chunk["id"] = self._id
        chunk["object"] = "chat.completion.chunk"
        chunk["created"] = self._created
        chunk["model"] = self._model
        return frame(orjson.dumps(chunk))


def _broken(error: BaseException, out: Sequence[bytes]) -> StreamBrokenError:
    failure = error.failure if isinstance(error, StreamBrokenError) else _failure(error)
    return StreamBrokenError(failure, b"".join(out))


def _failure(error: BaseException) -> Failure:
    """Name what a frame or a normalizer did wrong, without quoting what may be the answer's text."""
    what = "not JSON" if isinstance(error, orjson.JSONDecodeError) else f"unreadable ({type(error).__name__})"
    return Failure(kind=Kind.BAD_ANSWER, message=f"an event of the stream was {what}")


def as_stream(completion: Json) -> tuple[list[Json], Json | None]:
    """Return a whole completion as chunks, for a provider that answered whole though a stream was asked for.

    :return: the chunks, and the usage
    """
    choice = completion["choices"][0]
    message = choice["message"]
    delta = {name: value for name, value in message.items() if value is not None}
    if calls := delta.get("tool_calls"):
        delta["tool_calls"] = [{**call, "index": index} for index, call in enumerate(calls)]
    delta.setdefault("content", "" if not calls else None)
    head: Json = {name: completion[name] for name in ("id", "created") if name in completion}
    return [
        {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": choice["finish_reason"]}]},
    ], completion.get("usage")


class Whole:
    """A stream normalizer for an answer that came whole: all of it is said at the end.

    :param completion: the OpenAI completion
    """

    def __init__(self, completion: Json) -> None:
        self._completion = completion

    def __call__(self, event: Event) -> Sequence[Json]:
        """Answer nothing; there are no events."""
        return ()

    def end(self) -> Sequence[Json]:
        """Return the whole answer as chunks."""
        chunks, usage = as_stream(self._completion)
        return [*chunks, {"choices": [], "usage": usage, "keep": self._completion.get("keep")}]
