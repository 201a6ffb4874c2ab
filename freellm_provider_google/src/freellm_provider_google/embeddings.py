"""An embeddings request becomes embedContent or batchEmbedContents, and their vectors an OpenAI list."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from freellm import Answer, ChatRequest, EmbeddingRequest, Failure, Json, Key, Kind, Model, Upstream
from freellm_provider_google.refusals import classify
from freellm_provider_google.requests import key_header

_TASK_MODELS: Final = frozenset({"gemini-embedding-001"})
"""Models that take `taskType`; gemini-embedding-2 wants it said in the text itself, which is the client's to change."""

_TASKS: Final[Mapping[str, str]] = {
    "query": "RETRIEVAL_QUERY",
    "search_query": "RETRIEVAL_QUERY",
    "passage": "RETRIEVAL_DOCUMENT",
    "document": "RETRIEVAL_DOCUMENT",
    "search_document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "semantic_similarity": "SEMANTIC_SIMILARITY",
    "question_answering": "QUESTION_ANSWERING",
    "fact_verification": "FACT_VERIFICATION",
    "code_retrieval_query": "CODE_RETRIEVAL_QUERY",
    "retrieval_query": "RETRIEVAL_QUERY",
    "retrieval_document": "RETRIEVAL_DOCUMENT",
}
"""What clients call a task, in this service's, Cohere's and NVIDIA's words, and what it is called here."""

_TASK_FIELDS: Final = ("task_type", "input_type")


def translate_inputs(request: EmbeddingRequest, model: Model, key: Key) -> Upstream | Failure:
    """Return what to send: one text by itself, several as a batch; a `Failure` when they are token ids."""
    texts = [text for text in request.inputs if isinstance(text, str)]
    if len(texts) < len(request.inputs):
        return Failure(
            kind=Kind.BAD_REQUEST,
            message=f"{model.id} takes texts, not token ids; send input as a string or a list of strings "
            "(LangChain: check_embedding_ctx_length=False)",
            param="input",
        )
    task = _task(request.parameters) if model.id in _TASK_MODELS else None
    requests = [_embed_request(text, request, model, task) for text in texts]
    taken = () if task is None else _TASK_FIELDS
    return Upstream(
        method="POST",
        path=f"/models/{model.id}:{'embedContent' if len(texts) == 1 else 'batchEmbedContents'}",
        headers=key_header(key),
        body=requests[0] if len(texts) == 1 else {"requests": requests},
        dropped=[name for name in request.parameters if name not in taken],
    )


def _embed_request(text: str, request: EmbeddingRequest, model: Model, task: str | None) -> Json:
    body: Json = {"model": f"models/{model.id}", "content": {"parts": [{"text": text}]}}
    if task is not None:
        body["taskType"] = task
    if request.dimensions is not None and request.dimensions != model.dimensions[0]:
        body["outputDimensionality"] = request.dimensions
    return body


def _task(parameters: Json) -> str | None:
    for field in _TASK_FIELDS:
        stated = parameters.get(field)
        if isinstance(stated, str) and stated.lower() in _TASKS:
            return _TASKS[stated.lower()]
    return None


def embedding_list(request: EmbeddingRequest, model: Model, answer: Answer) -> Json | Failure:
    """Return the vectors in order, each of length 1; the service states no usage with most models."""
    body = answer.body
    if isinstance(body, Mapping) and "error" in body:
        return classify(ChatRequest(messages=()), answer)
    vectors = [_values(row) for row in _rows(body)]
    if len(vectors) != len(request.inputs) or any(vector is None for vector in vectors):
        message = f"{len(request.inputs)} vectors were asked for, {len(vectors)} came"
        return Failure(kind=Kind.BAD_ANSWER, message=message)
    data = [
        {"object": "embedding", "index": index, "embedding": _normalised(vector)}
        for index, vector in enumerate(vectors)
        if vector is not None
    ]
    tokens = _tokens(body)
    usage = {} if tokens is None else {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    return {"object": "list", "data": data, **usage}


def _rows(body: Any) -> Sequence[Any]:
    if not isinstance(body, Mapping):
        return ()
    rows = body.get("embeddings", body.get("embedding"))
    return rows if isinstance(rows, list) else () if rows is None else (rows,)


def _values(row: Any) -> list[float] | None:
    values = row.get("values") if isinstance(row, Mapping) else None
    if not isinstance(values, list) or not values:
        return None
    return values if all(type(value) in (float, int) for value in values) else None


def _normalised(vector: list[float]) -> list[float]:
    """Return a vector of length 1: gemini-embedding-001 cuts a shorter one out of its usual one and leaves it so."""
    length = math.hypot(*vector)
    if length == 0 or abs(length - 1) < 1e-6:
        return vector
    return [value / length for value in vector]


def _tokens(body: Json) -> int | None:
    usage = body.get("usageMetadata")
    count = usage.get("promptTokenCount") if isinstance(usage, Mapping) else None
    return count if type(count) is int else None
