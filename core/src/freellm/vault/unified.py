"""The unified key: the one that clients send to freellm."""

from __future__ import annotations

import secrets
from typing import Final

from freellm.secret import Secret
from freellm.store import Store
from freellm.vault.vault import Vault, associated_data

UNIFIED_KEY: Final = "unified_key"
_PLACE: Final = associated_data("settings", UNIFIED_KEY)


def unified_key(store: Store, vault: Vault) -> Secret:
    """Return the unified key of this database; the first call generates it.

    A key that `FREELLM_API_KEY` fixes is not here: ask `Settings.api_key` first.

    :raises VaultError: when the stored one does not open
    """
    sealed = store.settings.get(UNIFIED_KEY)
    if isinstance(sealed, bytes):
        return Secret(vault.open(sealed, _PLACE).decode())
    with store.transaction():
        # Asked again inside: another process may have generated it meanwhile.
        sealed = store.settings.get(UNIFIED_KEY)
        if isinstance(sealed, bytes):
            return Secret(vault.open(sealed, _PLACE).decode())
        return rotate_unified_key(store, vault)


def rotate_unified_key(store: Store, vault: Vault) -> Secret:
    """Generate a new unified key in place of the old one, which opens nothing any more."""
    key = f"fl-{secrets.token_urlsafe(32)}"
    store.settings.set(UNIFIED_KEY, vault.seal(key.encode(), _PLACE))
    return Secret(key)
