"""Parsing an embeddings request: bytes in, a validated request out, every refusal naming its field and the cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from freellm.errors import RequestError
from freellm.surfaces.openai.bodies import decoded, model_name, wrong
from freellm.surfaces.openai.fields import Check, one_of, text, whole
from freellm.types import EmbeddingRequest, Json

MOST_INPUTS: Final = 2048
"""Inputs of one request at most, as at OpenAI."""

_OWN: Final = frozenset({"model", "input", "dimensions", "encoding_format"})
"""Fields that core reads itself; the others become parameters."""

_CHECKS: Final[Mapping[str, Check]] = {
    "dimensions": whole(1),
    "encoding_format": one_of("float", "base64"),
    "user": text,
}
_EXPECTED: Final = "a string, a list of strings, a list of token ids, or a list of lists of token ids"

Encoding = Literal["float", "base64"]


class ParsedEmbeddings(msgspec.Struct, frozen=True, kw_only=True):
    """An embeddings request as the client meant it.

    :param model: what it asked for
    :param request: the request for providers
    :param encoding: how it wants the vectors
    """

    model: str
    request: EmbeddingRequest
    encoding: Encoding


def parse_embeddings(body: bytes) -> ParsedEmbeddings:
    """Parse the body of `POST /v1/embeddings`.

    :raises RequestError: when it is not a request; names the field and the cure
    """
    raw = decoded(body)
    for name, check in _CHECKS.items():
        value = raw.get(name)
        if value is not None and (expected := check(value)) is not None:
            raise wrong(name, expected, value)
    return ParsedEmbeddings(
        model=model_name(raw),
        request=EmbeddingRequest(
            inputs=_inputs(raw),
            dimensions=raw.get("dimensions"),
            parameters={name: value for name, value in raw.items() if value is not None and name not in _OWN},
        ),
        encoding=raw.get("encoding_format") or "float",
    )


def _inputs(raw: Json) -> Sequence[str] | Sequence[Sequence[int]]:
    given = raw.get("input")
    if isinstance(given, str):
        return [_text(given, "input")]
    if not isinstance(given, list):
        raise wrong("input", _EXPECTED, given)
    if not given:
        raise _empty("input", "send at least one text")
    if type(given[0]) is int:
        return [_tokens(given, "input")]
    if len(given) > MOST_INPUTS:
        raise RequestError(
            f"input has {len(given)} members; send at most {MOST_INPUTS} in one request",
            param="input",
            code="too_many_inputs",
        )
    if isinstance(given[0], str):
        return [_text(member, f"input[{index}]") for index, member in enumerate(given)]
    return [_tokens(member, f"input[{index}]") for index, member in enumerate(given)]


def _text(given: Any, path: str) -> str:
    if not isinstance(given, str):
        raise wrong(path, "a string, as the members before it", given)
    if not given:
        raise _empty(path, "send a text of one character or more")
    return given


def _tokens(given: Any, path: str) -> Sequence[int]:
    if not isinstance(given, list):
        raise wrong(path, "a string or a list of token ids, the same kind for all members", given)
    if not given:
        raise _empty(path, "send one token id or more")
    for index, token in enumerate(given):
        if type(token) is not int or token < 0:
            raise wrong(f"{path}[{index}]", "a token id: a whole number of 0 or more", token)
    return given


def _empty(path: str, cure: str) -> RequestError:
    return RequestError(f"{path} is empty; {cure}", param=path, code="empty_input")
