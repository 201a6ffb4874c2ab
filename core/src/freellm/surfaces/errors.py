"""Rendering refusals as the OpenAI SDKs read them: four keys, always, and the headers that steer retries."""

from __future__ import annotations

import math
from collections.abc import Mapping

import orjson
from aiohttp import web

from freellm.errors import RequestError
from freellm.types import Json

LONGEST_RETRY = 120.0
"""Seconds of Retry-After that the OpenAI SDKs still wait for (measured with openai 3.54.0)."""


def body_of(error: RequestError, request_id: str) -> Json:
    """Return the error object of an answer or of an in-band frame."""
    told = {"request_id": request_id, **error.details}
    if error.suggestions:
        told["suggestions"] = list(error.suggestions)
    return {
        "error": {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
            "x_freellm": told,
        }
    }


def headers_of(error: RequestError, request_id: str) -> dict[str, str]:
    """Return the headers of an answer: when to retry, and whether that makes sense."""
    headers = {"Content-Type": "application/json", "X-Request-Id": request_id}
    wait = error.retry_after
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
        headers["Retry-After-Ms"] = str(math.ceil(wait * 1000))
    headers["X-Should-Retry"] = "true" if wait is not None and wait <= LONGEST_RETRY else "false"
    return headers


def render(error: RequestError, request_id: str, extra: Mapping[str, str] | None = None) -> web.Response:
    """Return the whole answer.

    :param extra: headers to add
    """
    headers = headers_of(error, request_id)
    if extra:
        headers.update(extra)
    return web.Response(body=orjson.dumps(body_of(error, request_id)), status=error.status, headers=headers)
