"""Finding the key that a person means."""

from __future__ import annotations

from collections.abc import Sequence

from freellm.errors import SettingsError
from freellm.keyring import ProviderKey

_LEAST_PREFIX = 4


def find(keys: Sequence[ProviderKey], name: str) -> list[ProviderKey]:
    """Return the keys of an id, the first digits of an id, or a label.

    :raises SettingsError: when there is none. What was given is not repeated: it may be a key
    """
    exact = [key for key in keys if name in (key.id, key.label)]
    found = exact or [
        key
        for key in keys
        if key.source == "stored" and len(name) >= _LEAST_PREFIX and key.id.startswith(name)
    ]
    if not found:
        raise SettingsError("no key has that id or label; freellm keys list shows them")
    return found


def the_one(keys: Sequence[ProviderKey], name: str) -> ProviderKey:
    """Return the only key of an id, the first digits of an id, or a label.

    :raises SettingsError: when there is none, or more than one
    """
    found = find(keys, name)
    if len(found) > 1:
        ids = ", ".join(key.id[:13] for key in found)
        raise SettingsError(f"{len(found)} keys are called so; name one by its id: {ids}")
    return found[0]
