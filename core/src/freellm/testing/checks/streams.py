"""Streams: whatever events come, the chunks keep to the grammar that a client is owed at the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from freellm.testing import answers, requests
from freellm.testing.breach import BreachError, NotApplicableError
from freellm.testing.hearing import Hearing, hear
from freellm.testing.subject import Subject
from freellm.types import ChatRequest, Event, Failure


def grammar(subject: Subject) -> None:
    """Streams of OpenAI's dialect, sound and odd, and events that are none become chunks of the grammar or a `Failure`."""
    for name, data in answers.STREAMS.items():
        events = answers.events(data)
        hear(subject, requests.TOOLS_STREAM, subject.chat_model, events, sound=name in answers.SOUND)
    for one in answers.GARBAGE:
        for name in ("message", "error", "ping"):
            hear(subject, requests.STREAM, subject.chat_model, [Event(name, one)])


def cases_stream(subject: Subject) -> None:
    """The streams of the golden cases keep to the grammar, whole and with an event lost, repeated or out of order."""
    for request, model, events in _case_streams(subject):
        hear(subject, request, model, events, sound=True)
        for place in range(len(events)):
            hear(subject, request, model, events[:place] + events[place + 1 :])
            hear(subject, request, model, events[: place + 1] + events[place:])
            hear(
                subject,
                request,
                model,
                [*events[:place], *reversed(events[place : place + 2]), *events[place + 2 :]],
            )


def cut(subject: Subject) -> None:
    """A stream that ends before its finish reason came is a `Failure`: `end()` makes none up. So is an empty one."""
    streams: list[tuple[ChatRequest, Any, list[Event]]] = [
        (requests.STREAM, subject.chat_model, []),
        (requests.STREAM, subject.chat_model, answers.events(answers.STREAMS["cut"])),
    ]
    for request, model, events in _case_streams(subject):
        last = _finished_at(subject, request, model, events)
        streams += [(request, model, events[:place]) for place in range(last)]
    for request, model, events in streams:
        hearing = hear(subject, request, model, events)
        if hearing.failure is None:
            raise BreachError(
                "calls a stream complete that was cut", hook="normalize_stream",
                cure="remember whether the finish reason came; if not, end() returns a Failure of kind network",
                example=[event.data for event in events],
            )  # fmt: skip


def _finished_at(subject: Subject, request: ChatRequest, model: Any, events: list[Event]) -> int:
    """Return how many events are needed before the stream can end: the first cut that is complete, none before it."""
    if hear(subject, request, model, events).failure is not None:
        return 0
    for place in range(len(events), 0, -1):
        if hear(subject, request, model, events[: place - 1]).failure is not None:
            return place
    return 0


def errors_in_streams(subject: Subject) -> None:
    """An error inside a stream is a `Failure`, not a chunk and not silence."""
    for name in ("error first", "error later"):
        hearing = hear(subject, requests.STREAM, subject.chat_model, answers.events(answers.STREAMS[name]))
        if not isinstance(hearing.failure, Failure):
            raise BreachError(
                "passes over an error in the stream", hook="normalize_stream", example=answers.STREAMS[name],
                cure="return a Failure for an event that reports an error",
            )  # fmt: skip


def apart(subject: Subject) -> None:
    """Two streams at the same time are as each of them alone: all state is in the object `normalize_stream` returned."""
    pairs = [("text", "parallel calls"), ("parallel calls", "one call"), ("text", "reasoning")]
    streams = [
        [(requests.TOOLS_STREAM, subject.chat_model, answers.events(answers.STREAMS[name])) for name in pair]
        for pair in pairs
    ]
    own = list(_case_streams(subject))
    streams += [[first, second] for first in own[:6] for second in own[:6]]
    for pair_of_streams in streams:
        _hear_together(subject, pair_of_streams)


def _hear_together(subject: Subject, streams: list[tuple[ChatRequest, Any, list[Event]]]) -> None:
    alone = [hear(subject, *stream).said for stream in streams]
    hearings = [Hearing(subject, request, model) for request, model, _ in streams]
    for place in range(max(len(events) for *_, events in streams)):
        for hearing, (*_, events) in zip(hearings, streams, strict=True):
            if place < len(events):
                hearing.event(events[place])
    for hearing, before, (*_, events) in zip(hearings, alone, streams, strict=True):
        hearing.end()
        if hearing.said != before:
            raise BreachError(
                "makes something else of a stream when another one runs beside it", hook="normalize_stream",
                cure="keep what a stream needs in a new object for each call, not in the plugin or its module",
                example=[event.data for event in events],
            )  # fmt: skip


def _case_streams(subject: Subject) -> Iterator[tuple[ChatRequest, Any, list[Event]]]:
    for case in subject.sound_cases():
        request = case.request()
        if "events" in case.content and isinstance(request, ChatRequest):
            yield request, case.model(subject.models), case.events()


def a_case_streams(subject: Subject) -> None:
    """A provider with golden cases has one with a stream, in the service's own dialect."""
    if not subject.cases:
        raise NotApplicableError("there are no golden cases; the service's own streams are not looked at")
    if not any("events" in case.content for case in subject.cases) and subject.chat_models:
        raise BreachError(
            "has no golden case with a stream, so what it makes of the service's own events is unknown",
            cure="add a case with events and chunks",
        )


CHECKS = (grammar, cases_stream, cut, errors_in_streams, apart, a_case_streams)
