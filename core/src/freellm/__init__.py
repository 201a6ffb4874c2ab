"""The vocabulary of a plugin author: everything a provider or an application plugin may import from core.

The names are imported when they are first used, so that `freellm --help` does not pay for pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freellm.access import auth
    from freellm.catalogue_file import Catalogue, Limits, load_catalogue
    from freellm.declarations import DataPolicy, KeyField, Model, ProviderInfo, Quota
    from freellm.errors import FreeLLMError, PluginError, RequestError
    from freellm.hookspecs import hookimpl
    from freellm.openai_compatible import AnswerShape, ChatWire, EmbeddingsWire, OpenAICompatible
    from freellm.secret import Secret
    from freellm.types import (
        UNCHANGED,
        Answer,
        ChatRequest,
        Chunks,
        EmbeddingRequest,
        Event,
        Failure,
        Json,
        Key,
        Kind,
        ListedModel,
        Reading,
        StreamNormalizer,
        Upstream,
        Verdict,
        replace,
    )

__all__ = [
    "UNCHANGED",
    "Answer",
    "AnswerShape",
    "Catalogue",
    "ChatRequest",
    "ChatWire",
    "Chunks",
    "DataPolicy",
    "EmbeddingRequest",
    "EmbeddingsWire",
    "Event",
    "Failure",
    "FreeLLMError",
    "Json",
    "Key",
    "KeyField",
    "Kind",
    "Limits",
    "ListedModel",
    "Model",
    "OpenAICompatible",
    "PluginError",
    "ProviderInfo",
    "Quota",
    "Reading",
    "RequestError",
    "Secret",
    "StreamNormalizer",
    "Upstream",
    "Verdict",
    "auth",
    "hookimpl",
    "load_catalogue",
    "replace",
]

_HOMES = {
    "access": ("auth",),
    "catalogue_file": ("Catalogue", "Limits", "load_catalogue"),
    "declarations": ("DataPolicy", "KeyField", "Model", "ProviderInfo", "Quota"),
    "errors": ("FreeLLMError", "PluginError", "RequestError"),
    "hookspecs": ("hookimpl",),
    "openai_compatible": ("AnswerShape", "ChatWire", "EmbeddingsWire", "OpenAICompatible"),
    "secret": ("Secret",),
    "types": (
        "UNCHANGED",
        "Answer",
        "ChatRequest",
        "Chunks",
        "EmbeddingRequest",
        "Event",
        "Failure",
        "Json",
        "Key",
        "Kind",
        "ListedModel",
        "Reading",
        "StreamNormalizer",
        "Upstream",
        "Verdict",
        "replace",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    """List the names on offer."""
    return sorted({*globals(), *__all__})
