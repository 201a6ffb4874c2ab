"""Lists of models: how the service is asked for its own, and what is read from it."""

from __future__ import annotations

from freellm.testing import answers
from freellm.testing.breach import BreachError
from freellm.testing.checks.requests import check_sendable
from freellm.testing.subject import Subject
from freellm.types import Answer, ListedModel, Upstream


def asked(subject: Subject) -> None:
    """`list_models` says how to ask for the list."""
    for upstream in subject.ask("list_models", (list, tuple), key=subject.key):
        if not isinstance(upstream, Upstream):
            raise BreachError(
                f"lists a {type(upstream).__name__}", hook="list_models", cure="list Upstream objects"
            )
        check_sendable(upstream, "list_models")


def read(subject: Subject) -> None:
    """Whatever stands in the answer, `read_models` lists `ListedModel` with an id each; nothing when it is no list."""
    for body in answers.LISTS:
        for listed in subject.ask("read_models", (list, tuple), answer=Answer(200, {}, body)):
            if not isinstance(listed, ListedModel) or not listed.id:
                raise BreachError(
                    f"lists {listed!r}", hook="read_models", example=body,
                    cure="list a ListedModel for each row that has an id, and pass over the others",
                )  # fmt: skip


CHECKS = (asked, read)
