"""The request log: which requests were served by whom, and how each attempt went. Never what was said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from freellm.routing import Cause, PassedOver
from freellm.store.bulk import insert
from freellm.store.database import Connection
from freellm.types import Kind

PASSED_OVER_KEPT: Final = 50
"""Routes that were passed over for one request and are remembered with their reasons, at most."""

_MESSAGE_LENGTH: Final = 500
_PRUNED_AT_ONCE: Final = 5_000


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One client request, when it is over.

    :param id: the id that the client saw in `X-Request-Id`
    :param created: Unix time of its arrival
    :param surface: the wire format it came in
    :param requested: the `model` the client asked for
    :param provider: who answered; None when nobody did
    :param model: the model that answered
    :param key: the id of the key that was used
    :param status: the HTTP status the client got; 499 when the client left before that
    :param error: the error's code, when it failed
    :param stream: whether the answer was streamed
    :param attempts: how many upstream requests it took
    :param input_tokens: tokens of the prompt
    :param output_tokens: tokens of the answer
    :param estimated: whether the two are freellm's estimate, because the provider did not say
    :param first_delta_ms: milliseconds until the first delta of a stream
    :param duration_ms: milliseconds until the last byte
    :param overhead_ms: milliseconds of these that freellm itself took
    :param session: a hash of the conversation, when there is one
    :param passed_over: the first 50 that were passed over for it, and why
    """

    id: str
    created: float
    surface: str
    requested: str
    provider: str | None = None
    model: str | None = None
    key: str | None = None
    status: int
    error: str | None = None
    stream: bool = False
    attempts: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    estimated: bool = False
    first_delta_ms: float | None = None
    duration_ms: float
    overhead_ms: float | None = None
    session: str | None = None
    passed_over: Sequence[PassedOver] = ()


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One upstream request.

    :param request: the id of the client request it was made for
    :param number: 1 for the first attempt
    :param provider: who was asked
    :param model: for which model
    :param key: the id of the key that was used
    :param kind: the failure's kind, or `ok`
    :param status: the provider's HTTP status; None when there was no answer
    :param started: Unix time
    :param first_byte_ms: milliseconds until the answer's first byte
    :param duration_ms: milliseconds until it was over
    :param message: the provider's own words, secrets removed; cut to 500 characters
    :param quota: what was used of the route's quotas when it was over, in words for a person
    :param passed_over: how many had been passed over before it
    """

    request: str
    number: int
    provider: str
    model: str
    key: str
    kind: str = "ok"
    status: int | None = None
    started: float
    first_byte_ms: float | None = None
    duration_ms: float | None = None
    message: str = ""
    quota: str = ""
    passed_over: int = 0


class LoggedRequest(msgspec.Struct, frozen=True):
    """A request as it was logged, with its attempts in the order they were made.

    :param request: None while the request is still being served
    :param attempts: those that are logged so far
    """

    request: RequestRecord | None
    attempts: list[AttemptRecord]


# The columns stand in the order of the struct's fields.
_INSERT_REQUEST: Final = """
    INSERT OR REPLACE INTO requests (
        id, created, surface, requested, provider, model, key, status, error, stream, attempts,
        input_tokens, output_tokens, estimated, first_delta_ms, duration_ms, overhead_ms, session, passed_over
    ) VALUES"""
_INSERT_ATTEMPT: Final = """
    INSERT OR REPLACE INTO attempts (
        request, number, provider, model, key, kind, status, started, first_byte_ms, duration_ms, message, quota,
        passed_over
    ) VALUES"""


class _Note(msgspec.Struct, array_like=True):
    """One reason in the column `passed_over`: as `PassedOver`, and waiting that does not help is null."""

    name: str
    key: str | None
    cause: Cause
    detail: str
    opens_at: float | None
    kind: Kind | None


class RequestLog:
    """Reads and writes the request log. Written in bulk: a power cut may take the last second of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, requests: Sequence[RequestRecord], attempts: Sequence[AttemptRecord]) -> None:
        """Write records; one that is there already is replaced, so that a repeated batch does no harm."""
        with self._connection.writing() as database:
            insert(database.conn, _INSERT_REQUEST, map(_request_row, requests))
            insert(database.conn, _INSERT_ATTEMPT, map(_attempt_row, attempts))

    def get(self, request: str) -> LoggedRequest | None:
        """Return what is logged of one request, or None when nothing is."""
        with self._connection.reading() as database:
            rows = list(database.query("SELECT * FROM requests WHERE id = ?", [request]))
            tried = list(
                database.query("SELECT * FROM attempts WHERE request = ? ORDER BY number", [request])
            )
        if not rows and not tried:
            return None
        attempts = [msgspec.convert(row, AttemptRecord, strict=False) for row in tried]
        return LoggedRequest(_request(rows[0]) if rows else None, attempts)

    def prune(self, before: float) -> int:
        """Delete what is older than a Unix time, at most 5,000 rows of each kind; return how many rows went."""
        with self._connection.writing() as database:
            requests = database.execute(
                "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE created < ? LIMIT ?)",
                [before, _PRUNED_AT_ONCE],
            )
            attempts = database.execute(
                "DELETE FROM attempts WHERE (request, number) IN"
                " (SELECT request, number FROM attempts WHERE started < ? LIMIT ?)",
                [before, _PRUNED_AT_ONCE],
            )
            return requests.rowcount + attempts.rowcount


def _attempt_row(attempt: AttemptRecord) -> tuple[Any, ...]:
    if len(attempt.message) > _MESSAGE_LENGTH:
        attempt = msgspec.structs.replace(attempt, message=attempt.message[:_MESSAGE_LENGTH])
    return msgspec.structs.astuple(attempt)


def _request_row(request: RequestRecord) -> tuple[Any, ...]:
    """Return a request's row. Reasons are put into words only here, where no request waits."""
    *row, passed_over = msgspec.structs.astuple(request)
    return (*row, msgspec.json.encode([_note(one) for one in passed_over]).decode() if passed_over else "[]")


def _request(row: dict[str, Any]) -> RequestRecord:
    notes = msgspec.json.decode(row["passed_over"], type=list[_Note])
    passed_over = tuple(_passed_over(note) for note in notes)
    flags = {name: bool(row[name]) for name in ("stream", "estimated")}
    return RequestRecord(**{**row, **flags, "passed_over": passed_over})


def _note(one: PassedOver) -> _Note:
    opens_at = one.opens_at if math.isfinite(one.opens_at) else None
    return _Note(one.name, one.key, one.cause, one.detail[:_MESSAGE_LENGTH], opens_at, one.kind)


def _passed_over(note: _Note) -> PassedOver:
    opens_at = math.inf if note.opens_at is None else note.opens_at
    return PassedOver(note.name, note.cause, note.detail, opens_at, note.kind, note.key)
