"""Which parameters of a request a provider would leave out, known before any quota is spent. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from freellm.catalogue import Entry
from freellm.secret import Secret
from freellm.types import ChatRequest, Failure, Key

INCIDENTAL: Final = frozenset(
    {
        "metadata",
        "plugins",
        "preset",
        "prompt_cache_key",
        "route",
        "safety_identifier",
        "service_tier",
        "store",
        "transforms",
        "usage",
        "user",
    }
)
"""Parameters that change nothing about what a model answers, or that are a gateway's own: nobody has to take them."""

_QUESTION: Final = ({"role": "user", "content": "?"},)


def refused_parameters(request: ChatRequest, entry: Entry) -> str | None:
    """Say which parameters a provider does not take for a model; None when it takes every one.

    The provider itself is asked, by its own translation of the parameters: it is pure, and nothing is sent.
    """
    provider = entry.provider
    fields = {field.name: Secret("0" * 32) for field in provider.info.key_fields}
    key = Key(id="", account="", fields=fields, base_url=provider.info.base_url)
    asked = msgspec.structs.replace(request, messages=list(_QUESTION))
    upstream = provider.translate_request(asked, entry.model, key)
    if isinstance(upstream, Failure):
        return f"provider.require_parameters is true, and {upstream.message}"
    refused = [name for name in upstream.dropped if name not in INCIDENTAL]
    if not refused:
        return None
    return f"provider.require_parameters is true, and {provider.name} does not take {', '.join(refused)}"
