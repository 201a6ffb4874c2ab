"""Hooks: core takes the plugin, and what it declares is of the right kind."""

from __future__ import annotations

import json
import re

from freellm.errors import PluginError
from freellm.providers import Provider
from freellm.testing.breach import BreachError
from freellm.testing.subject import Subject


def accepted(subject: Subject) -> None:
    """Core takes the plugin: every required hook is there, none is misspelt, and the declarations fit together."""
    try:
        provider = Provider(subject.name, subject.plugin)
    except PluginError as error:
        raise BreachError(str(error), cure="do what the message says") from error
    if provider.info.id != subject.name:
        raise BreachError(
            f"says the id is {provider.info.id!r}, but the entry point is called {subject.name!r}",
            hook="describe_provider", cure="make the entry point's name and the id the same",
        )  # fmt: skip


def declared_kinds(subject: Subject) -> None:
    """`describe_provider` returns a `ProviderInfo`, `declare_models` lists `Model`, `declare_quotas` lists `Quota`."""
    _ = subject.info, subject.models, subject.quotas


def declared_once_and_for_all(subject: Subject) -> None:
    """What a provider declares is the same whenever it is asked: core asks once."""
    for hook in ("describe_provider", "declare_models", "declare_quotas"):
        first, second = (_plain(subject.ask(hook)) for _ in range(2))
        if first != second:
            raise BreachError(
                "declares something else the second time", hook=hook, cure="declare constants; core asks once, at start"
            )  # fmt: skip


def _plain(declared: object) -> str:
    return json.dumps(re.sub(r" object at 0x\w+", "", repr(declared)))


CHECKS = (accepted, declared_kinds, declared_once_and_for_all)
