"""The hooks: what core asks of providers (directed) and tells plugins (broadcast).

Directed hooks are asked of exactly one provider; they are synchronous and pure: no I/O, no clock, no state but
what `normalize_stream` returns, no change to an argument. An implementation names only the arguments it wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

from freellm.types import (
    Answer,
    ChatRequest,
    Failure,
    Json,
    Key,
    Reading,
    StreamNormalizer,
    Upstream,
    Verdict,
)

if TYPE_CHECKING:
    from freellm.declarations import Model, ProviderInfo, Quota

PROJECT = "freellm"

hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)
_directed = _hookspec(firstresult=True)


class ProviderSpec:
    """The directed hooks. Each provider is asked through a plugin manager of its own."""

    @_directed
    def describe_provider(self) -> ProviderInfo:  # type: ignore[empty-body]
        """Say who the provider is. Asked once, at start. Since 0.1.

        :return: id, links, key fields, environment variables, base URL, time limits
        """

    @_directed
    def declare_models(self) -> Sequence[Model]:  # type: ignore[empty-body]
        """List the provider's models, retired ones included. Asked once, at start. Since 0.1."""

    @_directed
    def declare_quotas(self) -> Sequence[Quota]:  # type: ignore[empty-body]
        """List the provider's quotas. Asked once, at start. Since 0.1."""

    @_directed
    def read_quota(self, model: Model, answer: Answer) -> Sequence[Reading]:  # type: ignore[empty-body]
        """Read what an answer's headers say about quotas. Since 0.1.

        Asked when headers arrive, only if one of `ProviderInfo.quota_headers` is among them.

        :param answer: its `body` is None: only status and headers are known yet
        """

    @_directed
    def translate_request(  # type: ignore[empty-body]
        self, request: ChatRequest, model: Model, key: Key
    ) -> Upstream | Failure:
        """Say what to send for a chat request. Asked once per attempt. Since 0.1.

        :return: a `Failure` when this model cannot take this request; nothing is sent then
        """

    @_directed
    def normalize_response(  # type: ignore[empty-body]
        self, request: ChatRequest, model: Model, answer: Answer
    ) -> Json | Failure:
        """Turn a whole 2xx answer into an OpenAI chat completion. Asked once per whole answer. Since 0.1.

        :return: the completion (`id`, `created` and `model` may be left out; `keep: {tool_call_id: opaque}` is
            remembered for the next turn), or a `Failure` when the 200 hides an error
        """

    @_directed
    def normalize_stream(self, request: ChatRequest, model: Model) -> StreamNormalizer:  # type: ignore[empty-body]
        """Return the object that normalizes one stream. Asked once per stream, never per chunk. Since 0.1."""

    @_directed
    def classify_error(  # type: ignore[empty-body]
        self, request: ChatRequest, model: Model, answer: Answer
    ) -> Failure:
        """Name a refusal in the router's words. Asked for every answer that is not 2xx. Since 0.1."""

    @_directed
    def check_key(self, key: Key) -> Sequence[Upstream]:  # type: ignore[empty-body]
        """List the probes that tell whether a key is valid; none may spend quota. Since 0.1."""

    @_directed
    def judge_key(self, key: Key, answers: Sequence[Answer]) -> Verdict:  # type: ignore[empty-body]
        """Judge a key by its probes' answers, in the order of the probes. Since 0.1.

        :param answers: a probe that could not be delivered has status 0 and the reason in `text`
        """


class ApplicationSpec:
    """The broadcast hooks: every plugin of the group `freellm.plugins` is told."""
