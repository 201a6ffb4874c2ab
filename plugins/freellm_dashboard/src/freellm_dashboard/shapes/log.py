"""The request log: what was asked, who answered, and every attempt on the way."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from freellm_dashboard.shapes.wire import Answer, Body


class RequestRow(Answer, frozen=True, kw_only=True):
    """One request of a client, as it is logged. What was said is not.

    :param id: its id, as in `X-Request-Id`
    :param created: Unix time of its arrival
    :param surface: the wire format that the client spoke
    :param requested: the `model` that was asked for
    :param provider: who answered last, well or not; null: nobody was asked
    :param model: with which model
    :param key: the id of the key
    :param key_label: what the user calls the key
    :param status: the HTTP status that the client got
    :param ok: whether the client got an answer
    :param error: the code of the error that the client got
    :param stream: whether the answer was streamed
    :param attempts: how many requests to providers it took
    :param input_tokens: tokens of the prompt
    :param output_tokens: tokens of the answer
    :param estimated: whether the two are freellm's estimate
    :param first_delta_ms: milliseconds to the first delta of a stream
    :param duration_ms: milliseconds to the last byte
    :param overhead_ms: milliseconds of these that freellm itself took
    """

    id: str
    created: float
    surface: str
    requested: str
    provider: str | None
    model: str | None
    key: str | None
    key_label: str | None
    status: int
    ok: bool
    error: str | None
    stream: bool
    attempts: int
    input_tokens: int | None
    output_tokens: int | None
    estimated: bool
    first_delta_ms: float | None
    duration_ms: float
    overhead_ms: float | None


Sort = Literal["created", "duration_ms", "first_delta_ms", "attempts", "output_tokens"]
"""What the log can be sorted by."""


class LogQuery(Body, frozen=True, kw_only=True):
    """Which requests to list.

    :param before: the `next` of the page before; null is the first page
    :param limit: how many
    :param provider: who answered
    :param model: the provider's own id of the model
    :param key: the id of the key
    :param outcome: what the client got
    :param q: a piece of the id, of what was asked for, of the model, or of the error
    :param sort: the largest of these first
    :param since: Unix time; no earlier ones
    """

    before: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    provider: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    model: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    key: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    outcome: Literal["all", "ok", "failed", "fell_back"] = "all"
    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    sort: Sort = "created"
    since: float | None = None


class Requests(Answer, frozen=True, kw_only=True):
    """A page of the log.

    :param requests: the requests
    :param next: what the next page is asked for by; null: there is none
    """

    requests: list[RequestRow]
    next: str | None


class Attempt(Answer, frozen=True, kw_only=True):
    """One request to a provider.

    :param number: 1 for the first
    :param provider: who was asked
    :param model: for which model
    :param key: the id of the key
    :param key_label: what the user calls the key
    :param kind: the kind of failure, or `ok`, or `cancelled` when the client left during its answer
    :param status: the provider's HTTP status; null: there was no answer
    :param started: Unix time
    :param first_byte_ms: milliseconds to the first byte
    :param duration_ms: milliseconds until it was over
    :param message: the provider's own words, without secrets
    :param quota: what was used of its quotas then
    :param passed_over: how many routes had been passed over before it
    """

    number: int
    provider: str
    model: str
    key: str
    key_label: str | None
    kind: str
    status: int | None
    started: float
    first_byte_ms: float | None
    duration_ms: float | None
    message: str
    quota: str
    passed_over: int


class PassedOver(Answer, frozen=True, kw_only=True):
    """A route that was not asked, and why.

    :param name: `provider/model`
    :param key: the id of its key; null: every key
    :param key_label: what the user calls the key
    :param cause: why, for programs
    :param detail: why, for people
    :param opens_at: Unix time at which it would do; null: waiting does not help
    """

    name: str
    key: str | None
    key_label: str | None
    cause: str
    detail: str
    opens_at: float | None


class RequestDetail(Answer, frozen=True, kw_only=True):
    """One request and its ladder.

    :param request: the request; null while it is being served
    :param attempts: in the order in which they were made, the one that answered included
    :param passed_over: in the order in which they would have been asked
    """

    request: RequestRow | None
    attempts: list[Attempt]
    passed_over: list[PassedOver]
