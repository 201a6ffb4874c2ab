"""What the API answers: JSON of a type, or a refusal that names the field and the cure."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, TypeAlias, TypeVar

import msgspec
from aiohttp import web

from freellm_dashboard.headers import API
from freellm_dashboard.shapes.wire import Problem, Refusal

_encode = msgspec.json.Encoder().encode
_FIELD = re.compile(r"(?:unknown|missing required) field `([^`]*)`")
_Body = TypeVar("_Body")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RefusedError(Exception):
    """A request of the dashboard is refused.

    :param message: what is wrong, in words for a person
    :param status: the HTTP status
    :param field: the field of the body or the query that is to be changed
    :param cure: what to do
    :param retry_after: seconds after which the same may be tried again
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 422,
        field: str | None = None,
        cure: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem = Problem(message=message, field=field, cure=cure)
        self.retry_after = retry_after

    def render(self) -> web.Response:
        """Return the answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(math.ceil(self.retry_after))}
        return answer(Refusal(error=self.problem), self.status, headers)


def answer(told: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return something as JSON.

    :param told: what msgspec can encode
    :param headers: headers beside those of every answer
    """
    return web.Response(
        body=_encode(told),
        status=status,
        headers={**API, "Content-Type": "application/json", **(headers or {})},
    )


async def body_of(request: web.Request, kind: type[_Body], most: int) -> _Body:
    """Read a body.

    :param kind: the type it has to be of
    :param most: bytes it may have
    :raises RefusedError: when it is larger, no JSON, or not of that type; names the field
    """
    if (request.content_length or 0) > most:
        raise RefusedError("the body is too large", status=413, cure=f"send at most {most} bytes")
    data = await request.read()
    if len(data) > most:
        raise RefusedError("the body is too large", status=413, cure=f"send at most {most} bytes")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise mismatch(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RefusedError("the body is no JSON", status=400, cure="send a JSON object") from None


def mismatch(error: msgspec.ValidationError) -> RefusedError:
    """Return the refusal of what is not of its type, with the field in question."""
    message, _, path = str(error).partition(" - at `$")
    named = _FIELD.search(message)
    field = ".".join(filter(None, (path.strip(".`"), named[1] if named else "")))
    return RefusedError(message, field=field or None, cure="GET /api/openapi.json says what is expected")


def answering(handler: Handler) -> Handler:
    """Return a handler that answers what it refuses."""

    @wraps(handler)
    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as refused:
            return refused.render()

    return answered
