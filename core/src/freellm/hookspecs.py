"""The hooks: what core asks of providers (directed) and tells plugins (broadcast).

Directed hooks are asked of exactly one provider; they are synchronous and pure: no I/O, no clock, no state but
what `normalize_stream` returns, no change to an argument. An implementation names only the arguments it wants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from freellm.types import (
    Answer,
    ChatRequest,
    EmbeddingRequest,
    Failure,
    Json,
    Key,
    ListedModel,
    Reading,
    StreamNormalizer,
    Upstream,
    Verdict,
)

if TYPE_CHECKING:
    from aiohttp import web

    from freellm.access import Check
    from freellm.declarations import Model, ProviderInfo, Quota
    from freellm.ledger import Ledger
    from freellm.measurements import Measured
    from freellm.panels import Panel
    from freellm.proxy import Demo, Proxy
    from freellm.routing import Strategy
    from freellm.settings import Settings
    from freellm.store import AttemptRecord, RequestRecord

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

    @_directed
    def translate_embeddings(  # type: ignore[empty-body]
        self, request: EmbeddingRequest, model: Model, key: Key
    ) -> Upstream | Failure:
        """Say what to send for an embeddings request. Asked once per attempt of each part of it. Since 0.1.

        :return: a `Failure` when this model cannot take this request; nothing is sent then
        """

    @_directed
    def normalize_embeddings(  # type: ignore[empty-body]
        self, request: EmbeddingRequest, model: Model, answer: Answer
    ) -> Json | Failure:
        """Turn a whole 2xx answer into an OpenAI embedding list. Since 0.1.

        :return: `{"data": [{"index": 0, "embedding": [floats]}, …]}`, one vector for each input, and `usage` when the
            service states it; or a `Failure` when the 200 hides an error
        """

    @_directed
    def list_models(self, key: Key) -> Sequence[Upstream]:  # type: ignore[empty-body]
        """Say how to ask for the provider's own list of models. Since 0.1.

        Asked by `freellm models sync`, and by a running server once a week. Must not spend quota.
        """

    @_directed
    def read_models(self, answer: Answer) -> Sequence[ListedModel]:  # type: ignore[empty-body]
        """Read one answer of those that `list_models` asked for. Since 0.1.

        :param answer: a 2xx answer
        :return: nothing when it is no list of models
        """


class ApplicationSpec:
    """The broadcast hooks: every plugin of the entry-point group `freellm.plugins` is told or asked."""

    @_hookspec
    def register_auth(self, register: Callable[[str, Check], None]) -> None:
        """Offer ways of one's own to say who may call a route. Asked once, before the server listens. Since 0.1.

        :param register: call it with a name, which handlers state with `freellm.auth`, and a coroutine function that
            is awaited with each request to them: it returns None to let it pass, or the answer that refuses it
        """

    @_hookspec
    def register_routes(self, app: web.Application, proxy: Proxy) -> None:
        """Add HTTP routes to the server. Asked once, before it listens. Since 0.1.

        Every handler states who may call it with `freellm.auth`; the server refuses to start otherwise. Core adds
        its own routes last.

        :param app: `app.router` takes the routes
        :param proxy: what the routes may use: complete, explain, catalogue, routes, quotas, keys, …
        """

    @_hookspec
    def register_panels(self, register: Callable[[Panel], None], proxy: Proxy) -> None:
        """Add panels to the dashboard, without a line of HTML. Asked once, before the server listens. Since 0.1.

        Without the dashboard nobody asks.

        :param register: call it with a `freellm.panels.Panel`: its id, its title, and a coroutine function that returns
            what is on it now
        :param proxy: what the panels may look at
        """

    @_hookspec
    def register_strategies(
        self, register: Callable[[str, Strategy], None], measured: Callable[[str, Model], Measured]
    ) -> None:
        """Offer orders of models; `auto:<name>` selects one. Asked once, at start. Since 0.1.

        :param register: call it with a name and a function from a provider's name and a model to its place: lower is
            tried earlier. The places are asked for again every few seconds
        :param measured: returns what is known at the moment of a provider's model: its speed, success and quota left
        """

    @_directed
    def create_ledger(self, settings: Settings) -> Ledger | None:
        """Provide the quota ledger; the first plugin that answers provides it. Asked once, at start. Since 0.1."""

    @_directed
    def serve_demo(self) -> Demo | None:
        """Provide stand-ins of the providers for `freellm serve --demo`. Since 0.1.

        The first plugin that answers provides them. Asked only when the demo is wanted.
        """

    @_hookspec
    async def startup(self, proxy: Proxy) -> None:
        """Start what the plugin runs beside the server. Awaited before the server listens. Since 0.1."""

    @_hookspec
    def announce(self, proxy: Proxy, url: str) -> Mapping[str, str] | None:
        """Add lines to the first screen of `freellm serve`. Asked once, when the server listens. Since 0.1.

        :param url: the server's root, as a browser on this machine would call it
        :return: a text by its title, such as `{"dashboard": "http://localhost:3001/"}`
        """

    @_hookspec
    async def shutdown(self, proxy: Proxy) -> None:
        """Stop it again. Awaited after the last request was served. Since 0.1."""

    @_hookspec
    def before_request(self, request: ChatRequest | EmbeddingRequest, model: str) -> None:
        """See a validated request before it is routed; raise `RequestError` to refuse it. Since 0.1.

        :param request: for chat or for embeddings; the latter before it is split
        :param model: what the client asked for, such as `auto`
        """

    @_hookspec
    def on_attempt(self, attempt: AttemptRecord) -> None:
        """See an attempt that has ended, well or not. Since 0.1."""

    @_hookspec
    def on_request(self, record: RequestRecord) -> None:
        """See a request that has been answered, well or not. Since 0.1."""
