"""Answers: whatever a service answers becomes a completion, or a `Failure`."""

from __future__ import annotations

from typing import Final

from freellm.testing import answers, requests
from freellm.testing.breach import BreachError
from freellm.testing.copying import copied
from freellm.testing.grammar_whole import check_completion
from freellm.testing.subject import Subject
from freellm.types import Answer, ChatRequest, Failure, Json

NO_USAGE: Final[Json] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def completions(subject: Subject) -> None:
    """Whatever stands in a 2xx answer, it becomes a completion of OpenAI's grammar or a `Failure`; nothing raises."""
    for answer in answers.whole_answers():
        for request in (requests.PLAIN, requests.TOOLS):
            normalize(subject, request, answer)


def errors_in_answers(subject: Subject) -> None:
    """A 2xx answer that is an error, a web page or nothing at all is a `Failure`."""
    for body in (None, {}, {"error": {"message": "m"}}, {"error": {"message": "m", "code": 503}}):
        text = answers.CHALLENGE if body is None else ""
        found = normalize(subject, requests.PLAIN, Answer(200, {}, body, text))
        if not isinstance(found, Failure):
            raise BreachError(
                "makes a completion of an answer that is none", hook="normalize_response", example=body or text,
                cure="return a Failure when the answer is an error, is not JSON, or has no choice",
            )  # fmt: skip


def cases_answer(subject: Subject) -> None:
    """The answers of the golden cases keep to OpenAI's grammar too."""
    for case in subject.cases:
        content = case.content
        if "completion" in content and "answer" in content:
            request = case.request()
            if isinstance(request, ChatRequest):
                normalize(subject, request, case.answer())


def normalize(subject: Subject, request: ChatRequest, answer: Answer) -> Json | Failure:
    """Ask for a completion and check it."""
    found: Json | Failure = subject.ask(
        "normalize_response", (dict, Failure), request=request, model=subject.chat_model, answer=answer
    )
    if isinstance(found, dict):
        check(found, "normalize_response", answer.body)
    return found


def check(completion: Json, hook: str, example: object) -> None:
    """Check a completion as core completes it.

    :raises BreachError: when it breaks OpenAI's grammar
    """
    body = {
        "id": "c", "created": 1, "usage": NO_USAGE, **copied(completion), "object": "chat.completion", "model": "m",
    }  # fmt: skip
    body["id"], body["created"] = body["id"] or "c", body["created"] or 1
    body["usage"] = body["usage"] or NO_USAGE
    try:
        check_completion(body)
    except AssertionError as error:
        raise BreachError(
            f"makes a completion that breaks OpenAI's grammar: {error}", hook=hook, example=example,
            cure="one choice with index 0, an assistant's message with content, and a finish reason of OpenAI's",
        ) from error  # fmt: skip


CHECKS = (completions, errors_in_answers, cases_answer)
