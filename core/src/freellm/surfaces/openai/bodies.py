"""What every request's body has: a JSON object, a model's name, and fields that may be wrong."""

from __future__ import annotations

from typing import Any

import orjson

from freellm.errors import RequestError
from freellm.types import Json

DEEPEST = 200
"""Levels of nesting a body may have. What leaves again is nested a little deeper, and orjson writes 254 levels."""


def decoded(body: bytes) -> Json:
    """Return a body's JSON object.

    :raises RequestError: when it is none, or nested too deeply
    """
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(
            f"the body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            code="invalid_json",
        ) from None
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_deep(raw):
        raise RequestError(f"the body is nested deeper than {DEEPEST} levels", code="invalid_json")
    if not isinstance(raw, dict):
        raise RequestError(f"the body must be a JSON object; got {type(raw).__name__}", code="invalid_json")
    return raw


def _is_deep(raw: Any) -> bool:
    """Tell whether writing a value fails once it is wrapped in as many levels as orjson allows it to have more."""
    for _ in range(254 - DEEPEST):
        raw = [raw]
    try:
        orjson.dumps(raw)
    except TypeError:
        return True
    return False


def model_name(raw: Json) -> str:
    """Return the model that a request asks for, `auto` when it names none.

    :raises RequestError: when it is no name
    """
    model = raw.get("model")
    if model is None or model == "":
        return "auto"
    if not isinstance(model, str) or len(model) > 200:
        raise wrong("model", "a model's name or 'auto'", model)
    return model


def wrong(param: str, expected: str, value: Any) -> RequestError:
    """Return the refusal of a field's value.

    :param param: the field, as a path such as `messages[2].content`
    :param expected: what it must be
    """
    return RequestError(f"{param} must be {expected}; got {repr(value)[:60]}", param=param)
