"""Providers: one relay per (plugin object, instance name), behind typed calls.

Each provider has a plugin manager of its own, so a `firstresult` hook has an audience of one: nobody else's code is
asked, and nobody else's exception is heard. See docs/decisions/0001-directed-hooks.md.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

from freellm import plugins
from freellm.declarations import Model, ProviderInfo, Quota
from freellm.errors import PluginError
from freellm.hookspecs import ProviderSpec
from freellm.types import (
    Answer,
    ChatRequest,
    EmbeddingRequest,
    Failure,
    Json,
    Key,
    Kind,
    ListedModel,
    Reading,
    StreamNormalizer,
    Upstream,
    Verdict,
)
from freellm.wholeness import is_completion, is_embedding_list

_OPTIONAL = frozenset(
    {"read_quota", "translate_embeddings", "normalize_embeddings", "list_models", "read_models"}
)
REQUIRED = tuple(
    sorted(name for name in vars(ProviderSpec) if not name.startswith("_") and name not in _OPTIONAL)
)

_T = TypeVar("_T")


class UndeclaredError(PluginError):
    """A hook that declares something failed, so that a provider cannot be had: as if it had failed to import."""


class Provider:
    """One provider instance: its declarations, and its hooks as typed calls.

    A hook that raises, or answers with the wrong type, costs its own provider the attempt and nobody else: the call
    then returns a `Failure(BAD_ANSWER)` that names the hook.

    :param name: the instance's name, usually the entry point's
    :param plugin: the object that implements the hooks
    :ivar is_instance: whether it is a service that a user added, and not the one of a package
    :ivar local: whether a user gave the base URL and it is on this machine or in its network
    :raises PluginError: when the plugin breaks the contract; the text names it and the cure
    """

    is_instance = False
    local = False

    def __init__(self, name: str, plugin: Any) -> None:
        self.name = name
        self._relay = plugins.relay(ProviderSpec, [(name, plugin)])
        self.hooks = self._relay.hooks_of(plugin)
        self._callers = {hook: self._relay.sole(hook) for hook in self.hooks}
        if missing := [hook for hook in REQUIRED if hook not in self.hooks]:
            raise PluginError(
                f"plugin {name!r} is refused: it does not answer {', '.join(missing)}; "
                "write the hook, or build on OpenAICompatible, which answers all of them"
            )
        # asked in every attempt
        self._translate, self._normalize = (
            self._callers["translate_request"],
            self._callers["normalize_response"],
        )
        self.info = self._declared("describe_provider", ProviderInfo)
        self.models = self._declared_list("declare_models", Model)
        self.quotas = self._declared_list("declare_quotas", Quota)
        self._refuse_strangers()
        self._refuse_unanswered()
        self.quota_headers = self.info.quota_headers if "read_quota" in self.hooks else ()

    @property
    def retired(self) -> bool:
        """Whether all its models are retired, so that no key is of use."""
        return bool(self.models) and all(model.status == "retired" for model in self.models)

    def offering(self, models: Sequence[Model], quotas: Sequence[Quota]) -> Provider:
        """Return this provider with other models and quotas than its plugin declares; the hooks are the same."""
        twin = copy.copy(self)
        twin.models, twin.quotas = tuple(models), tuple(quotas)
        return twin

    def instance(self, name: str, info: ProviderInfo, *, local: bool, lists_models: bool) -> Provider:
        """Return this provider under another name, for a service that a user added; the hooks are the same.

        :param local: whether the service may be on this machine or in its network
        :param lists_models: whether its own list of models is asked for
        """
        twin = copy.copy(self)
        twin.name, twin.info, twin.local, twin.is_instance = name, info, local, True
        if not lists_models:
            twin.hooks = tuple(hook for hook in self.hooks if hook != "list_models")
        return twin

    def _ask(self, hook: str, **arguments: Any) -> Any:
        return self._callers[hook](**arguments)

    def _declared(self, hook: str, kind: type[_T]) -> _T:
        try:
            value = self._ask(hook)
        except (Exception, SystemExit) as error:
            raise UndeclaredError(
                f"plugin {self.name!r} is left out: {hook} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(value, kind):
            raise UndeclaredError(
                f"plugin {self.name!r} is left out: {hook} answered a {type(value).__name__}, not a {kind.__name__}"
            )
        return value

    def _declared_list(self, hook: str, kind: type[_T]) -> tuple[_T, ...]:
        rows = tuple(self._declared(hook, Sequence))  # type: ignore[type-abstract]
        for row in rows:
            if not isinstance(row, kind):
                raise UndeclaredError(
                    f"plugin {self.name!r} is left out: {hook} lists a {type(row).__name__}, not a {kind.__name__}"
                )
        return rows

    def _refuse_strangers(self) -> None:
        ids: set[str] = set()
        for model in self.models:
            if model.id in ids:
                raise PluginError(
                    f"plugin {self.name!r} is refused: declare_models lists {model.id!r} twice; remove one"
                )
            ids.add(model.id)
        for quota in self.quotas:
            if unknown := [member for member in quota.members if member not in ids]:
                raise PluginError(
                    f"plugin {self.name!r} is refused: its quota {quota.name!r} names {unknown[0]!r}, which "
                    "declare_models does not list; correct the id"
                )

    def _refuse_unanswered(self) -> None:
        """Refuse optional hooks that are needed after all: both embeddings hooks for a model that makes embeddings."""
        needed = {"translate_embeddings", "normalize_embeddings"}
        maker = next((model for model in self.models if model.task == "embeddings"), None)
        if maker is not None and (missing := sorted(needed - set(self.hooks))):
            raise PluginError(
                f"plugin {self.name!r} is refused: {maker.id!r} makes embeddings, but the plugin does not answer "
                f"{', '.join(missing)}; write the hook, or remove the model"
            )
        if ("list_models" in self.hooks) != ("read_models" in self.hooks):
            raise PluginError(
                f"plugin {self.name!r} is refused: list_models and read_models go together; write the other one too"
            )

    def translate_request(self, request: ChatRequest, model: Model, key: Key) -> Upstream | Failure:
        """Ask what to send; see `freellm.hookspecs.ProviderSpec.translate_request`."""
        try:
            said = self._translate(request=request, model=model, key=key)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - see `_guarded`
            return self._raised("translate_request", error)
        if isinstance(said, Upstream | Failure):
            return said
        return self._wrong("translate_request", said)

    def normalize_response(self, request: ChatRequest, model: Model, answer: Answer) -> Json | Failure:
        """Ask for the OpenAI completion; see `freellm.hookspecs.ProviderSpec.normalize_response`."""
        try:
            said = self._normalize(request=request, model=model, answer=answer)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - see `_guarded`
            return self._raised("normalize_response", error)
        if not isinstance(said, dict | Failure):
            return self._wrong("normalize_response", said)
        return said if isinstance(said, Failure) or is_completion(said) else self._no("normalize_response")

    def normalize_stream(self, request: ChatRequest, model: Model) -> StreamNormalizer | Failure:
        """Ask for the stream's normalizer; see `freellm.hookspecs.ProviderSpec.normalize_stream`."""
        said: StreamNormalizer | Failure = self._guarded(
            "normalize_stream", object, request=request, model=model
        )
        return said

    def classify_error(self, request: ChatRequest, model: Model, answer: Answer) -> Failure:
        """Ask for a refusal's name; see `freellm.hookspecs.ProviderSpec.classify_error`."""
        said: Failure = self._guarded("classify_error", Failure, request=request, model=model, answer=answer)
        whole = said.salvaged is None or is_completion(said.salvaged)
        return said if whole else self._no("classify_error")

    def read_quota(self, model: Model, answer: Answer) -> Sequence[Reading]:
        """Ask what headers say about quotas; nothing, if the hook fails."""
        return self._listed("read_quota", Reading, model=model, answer=answer)

    def translate_embeddings(self, request: EmbeddingRequest, model: Model, key: Key) -> Upstream | Failure:
        """Ask what to send; see `freellm.hookspecs.ProviderSpec.translate_embeddings`."""
        said: Upstream | Failure = self._guarded(
            "translate_embeddings", (Upstream, Failure), request=request, model=model, key=key
        )
        return said

    def normalize_embeddings(self, request: EmbeddingRequest, model: Model, answer: Answer) -> Json | Failure:
        """Ask for the embedding list; see `freellm.hookspecs.ProviderSpec.normalize_embeddings`."""
        said: Json | Failure = self._guarded(
            "normalize_embeddings", (dict, Failure), request=request, model=model, answer=answer
        )
        whole = isinstance(said, Failure) or is_embedding_list(said, len(request.inputs))
        return said if whole else self._no("normalize_embeddings", "embedding list")

    @property
    def lists_models(self) -> bool:
        """Whether the provider can be asked for its own list of models."""
        return "list_models" in self.hooks

    def list_models(self, key: Key) -> Sequence[Upstream]:
        """Ask how to ask for the provider's list of models; nothing, if it has none or the hook fails."""
        return self._listed("list_models", Upstream, key=key) if self.lists_models else ()

    def read_models(self, answer: Answer) -> Sequence[ListedModel]:
        """Ask what an answer lists; nothing, if the hook fails."""
        return self._listed("read_models", ListedModel, answer=answer)

    def check_key(self, key: Key) -> Sequence[Upstream]:
        """Ask for the probes of a key; none, if the hook fails."""
        return self._listed("check_key", Upstream, key=key)

    def judge_key(self, key: Key, answers: Sequence[Answer]) -> Verdict:
        """Ask for the verdict on a key; inconclusive, if the hook fails."""
        verdict = self._guarded("judge_key", Verdict, key=key, answers=answers)
        return (
            Verdict(state="inconclusive", message=verdict.message)
            if isinstance(verdict, Failure)
            else verdict
        )

    def _listed(self, hook: str, kind: type[_T], **arguments: Any) -> Sequence[_T]:
        """Ask a hook for a list; nothing, if it fails or lists anything else."""
        rows = self._guarded(hook, (list, tuple), **arguments)
        if isinstance(rows, Failure) or any(not isinstance(row, kind) for row in rows):
            return ()
        checked: Sequence[_T] = rows
        return checked

    def _no(self, hook: str, expected: str = "completion") -> Failure:
        return Failure(kind=Kind.BAD_ANSWER, message=f"{self.name}: {hook} answered what is no {expected}")

    def _guarded(self, hook: str, kinds: type | tuple[type, ...], **arguments: Any) -> Any:
        """Ask a hook; a wrong type or an exception becomes a `Failure` that names it.

        The exception's text stays out: it may quote a request's contents.
        """
        try:
            value = self._callers[hook](**arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a provider's bug costs its own attempt only
            return self._raised(hook, error)
        return value if isinstance(value, kinds) and value is not None else self._wrong(hook, value)

    def _raised(self, hook: str, error: BaseException) -> Failure:
        return Failure(kind=Kind.BAD_ANSWER, message=f"{self.name}: {hook} raised {type(error).__name__}")

    def _wrong(self, hook: str, value: object) -> Failure:
        return Failure(kind=Kind.BAD_ANSWER, message=f"{self.name}: {hook} answered a {type(value).__name__}")


def load_providers(
    only: Sequence[str] | None = None, files: Sequence[plugins.PluginRecord] = ()
) -> tuple[list[Provider], list[plugins.PluginRecord]]:
    """Load every installed provider.

    :param only: names of entry points or distributions to load; None is all of them
    :param files: plugins that are files; see `freellm.plugin_files`
    :return: the providers that keep to the contract, and a record of every one found
    """
    providers, records = [], plugins.discover(plugins.PROVIDERS, only, files)
    for record in records:
        if record.status != "loaded":
            continue
        try:
            provider = Provider(record.id, record.plugin)
            if provider.info.id != record.id:
                raise PluginError(
                    f"plugin {record.id!r} is refused: describe_provider says its id is {provider.info.id!r}; "
                    "make the entry point's name and the id the same"
                )
        except UndeclaredError as error:
            remove = f"pip uninstall {record.distribution}" if record.version else f"rm {record.distribution}"
            record.status, record.reason = "quarantined", f"{error}; mend it, or remove it: {remove}"
        except PluginError as error:
            record.status, record.reason = "refused", str(error)
        else:
            record.hooks = provider.hooks
            providers.append(provider)
    return providers, records
