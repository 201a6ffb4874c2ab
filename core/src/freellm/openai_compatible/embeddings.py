"""Embeddings as OpenAI's wire has them."""

from __future__ import annotations

import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from freellm.declarations import Model
from freellm.types import EmbeddingRequest, Failure, Json, Kind

COMMON: Final = frozenset({"user"})
"""What OpenAI's embeddings take besides the model, the input and the dimensions."""


class EmbeddingsWire(msgspec.Struct, frozen=True):
    """How a service's embeddings requests differ from OpenAI's.

    :param path: where embeddings are made, relative to the base URL
    :param forward: the parameters it takes besides the input and the dimensions; all others are dropped
    :param constants: for each model, members of the body that are sent unless the request states them
    :param renames: the service's names for members of the body, such as `dimensions`
    """

    path: str = "/embeddings"
    forward: frozenset[str] = COMMON
    constants: Mapping[str, Json] = {}
    renames: Mapping[str, str] = {}

    def body(self, request: EmbeddingRequest, model: Model) -> Json | Failure:
        """Return the body to send, or a failure when the model cannot take the request."""
        if not model.token_inputs and any(not isinstance(text, str) for text in request.inputs):
            return no_tokens(model)
        body: Json = {"model": model.id, **self.constants.get(model.id, {})}
        body |= {name: value for name, value in request.parameters.items() if name in self.forward}
        body |= {"input": list(request.inputs), "encoding_format": "float"}
        if request.dimensions is not None and request.dimensions != model.dimensions[0]:
            body["dimensions"] = request.dimensions
        return {self.renames.get(name, name): value for name, value in body.items()} if self.renames else body

    def dropped(self, request: EmbeddingRequest) -> tuple[str, ...]:
        """Return the request's parameters that the service does not take."""
        return tuple(name for name in request.parameters if name not in self.forward)


def no_tokens(model: Model) -> Failure:
    """Return the refusal of token ids by a model that takes texts only."""
    return Failure(
        kind=Kind.BAD_REQUEST,
        message=f"{model.id} takes texts, not token ids; send input as a string or a list of strings "
        "(LangChain: check_embedding_ctx_length=False)",
        param="input",
    )


def repaired_embeddings(body: Any, inputs: int) -> Json | Failure:
    """Return an OpenAI embedding list in the order of the inputs, or say what is wrong with it.

    :param inputs: how many vectors were asked for
    """
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list) or len(rows) != inputs:
        found = len(rows) if isinstance(rows, list) else "no list"
        return Failure(kind=Kind.BAD_ANSWER, message=f"{inputs} vectors were asked for, {found} came")
    vectors: dict[int, list[float]] = {}
    for place, row in enumerate(rows):
        vector = _vector(row.get("embedding")) if isinstance(row, dict) else None
        if vector is None:
            return Failure(kind=Kind.BAD_ANSWER, message="the answer holds what is no vector")
        index = row.get("index")
        vectors[index if type(index) is int else place] = vector
    if vectors.keys() != set(range(inputs)):
        return Failure(kind=Kind.BAD_ANSWER, message="the vectors' indexes are not those of the inputs")
    usage = body.get("usage")
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vectors[index]} for index in range(inputs)
        ],
        **({"usage": usage} if isinstance(usage, dict) else {}),
    }


def _vector(given: object) -> list[float] | None:
    """Return a vector of floats, or of base64 if the service insists on it; None when it is neither."""
    if isinstance(given, str):
        try:
            packed = b64decode(given, validate=True)
            return list(struct.unpack(f"<{len(packed) // 4}f", packed))
        except (Base64Error, struct.error):
            return None
    if not isinstance(given, list) or not given:
        return None
    return given if all(type(number) in (float, int) for number in given) else None
