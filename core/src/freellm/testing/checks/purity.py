"""Purity: no input, no output, no clock, no chance, no memory, no change to an argument, no secret where it can be seen."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from freellm.testing.breach import BreachError
from freellm.testing.copying import copied, copied_arguments
from freellm.testing.state import state_of
from freellm.testing.subject import Subject
from freellm.testing.tour import Stop, tour, walk
from freellm.testing.watching import calls_noted
from freellm.types import Failure, Upstream, Verdict


def no_io(subject: Subject) -> None:
    """No hook opens a file or a socket, or starts a process or a thread."""
    for stop in tour(subject):
        seen: list[str] = []
        walk(subject, _fresh(stop), seen)
        if seen:
            raise _impure(
                stop, f"does input or output: {seen[0]}", "core owns sockets and files; read data at import"
            )


def no_clock(subject: Subject) -> None:
    """No hook reads a clock, chance, the environment or the file system, or writes to the console."""
    for stop in tour(subject):
        with calls_noted() as seen:
            walk(subject, _fresh(stop))
        if seen:
            raise _impure(
                stop, f"calls {seen[0]}",
                "state waits as retry_after or resets_in, which need no clock; derive ids from the answer, not from chance",
            )  # fmt: skip


def arguments_stay(subject: Subject) -> None:
    """No hook changes an argument, nor does a stream normalizer change an event."""
    for stop in tour(subject):
        given = _fresh(stop)
        walk(subject, given)
        for name, value in stop.arguments.items():
            if value != given.arguments[name]:
                raise _impure(
                    stop,
                    f"changes its argument {name}",
                    "build a new object; other attempts use this one too",
                )
        if list(stop.events) != given.events:
            raise _impure(
                stop, "changes an event", "copy what is changed; core forwards the event's own bytes"
            )


def same_answer_twice(subject: Subject) -> None:
    """The same question has the same answer, at once and in a row: no counters, no chance, no made-up ids that differ."""
    for stop in tour(subject):
        first, second = (copied(walk(subject, _fresh(stop))) for _ in range(2))
        if first != second:
            raise _impure(
                stop, f"answers the same question differently: {_differing(first, second)}",
                "derive what you make up, such as ids of tool calls, from the answer's own id and position",
            )  # fmt: skip


def no_memory(subject: Subject) -> None:
    """What was asked before changes no answer, and the plugin holds afterwards what it held before."""
    stops = tour(subject)
    for stop in stops:  # once, so that what is computed once is computed
        walk(subject, _fresh(stop))
    held = state_of(subject.plugin)
    forward = [copied(walk(subject, _fresh(stop))) for stop in stops]
    backward = [copied(walk(subject, _fresh(stop))) for stop in reversed(stops)]
    for stop, first, second in zip(stops, forward, reversed(backward), strict=True):
        if first != second:
            raise _impure(
                stop, f"answers differently after other questions: {_differing(first, second)}",
                "keep no state in the plugin or its modules; a stream's state belongs to its normalizer",
            )  # fmt: skip
    after = state_of(subject.plugin)
    if changed := [name for name in {**held, **after} if held.get(name) != after.get(name)]:
        raise BreachError(
            f"the plugin remembers: {changed[0]} changed while hooks were asked",
            cure="keep no state in the plugin or its modules; core has opaque state for the next turn (keep)",
        )


def secrets(subject: Subject) -> None:
    """The key is in headers alone: not in a path, a body, a repr, a message or a chunk."""
    for stop in tour(subject):
        for found in _spread(walk(subject, _fresh(stop))):
            for place, text in _shown(found):
                if leaked := [secret for secret in subject.secrets if _spells(text, secret)]:
                    raise _impure(
                        stop, f"puts the key field {leaked[0].removeprefix('KEY-')!r} into {place}",
                        "send the key in a header; paths and bodies are logged by what stands in between",
                    )  # fmt: skip


def _spread(answers: Sequence[Any]) -> Iterator[Any]:
    for answer in answers:
        yield from answer if isinstance(answer, list | tuple) else (answer,)


def _shown(found: Any) -> Iterator[tuple[str, str]]:
    if isinstance(found, Upstream):
        yield "the path", found.path
        yield "the body", repr(found.body)
        yield "the names of dropped parameters or headers", repr((found.dropped, list(found.headers)))
    elif isinstance(found, Verdict):
        yield "the verdict's message", found.message
        yield "the verdict", repr(found)
    elif isinstance(found, Failure):
        yield "the failure's message", found.message
        yield "the failure", repr(found)
    else:
        yield "the answer", repr(found)


def _spells(text: str, secret: str) -> bool:
    encoded = b64encode(secret.encode()).decode().rstrip("=")
    return any(spelt in text for spelt in (secret, quote(secret, safe=""), encoded))


def _fresh(stop: Stop) -> Stop:
    return Stop(stop.hook, copied_arguments(stop.arguments), copied(list(stop.events)))


def _differing(first: Sequence[Any], second: Sequence[Any]) -> str:
    for one, other in zip(first, second, strict=False):
        if one != other:
            return f"{_short(one)} and {_short(other)}"
    return f"{len(first)} and {len(second)} answers"


def _short(value: Any) -> str:
    text = re.sub(r"\s+", " ", repr(value))
    return text if len(text) <= 200 else f"{text[:200]}…"


def _impure(stop: Stop, what: str, cure: str) -> BreachError:
    return BreachError(
        what,
        hook=stop.hook,
        cure=cure,
        example={**stop.arguments, **({"events": list(stop.events)} if stop.events else {})},
    )


CHECKS = (no_io, no_clock, arguments_stay, same_answer_twice, no_memory, secrets)
