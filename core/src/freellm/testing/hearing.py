"""Hearing out a stream normalizer: what a client would get of it, by core's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from freellm.declarations import Model
from freellm.testing.breach import BreachError
from freellm.testing.copying import copied
from freellm.testing.grammar import check_chunks
from freellm.testing.subject import Subject, raised
from freellm.testing.watching import no_input_or_output
from freellm.types import UNCHANGED, ChatRequest, Event, Failure, Json

CURE: Final = (
    "keep to freellm.types.StreamNormalizer: the role in the first chunk, tool calls numbered from 0 without gaps, one "
    "finish reason, usage in a chunk of its own; or return a Failure"
)


class Hearing:
    """One stream, heard event by event.

    :param subject: the provider
    :param request: the request that is answered
    :param model: the model that answers
    """

    def __init__(self, subject: Subject, request: ChatRequest, model: Model) -> None:
        self._model = model
        self._normalize = subject.ask("normalize_stream", request=request, model=model)
        self._heard: list[Event] = []
        self._started = False
        self.chunks: list[Json] = []
        self.said: list[Any] = []
        self.failure: Failure | None = None

    def event(self, event: Event) -> None:
        """Give the normalizer an event, unless it has failed."""
        if self.failure is not None:
            return
        self._heard.append(event)
        given = copied(event)
        said = self._call(self._normalize, given)
        if said is UNCHANGED:
            self._take([event.data], unchanged=True)
        else:
            self._take(said)

    def end(self) -> None:
        """Tell the normalizer that the stream is over, unless it has failed."""
        if self.failure is None:
            said = self._call(self._normalize.end)
            self._take([] if said is UNCHANGED else said)

    def judge(self, *, sound: bool = True) -> None:
        """Check what was heard with the grammar of OpenAI's streams.

        :param sound: whether the service's own stream was sound, so that the arguments of tool calls are whole
        :raises BreachError: when a rule is broken
        """
        try:
            check_chunks(self.chunks, whole=self.failure is None, arguments=sound)
        except AssertionError as error:
            raise BreachError(
                f"makes chunks that break OpenAI's grammar: {error}", hook="normalize_stream", cure=CURE,
                example=[event.data for event in self._heard],
            ) from error  # fmt: skip

    def _call(self, function: Any, *arguments: Any) -> Any:
        try:
            with no_input_or_output():
                said = function(*arguments)
        except Exception as error:
            example = {"events": [event.data for event in self._heard]}
            raise raised(error, "normalize_stream", example) from error
        if said is UNCHANGED or isinstance(said, list | tuple | Failure):
            self.said.append(copied(said))
            return said
        raise BreachError(
            f"answered a {type(said).__name__} to an event, not a list of chunks, UNCHANGED or a Failure",
            hook="normalize_stream", cure="return one of these from __call__ and from end",
            example=[event.data for event in self._heard],
        )  # fmt: skip

    def _take(self, said: Sequence[Any] | Failure, *, unchanged: bool = False) -> None:
        if isinstance(said, Failure):
            self.failure = said
            return
        for one in said:
            if not isinstance(one, dict):
                raise BreachError(
                    f"lists a {type(one).__name__} among the chunks",
                    hook="normalize_stream", cure="list JSON objects", example=[e.data for e in self._heard],
                )  # fmt: skip
            self.chunks.append(copied(one) if unchanged else self._filled(copied(one)))

    def _filled(self, chunk: Json) -> Json:
        """Return a chunk with the identity that core gives it: that of the stream's first chunk."""
        chunk.pop("keep", None)
        first = self.chunks[0] if self.chunks else chunk
        chunk["id"] = first.get("id") or "chatcmpl-core"
        chunk["created"] = first.get("created") or 1
        chunk["model"] = self._model.id
        chunk["object"] = "chat.completion.chunk"
        return chunk


def hear(
    subject: Subject, request: ChatRequest, model: Model, events: Sequence[Event], *, sound: bool = False
) -> Hearing:
    """Hear a whole stream and judge it.

    :param sound: whether it is one that a well-behaved service sends
    :raises BreachError: when the normalizer raises, answers what is none of its answers, or breaks the grammar
    """
    hearing = Hearing(subject, request, model)
    for event in events:
        hearing.event(event)
    hearing.end()
    hearing.judge(sound=sound)
    return hearing
