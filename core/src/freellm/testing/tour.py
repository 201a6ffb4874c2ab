"""A tour of a provider: every hook, asked everything the kit knows, as a list that can be walked again and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from freellm.testing import answers, requests
from freellm.testing.subject import Subject
from freellm.testing.watching import no_input_or_output
from freellm.types import Answer, ChatRequest, EmbeddingRequest, Event

_VERDICTS: Final[tuple[Any, ...]] = (None, {}, {"data": []}, {"error": {"message": "m"}})


class Stop(NamedTuple):
    """One question to one hook.

    :param hook: the hook
    :param arguments: what it is given
    :param events: for `normalize_stream`, the events of the stream
    """

    hook: str
    arguments: Mapping[str, Any]
    events: Sequence[Event] = ()


def tour(subject: Subject) -> list[Stop]:
    """Return every question for the hooks that a provider answers."""
    stops = [*_asking(subject), *_hearing(subject), *_streams(subject), *_keys(subject), *_cases(subject)]
    return [stop for stop in stops if stop.hook in subject.hooks]


def walk(subject: Subject, stop: Stop, seen: list[str] | None = None) -> list[Any]:
    """Ask a question without copies; return what was answered, an exception as its name.

    What raises is another check's finding.

    :param seen: takes what input and output the hook asked for
    """
    try:
        with no_input_or_output(seen):
            found = subject.caller(stop.hook)(**stop.arguments)
            if stop.hook != "normalize_stream":
                return [found]
            return [*(found(event) for event in stop.events), found.end()]
    except Exception as error:  # noqa: BLE001 - a provider may raise anything
        return [type(error).__name__]


def _asking(subject: Subject) -> Iterator[Stop]:
    for model in subject.chat_models:
        for sample in requests.SAMPLES.values():
            yield Stop("translate_request", {"request": sample.request, "model": model, "key": subject.key})
    for model in subject.embedding_models:
        for request in requests.EMBEDDINGS.values():
            yield Stop("translate_embeddings", {"request": request, "model": model, "key": subject.key})


def _hearing(subject: Subject) -> Iterator[Stop]:
    for model in subject.chat_models[:1]:
        for answer in answers.whole_answers():
            yield Stop("normalize_response", {"request": requests.TOOLS, "model": model, "answer": answer})
        for answer in answers.refusals():
            yield Stop("classify_error", {"request": requests.TOOLS, "model": model, "answer": answer})
    for model in subject.embedding_models[:1]:
        for body in (*answers.EMBEDDED, answers.embedding_list(1)):
            given = {
                "request": requests.EMBEDDINGS["one text"],
                "model": model,
                "answer": Answer(200, {}, body),
            }
            yield Stop("normalize_embeddings", given)
    for model in subject.models[:1]:
        headers = dict.fromkeys(subject.info.quota_headers, "7")
        yield Stop("read_quota", {"model": model, "answer": Answer(200, headers)})
    for body in answers.LISTS:
        yield Stop("read_models", {"answer": Answer(200, {}, body)})


def _streams(subject: Subject) -> Iterator[Stop]:
    for model in subject.chat_models[:1]:
        for data in answers.STREAMS.values():
            given = {"request": requests.TOOLS_STREAM, "model": model}
            yield Stop("normalize_stream", given, answers.events(data))


def _keys(subject: Subject) -> Iterator[Stop]:
    for hook in ("check_key", "list_models"):
        yield Stop(hook, {"key": subject.key})
    probes = len(subject.ask("check_key", key=subject.key)) if "check_key" in subject.hooks else 0
    for status in (0, 200, 401, 403, 429, 503):
        for body in _VERDICTS:
            given = [Answer(status, {}, body, "t" if body is None else "")] * probes
            if probes:
                yield Stop("judge_key", {"key": subject.key, "answers": given})


def _cases(subject: Subject) -> Iterator[Stop]:
    """Iterate over what the golden cases give to the hooks: the provider's own dialect."""
    for case in subject.sound_cases():
        content, model, request = case.content, case.model(subject.models), case.request()
        given = {"request": request, "model": model}
        embeds = isinstance(request, EmbeddingRequest)
        yield Stop("translate_embeddings" if embeds else "translate_request", {**given, "key": subject.key})
        if "answer" in content:
            answer = case.answer()
            whole = "normalize_embeddings" if embeds else "normalize_response"
            refusing = {**given, "request": ChatRequest(messages=())} if embeds else given
            good = 200 <= answer.status < 300
            yield Stop(
                whole if good else "classify_error", {**(given if good else refusing), "answer": answer}
            )
        if "events" in content:
            yield Stop("normalize_stream", given, case.events())
