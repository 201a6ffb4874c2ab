"""Generated: the same rules over what hypothesis thinks up, the same examples in every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from freellm.testing import generating, requests
from freellm.testing.breach import BreachError, NotApplicableError
from freellm.testing.checks.answers import normalize
from freellm.testing.checks.refusals import classify
from freellm.testing.checks.requests import check_sendable, translate
from freellm.testing.hearing import hear
from freellm.testing.subject import Subject
from freellm.testing.tour import Stop, walk
from freellm.types import Answer, ChatRequest, EmbeddingRequest, Event, Failure, Upstream


def generated_requests(subject: Subject) -> None:
    """Every request that a client may make becomes an `Upstream` or a `Failure`, and stays as it is."""
    models = subject.chat_models
    _ = subject.chat_model

    def rule(request: ChatRequest) -> None:
        for model in models:
            translate(subject, request, model)
        arguments = {"request": request, "model": models[0], "key": subject.key}
        before = repr(arguments)
        walk(subject, Stop("translate_request", arguments))
        if repr(arguments) != before:
            raise BreachError(
                "changes its argument request", hook="translate_request", example=request,
                cure="build a new body; other attempts use this request too",
            )  # fmt: skip

    _try(subject, rule, generating.chat_requests())


def generated_answers(subject: Subject) -> None:
    """Every JSON in a 2xx answer becomes a completion of OpenAI's grammar or a `Failure`."""
    own = _own_bodies(subject, good=True)
    _ = subject.chat_model

    def rule(body: Any) -> None:
        normalize(subject, requests.TOOLS, Answer(200, {}, body))

    _try(subject, rule, generating.whole_bodies(own))


def generated_refusals(subject: Subject) -> None:
    """Every refusal, whatever its body and headers, becomes a sane `Failure`."""
    own = _own_bodies(subject, good=False)
    _ = subject.chat_model
    _try(subject, lambda answer: classify(subject, requests.TOOLS, answer), generating.refusals(own))


def generated_streams(subject: Subject) -> None:
    """Every sequence of events becomes chunks of OpenAI's grammar or a `Failure`."""
    own = [case.events() for case in subject.cases if case.content.get("events")]
    _ = subject.chat_model

    def rule(events: list[Event]) -> None:
        hear(subject, requests.TOOLS_STREAM, subject.chat_model, events)

    _try(subject, rule, generating.streams(own))


def generated_embeddings(subject: Subject) -> None:
    """Every text to embed becomes an `Upstream` or a `Failure`."""
    _ = subject.embedding_model

    def rule(request: EmbeddingRequest) -> None:
        for model in subject.embedding_models:
            found = subject.ask(
                "translate_embeddings", (Upstream, Failure), request=request, model=model, key=subject.key
            )
            if isinstance(found, Upstream):
                check_sendable(found, "translate_embeddings", request)

    _try(subject, rule, generating.embedding_requests())


def _own_bodies(subject: Subject, *, good: bool) -> list[Any]:
    return [
        case.content["answer"]["body"]
        for case in subject.cases
        if "body" in case.content.get("answer", {})
        and (200 <= case.content["answer"].get("status", 200) < 300) == good
    ]


def _try(subject: Subject, rule: Callable[[Any], object], strategy: SearchStrategy[Any]) -> None:
    """Check a rule with generated examples, and find the smallest that breaks it."""
    if subject.examples == 0:
        raise NotApplicableError("no examples were asked for")

    @settings(
        max_examples=subject.examples, derandomize=True, database=None, deadline=None,
        phases=(Phase.generate, Phase.shrink), verbosity=Verbosity.quiet, report_multiple_bugs=False, print_blob=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def examined(example: Any) -> None:
        rule(example)

    try:
        examined()
    except Flaky as error:
        raise BreachError(
            f"a hook answers the same example well and badly by turns: {error}",
            cure="keep no state and ask no clock and no chance",
        ) from error


CHECKS = (generated_requests, generated_answers, generated_refusals, generated_streams, generated_embeddings)
