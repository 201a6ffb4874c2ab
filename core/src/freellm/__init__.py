"""The vocabulary of a plugin author: everything a provider or an application plugin may import from core."""

from freellm.declarations import (
    Catalogue,
    DataPolicy,
    KeyField,
    Limits,
    Model,
    ProviderInfo,
    Quota,
    load_catalogue,
)
from freellm.errors import FreeLLMError, PluginError
from freellm.hookspecs import hookimpl
from freellm.openai_compatible import OpenAICompatible
from freellm.types import (
    UNCHANGED,
    Answer,
    ChatRequest,
    Chunks,
    Event,
    Failure,
    Json,
    Key,
    Kind,
    Reading,
    Secret,
    StreamNormalizer,
    Upstream,
    Verdict,
)

__all__ = [
    "UNCHANGED",
    "Answer",
    "Catalogue",
    "ChatRequest",
    "Chunks",
    "DataPolicy",
    "Event",
    "Failure",
    "FreeLLMError",
    "Json",
    "Key",
    "KeyField",
    "Kind",
    "Limits",
    "Model",
    "OpenAICompatible",
    "PluginError",
    "ProviderInfo",
    "Quota",
    "Reading",
    "Secret",
    "StreamNormalizer",
    "Upstream",
    "Verdict",
    "hookimpl",
    "load_catalogue",
]
