"""Embeddings: texts become something to send, and what comes back is a vector for each of them or a `Failure`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from freellm.declarations import Model
from freellm.testing import answers, requests
from freellm.testing.breach import BreachError
from freellm.testing.checks.requests import check_sendable
from freellm.testing.subject import Subject
from freellm.types import Answer, EmbeddingRequest, Failure, Json, Upstream


def translated(subject: Subject) -> None:
    """Texts are sent to every model, with each of its dimensions; token ids to those that take them."""
    _ = subject.embedding_model
    for model in subject.embedding_models:
        for request in _requests(model):
            found = subject.ask(
                "translate_embeddings", (Upstream, Failure), request=request, model=model, key=subject.key
            )
            if isinstance(found, Failure):
                raise BreachError(
                    f"refuses a request that {model.id!r} takes: {found.message}", hook="translate_embeddings",
                    example=request, cure="translate it, or correct dimensions and token_inputs in the model",
                )  # fmt: skip
            check_sendable(found, "translate_embeddings", request)


def token_ids(subject: Subject) -> None:
    """Lists of token ids are refused by a model that does not take them, and the failure names `input`."""
    _ = subject.embedding_model
    request = requests.EMBEDDINGS["token ids"]
    for model in (model for model in subject.embedding_models if not model.token_inputs):
        found = subject.ask(
            "translate_embeddings", (Upstream, Failure), request=request, model=model, key=subject.key
        )
        if not isinstance(found, Failure) or found.param != "input":
            raise BreachError(
                f"sends token ids to {model.id!r}, which takes none, or refuses them without saying so",
                hook="translate_embeddings", example=request,
                cure="set token_inputs if it takes them, else answer a Failure with param='input'",
            )  # fmt: skip


def _requests(model: Model) -> Iterator[EmbeddingRequest]:
    for name, request in requests.EMBEDDINGS.items():
        if name != "token ids" or model.token_inputs:
            yield request
    for length in model.dimensions:
        yield msgspec.structs.replace(requests.EMBEDDINGS["one text"], dimensions=length)


def vectors(subject: Subject) -> None:
    """Whatever stands in a 2xx answer, it becomes one vector of numbers for each input, in order, or a `Failure`."""
    request = requests.EMBEDDINGS["three texts"]
    for body in (*answers.EMBEDDED, answers.embedding_list(2), answers.embedding_list(3), *answers.WHOLE):
        found = subject.ask(
            "normalize_embeddings", (dict, Failure),
            request=request, model=subject.embedding_model, answer=Answer(200, {}, body),
        )  # fmt: skip
        if isinstance(found, dict) and (problem := _not_a_list(found, len(request.inputs))):
            raise BreachError(
                f"answers {problem}", hook="normalize_embeddings", example=body,
                cure="return {'data': [{'index': 0, 'embedding': [...]}, ...]} with every index, or a Failure",
            )  # fmt: skip


def _not_a_list(body: Json, inputs: int) -> str | None:
    rows: Any = body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "no list of vectors"
    if [row.get("index") for row in rows] != list(range(inputs)):
        return f"{len(rows)} vectors for {inputs} inputs, or out of order"
    for row in rows:
        vector = row.get("embedding")
        if not isinstance(vector, list) or not all(type(number) in (int, float) for number in vector):
            return "a vector that is no list of numbers"
    return None


CHECKS = (translated, token_ids, vectors)
