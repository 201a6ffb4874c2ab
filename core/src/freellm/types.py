"""What crosses the border between core and a provider while a request is served.

Frozen msgspec structs, because they are made on the request path (0.2 µs each). What people write and core
reads once at start (models, quotas, key fields) is in `freellm.declarations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from freellm.secret import Secret

Json: TypeAlias = dict[str, Any]
"""A decoded JSON object."""

Scope: TypeAlias = Literal["route", "model", "key", "account", "ip", "provider"]
"""How much a failure or a reading speaks for.

`route`: this model with this key. `model`: this model with every key. `key`: every model with this key.
`account`: every key of this account. `ip`: every key used from this address. `provider`: all of it.
"""


class Kind(StrEnum):
    """What the router does next; see the failure table in docs/failures.md."""

    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    CONCURRENCY = "concurrency"
    TOO_LARGE = "too_large"
    CONTEXT_EXCEEDED = "context_exceeded"
    BAD_KEY = "bad_key"
    FORBIDDEN = "forbidden"
    PAYMENT_REQUIRED = "payment_required"
    MODEL_GONE = "model_gone"
    CONTENT_FILTERED = "content_filtered"
    BAD_REQUEST = "bad_request"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    NETWORK = "network"
    BAD_ANSWER = "bad_answer"
    CANCELLED = "cancelled"


class Key(msgspec.Struct, frozen=True):
    """A provider key, decrypted for one attempt.

    :param id: core's identifier of the key; not secret
    :param account: the account the key belongs to; its own fingerprint unless stated, derived or learned
    :param fields: the secrets by the names the provider declared as key fields
    :param base_url: the origin and path prefix that relative paths are joined to
    """

    id: str
    account: str
    fields: Mapping[str, Secret]
    base_url: str

    def reveal(self, field: str) -> str:
        """Return the text of one field.

        :raises KeyError: when the provider declared no such field
        """
        return self.fields[field].reveal()


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One chat request as a provider sees it: validated, in OpenAI's words, with one name for each thing.

    :param messages: OpenAI messages; roles are `system`, `user`, `assistant` and `tool` (`developer` has become
        `system`); remote images are data URIs where the model takes images inline
    :param parameters: the other fields of the body by OpenAI's names, nulls dropped. `max_tokens` stands for
        `max_completion_tokens` too; `tools` and `tool_choice` stand for the legacy `functions` and
        `function_call`; `stop` is a list. `model`, `messages`, `stream`, `stream_options` and `n` are not here.
        Unknown fields are, so a provider forwards only what its service takes
    :param stream: whether the answer is wanted as a stream of chunks
    :param kept: opaque state of earlier turns by tool call id, as this provider returned it in `keep`
    :param hints: what a provider told itself through `Failure.amend`; empty on a first attempt
    """

    messages: Sequence[Json]
    parameters: Json = {}
    stream: bool = False
    kept: Mapping[str, Any] = {}
    hints: frozenset[str] = frozenset()

    def without(self, *names: str, hint: str | None = None) -> ChatRequest:
        """Return a copy that lacks some parameters and, if one is given, carries one more hint.

        :param names: parameter names to drop; absent ones are ignored
        :param hint: a note the provider reads back from `hints` when it translates the copy
        """
        parameters = {name: value for name, value in self.parameters.items() if name not in names}
        hints = self.hints | {hint} if hint else self.hints
        return msgspec.structs.replace(self, parameters=parameters, hints=hints)


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One embeddings request as a provider sees it; core has split it by the model's `max_inputs`.

    :param inputs: texts, or lists of token ids, in the order in which the vectors are wanted; never empty
    :param dimensions: the length of vector wanted, one of the model's; None is the model's usual one
    :param parameters: the other fields of the body, nulls dropped. `model`, `input`, `dimensions` and
        `encoding_format` are not here: core turns floats into what the client asked for
    """

    inputs: Sequence[str] | Sequence[Sequence[int]]
    dimensions: int | None = None
    parameters: Json = {}


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model of a provider's own list. What the list does not say is None.

    :param id: the provider's own id
    :param title: its name for people
    :param free: whether it can be used without paying
    :param task: `chat` or `embeddings`; `other` for what freellm cannot ask, such as images
    :param context: tokens of input and output together
    :param max_output: tokens of output at most
    :param abilities: as in `Model.abilities`
    """

    id: str
    title: str | None = None
    free: bool | None = None
    task: Literal["chat", "embeddings", "other"] | None = None
    context: int | None = None
    max_output: int | None = None
    abilities: frozenset[str] | None = None


class Upstream(msgspec.Struct, frozen=True):
    """What to send to a provider.

    :param method: `GET` or `POST`
    :param path: relative to the key's base URL and starting with `/`; core joins them, so no hook picks a host
    :param headers: the service's own headers, the key among them; core adds the content type
    :param body: what core sends as JSON; None sends no body
    :param stream: whether the answer is expected as server-sent events
    :param dropped: the request's parameters that the service does not take; the client is told
    """

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: Json | None = None
    stream: bool = False
    dropped: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"Upstream({self.method} {self.path}, headers={sorted(self.headers)}, stream={self.stream})"


class Answer(msgspec.Struct, frozen=True):
    """A provider's whole answer.

    :param status: the HTTP status
    :param headers: header values, found by their lower-case names
    :param body: the decoded JSON, whatever the content type said; None when it was not JSON
    :param text: the start of the body (at most 4,096 characters) when it was not JSON, else empty
    """

    status: int
    headers: Mapping[str, str]
    body: Any = None
    text: str = ""


class Event(msgspec.Struct, frozen=True):
    """One server-sent event of a provider's stream. `[DONE]`, comments and empty events never get here.

    :param name: the event's name, `message` when it has none
    :param data: its decoded JSON
    """

    name: str
    data: Any


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal in the router's words.

    :param kind: what the router does next
    :param message: the service's own words, shortened; core removes secrets before anyone sees it
    :param scope: how much the refusal speaks for
    :param retry_after: seconds the service asks to wait
    :param resets_at: Unix time at which the exhausted quota resets, when the service states it
    :param limit: the figure the refusal states: the quota's limit, or for `context_exceeded` and `too_large` the
        largest number of tokens accepted
    :param used: what is used of that limit, when the refusal states it
    :param unit: the quota's unit (`requests`, `tokens`, …), when the refusal names it
    :param window: the quota's window in seconds, when the refusal names it
    :param account: the account the refusal names, when the key did not tell
    :param param: for `bad_request`, the OpenAI request field at fault
    :param amend: a corrected request, tried once on the same route
    :param salvaged: an OpenAI chat completion rescued from the refusal; core answers with it
    """

    kind: Kind
    message: str = ""
    scope: Scope = "route"
    retry_after: float | None = None
    resets_at: float | None = None
    limit: int | None = None
    used: int | None = None
    unit: str | None = None
    window: float | None = None
    account: str | None = None
    param: str | None = None
    amend: ChatRequest | None = None
    salvaged: Json | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer says about one quota.

    :param unit: `requests`, `tokens`, `concurrent` or a unit of the provider's own
    :param window: seconds; None for `concurrent`
    :param limit: the quota's size, when stated
    :param remaining: what is left of it, when stated
    :param resets_in: seconds until it is full again, when stated
    :param scope: `route` for the quotas of this model and key, wider for a shared pool
    """

    unit: str
    window: float | None
    limit: float | None = None
    remaining: float | None = None
    resets_in: float | None = None
    scope: Scope = "route"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the probes of a key tell.

    :param state: `inconclusive` unless an authenticated endpoint said yes or no
    :param message: the reason, in words for a person
    :param account: the account learned from the probes
    :param base_url: the base URL that accepted the key, when a service has several
    :param readings: quotas learned from the probes
    """

    state: Literal["valid", "invalid", "inconclusive"]
    message: str = ""
    account: str | None = None
    base_url: str | None = None
    readings: Sequence[Reading] = ()


_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def replace(struct: _Struct, **changes: Any) -> _Struct:
    """Return a copy of an `Upstream`, a `Failure` or another of these frozen structs with some fields changed.

    :param struct: what stays as it is
    :param changes: the fields that the copy has in place of those
    """
    return msgspec.structs.replace(struct, **changes)


class Unchanged:
    """The type of `UNCHANGED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged()
"""A stream normalizer's word for: this event already is the chunk the client should see, byte for byte."""

Chunks: TypeAlias = Sequence[Json] | Unchanged | Failure
"""What a stream normalizer makes of one event; an empty sequence says that the client sees nothing of it."""


class StreamNormalizer(Protocol):
    """Turns one stream's events into OpenAI chunks, and holds all the state that takes.

    A chunk is an OpenAI `chat.completion.chunk`; `id`, `object`, `created` and `model` may be left out, core
    fills them in. The first chunk with a choice has `delta.role`; tool call deltas are indexed from 0 without
    gaps; exactly one chunk has a finish reason; `usage` comes in a chunk of its own with `choices: []`. A chunk
    may carry `keep: {tool_call_id: opaque}`, which core takes out and remembers.
    """

    def __call__(self, event: Event) -> Chunks:
        """Return the chunks that this event becomes, `UNCHANGED`, or a `Failure`."""

    def end(self) -> Chunks:
        """Judge the stream when it is over: flush what is held, or say that it was cut."""
