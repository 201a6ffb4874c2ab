"""A key's state in one word, and a key as a row."""

from __future__ import annotations

from typing import Any

from freellm.administration.folder import DataFolder
from freellm.administration.probing import models_of
from freellm.keyring import ProviderKey


def state_of(key: ProviderKey) -> str:
    """Return what is known of a key: a check that settled nothing leaves it untested."""
    return "untested" if key.state == "inconclusive" else key.state


def described(folder: DataFolder, key: ProviderKey) -> dict[str, Any]:
    """Return what is told of a key; nothing of it is secret."""
    orphaned = folder.orphaned(key)
    provider = folder.providers.get(key.provider)
    works = provider is not None and key.usable
    return {
        "id": key.id,
        "provider": key.provider,
        "label": key.label,
        "source": key.source,
        "state": "orphaned" if orphaned else state_of(key),
        "reason": orphaned or key.reason,
        "checked_at": key.checked_at,
        "unlimited": key.unlimited,
        "enabled": key.enabled and not orphaned,
        "base_url": key.base_url,
        "models": models_of(folder, provider) if works and provider is not None else [],
    }


def short(id_: str) -> str:
    """Return as much of a key's id as tells it from others: eight digits of a stored key's."""
    return id_ if ":" in id_ else id_[:8]
