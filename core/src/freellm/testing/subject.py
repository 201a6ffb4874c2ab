"""A provider under examination, asked as core asks it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from freellm.declarations import Model, ProviderInfo, Quota
from freellm.errors import PluginError
from freellm.hookspecs import ProviderSpec
from freellm.plugins import relay
from freellm.secret import Secret
from freellm.testing.breach import BreachError, NotApplicableError
from freellm.testing.cases import Case
from freellm.testing.copying import copied_arguments
from freellm.testing.watching import no_input_or_output
from freellm.types import Key

EXAMPLES: Final = 25
"""Generated examples of each property, unless more are asked for."""

FOUND: Final = Model(
    id="found", family="found", abilities=frozenset({"system", "tools", "json"}), source="a list", checked="2026-11-24"
)  # fmt: skip
"""A model as an instance of a plugin for instances has it."""

_RAISED: Final = (
    "let the hook answer a Failure for what it cannot take; what a service sends may have any shape"
)


class Subject:
    """One provider.

    :param name: the entry point's name
    :param plugin: the plugin object
    :param cases: its golden cases
    :param examples: how many examples of each property to generate
    :raises PluginError: when the plugin is refused before any hook can be asked
    """

    def __init__(
        self, name: str, plugin: Any, *, cases: Sequence[Case] = (), examples: int = EXAMPLES
    ) -> None:
        self.name, self.plugin = name, plugin
        self.cases, self.examples = cases, examples
        self._relay = relay(ProviderSpec, [(name, plugin)])
        self.hooks = self._relay.hooks_of(plugin)
        self._callers = {hook: self._relay.sole(hook) for hook in self.hooks}

    @classmethod
    def of(cls, name: str, plugin: Any, **options: Any) -> Subject | PluginError:
        """Return a subject, or why there can be none: the plugin is refused before any hook can be asked."""
        try:
            return cls(name, plugin, **options)
        except PluginError as error:
            return error

    @cached_property
    def info(self) -> ProviderInfo:
        """Who the provider says it is."""
        info: ProviderInfo = self.ask("describe_provider", ProviderInfo)
        return info

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """The models it declares; for a plugin made for instances, one as an instance may have it."""
        declared: tuple[Model, ...] = self._listed("declare_models", Model)
        if self.info.instances and declared:
            raise BreachError(
                f"lists {declared[0].id!r}, though it is for services that users add",
                hook="declare_models", cure="list none; the models of an instance are found by its own list",
            )  # fmt: skip
        return (FOUND,) if self.info.instances else declared

    @cached_property
    def quotas(self) -> tuple[Quota, ...]:
        """The quotas it declares."""
        return self._listed("declare_quotas", Quota)

    @cached_property
    def key(self) -> Key:
        """A key with a recognizable value in every declared field."""
        fields = {field.name: Secret(f"KEY-{field.name}") for field in self.info.key_fields}
        return Key(id="k", account="acct", fields=fields, base_url=self.info.base_url)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """The values of the key's secret fields."""
        return tuple(f"KEY-{field.name}" for field in self.info.key_fields if field.secret)

    @cached_property
    def chat_models(self) -> tuple[Model, ...]:
        """The models that chat, one of each kind that may be asked differently."""
        return _kinds(model for model in self.models if model.task == "chat")

    @cached_property
    def embedding_models(self) -> tuple[Model, ...]:
        """The models that make embeddings, one of each kind that may be asked differently."""
        return _kinds(model for model in self.models if model.task == "embeddings")

    @property
    def chat_model(self) -> Model:
        """A model that chats.

        :raises NotApplicableError: when there is none
        """
        if not self.chat_models:
            raise NotApplicableError("the provider declares no model that chats")
        return self.chat_models[0]

    @property
    def embedding_model(self) -> Model:
        """A model that makes embeddings.

        :raises NotApplicableError: when there is none
        """
        if not self.embedding_models:
            raise NotApplicableError("the provider declares no model that makes embeddings")
        return self.embedding_models[0]

    def sound_cases(self) -> Iterator[Case]:
        """Iterate over the golden cases of models that there are."""
        return (case for case in self.cases if self._has_model(case))

    def _has_model(self, case: Case) -> bool:
        try:
            case.model(self.models)
        except (AssertionError, ValueError):  # the check of golden cases tells of it
            return False
        return True

    def need(self, *hooks: str) -> None:
        """Say that a check is about hooks.

        :raises NotApplicableError: when the provider answers one of them not
        """
        if missing := [hook for hook in hooks if hook not in self.hooks]:
            raise NotApplicableError(f"the provider does not answer {', '.join(missing)}")

    def ask(self, hook: str, kinds: type | tuple[type, ...] = object, **arguments: Any) -> Any:
        """Ask a hook, on copies of its arguments, and with no way out of the process.

        :param kinds: what it may answer
        :raises BreachError: when it raises, or answers anything else
        """
        self.need(hook)
        given = copied_arguments(arguments)
        try:
            with no_input_or_output():
                found = self._callers[hook](**given)
        except Exception as error:
            raise raised(error, hook, arguments) from error
        if not isinstance(found, kinds) or found is None:
            raise BreachError(
                f"answered a {type(found).__name__}, not {named(kinds)}",
                hook=hook,
                cure=f"return {named(kinds)} on every path through the hook",
                example=arguments,
            )
        return found

    def caller(self, hook: str) -> Callable[..., Any]:
        """Return a hook as it is, neither guarded nor given copies."""
        return self._callers[hook]

    def _listed(self, hook: str, kind: type[Any]) -> tuple[Any, ...]:
        rows = tuple(self.ask(hook, (list, tuple)))
        for row in rows:
            if not isinstance(row, kind):
                raise BreachError(
                    f"lists a {type(row).__name__}, not a {kind.__name__}",
                    hook=hook,
                    cure=f"list {kind.__name__} objects",
                )
        return rows


def raised(error: Exception, hook: str, arguments: Mapping[str, Any]) -> BreachError:
    """Return the breach that an exception of a hook is, with the line it came from."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return BreachError(
        f"raised {type(error).__name__}: {error}{where}", hook=hook, cure=_RAISED, example=arguments
    )


def named(kinds: type | tuple[type, ...]) -> str:
    """Return types as a sentence names them."""
    return (
        " or ".join(f"a {kind.__name__}" for kind in kinds)
        if isinstance(kinds, tuple)
        else f"a {kinds.__name__}"
    )


def _kinds(models: Any) -> tuple[Model, ...]:
    """Return one model of each kind that may be asked differently: by abilities, and by the first word of the family."""
    kinds: dict[Any, Model] = {}
    for model in models:
        kinds.setdefault(
            (model.abilities, model.images, model.token_inputs, model.family.split("-")[0]), model
        )
    return tuple(kinds.values())
