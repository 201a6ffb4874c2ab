"""Gemini's embedContent and batchEmbedContents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn

from freellm_simulator.exchange import Json, RefusedError
from freellm_simulator.tokens import count
from freellm_simulator.vectors import vector
from freellm_simulator.wires.google_names import EMBEDDING, camel
from freellm_simulator.worlds import Facts

MOST_IN_A_BATCH = 100
SHORTEST = 128
"""The shortest vector that can be asked for."""

_TASKS = frozenset(
    {
        "RETRIEVAL_QUERY",
        "RETRIEVAL_DOCUMENT",
        "SEMANTIC_SIMILARITY",
        "CLASSIFICATION",
        "CLUSTERING",
        "QUESTION_ANSWERING",
        "FACT_VERIFICATION",
        "CODE_RETRIEVAL_QUERY",
    }
)


def embed(body: Json, facts: Facts, seed: int, *, batch: bool) -> tuple[Json, int]:
    """Return the answer to a request, and the tokens it counts.

    :raises RefusedError: when the service would refuse it
    """
    try:
        requests = _requests(camel(body), facts, batch=batch)
        texts = [_text(request) for request in requests]
        values = [_values(text, request, facts, seed) for text, request in zip(texts, requests, strict=True)]
    except (KeyError, TypeError, AttributeError) as error:
        raise RefusedError("bad_request", f"Invalid value: {error!r}") from error
    tokens = sum(map(count, texts))
    found: Json = (
        {"embeddings": [{"values": each} for each in values]}
        if batch
        else {"embedding": {"values": values[0]}}
    )
    if "usage" in facts.quirks:
        found["usageMetadata"] = {"promptTokenCount": tokens}
    return found, tokens


def _requests(body: Json, facts: Facts, *, batch: bool) -> Sequence[Json]:
    requests = body.get("requests") if batch else [body]
    if not requests:
        _refuse("* BatchEmbedContentsRequest.requests: requests is not specified")
    if len(requests) > MOST_IN_A_BATCH:
        _refuse(
            f"* BatchEmbedContentsRequest.requests: at most {MOST_IN_A_BATCH} requests can be in one batch"
        )
    for at, request in enumerate(requests):
        for name in request:
            if name not in EMBEDDING:
                _refuse(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        if batch and request.get("model") != f"models/{facts.id}":
            _refuse(
                f"* BatchEmbedContentsRequest.requests[{at}].model: the model must be that of the request's path"
            )
        if request.get("taskType") not in (None, *_TASKS):
            _refuse(f"Invalid value at 'requests[{at}].task_type': {request['taskType']}")
    return list(requests)


def _text(request: Json) -> str:
    text = "".join(part["text"] for part in request["content"]["parts"])
    if not text:
        _refuse("* EmbedContentRequest.content: contents.parts must not be empty.")
    return text


def _values(text: str, request: Json, facts: Facts, seed: int) -> list[float]:
    """Return a text's vector: a shorter one is the beginning of the usual one, and some models leave it so."""
    if (tokens := count(text)) > facts.context:
        raise RefusedError("context_exceeded", tokens=tokens, context=facts.context)
    longest = facts.dimensions[0]
    size = request.get("outputDimensionality", longest)
    if not SHORTEST <= size <= longest:
        _refuse(f"output_dimensionality must be from {SHORTEST} to {longest}.")
    values = vector(seed, facts, text, longest)[:size]
    if "cuts" in facts.quirks:
        return values
    length = math.hypot(*values)
    return [value / length for value in values]


def _refuse(words: str) -> NoReturn:
    raise RefusedError("bad_request", words)
