"""As much of a key as tells it from others, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from freellm.declarations import ProviderInfo
from freellm.secret import Secret

_HIDDEN: Final = "…"
_ENDS: Final = 4
"""Characters shown at either end, at most."""

_SHORTEST: Final = 5
"""Of a shorter text nothing is shown."""


def mask(text: str) -> str:
    """Return the ends of a text, a third of it at most; nothing of one under 5 characters."""
    shown = min(len(text) // 3, 2 * _ENDS) if len(text) >= _SHORTEST else 0
    head = shown // 2
    tail = shown - head
    return f"{text[:head]}{_HIDDEN}{text[len(text) - tail :]}" if shown else _HIDDEN


def masked(info: ProviderInfo, fields: Mapping[str, Secret]) -> str:
    """Return what is shown of a key: its fields in the one-line form, the secret ones masked; empty without any.

    A field that is no secret, such as an account's id, is masked as well: it is nobody's business on a screenshot.
    """
    return ":".join(mask(fields[field.name].reveal()) for field in info.key_fields if field.name in fields)
