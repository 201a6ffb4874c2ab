"""Opening a database's vault: unwrap its data key, or make one when it has never held a secret."""

from __future__ import annotations

import os
from typing import Final

from freellm.errors import VaultError, WrongMasterKeyError
from freellm.settings import Settings
from freellm.store import Store
from freellm.vault.master import KEY_ID_BYTES, MasterKey, create_master_key, find_master_key
from freellm.vault.unified import UNIFIED_KEY
from freellm.vault.vault import Cipher, Vault, associated_data, key_id

DATA_KEY: Final = "data_key"
"""The name in `meta` of the wrapped data key: its id and itself, sealed with the master key."""

_PLACE: Final = associated_data("meta", DATA_KEY)


def open_vault(store: Store, settings: Settings) -> Vault:
    """Open the vault of a database.

    A master key is generated only if none is found and the database has never held a secret.

    :raises WrongMasterKeyError: when the master key at hand is not the database's, or there is none; names both ids.
        Nothing has been written
    :raises VaultError: when a key file is unreadable or badly protected, or the database lost its data key
    :raises StoreError: when the database cannot be written
    """
    wrapped = store.meta.get(DATA_KEY)
    if wrapped is None:
        # Only one process at a time gets here: a second one finds what the first one wrote.
        with store.transaction():
            wrapped = store.meta.get(DATA_KEY)
            if wrapped is None:
                return _create(store, settings)
    if not isinstance(wrapped, bytes):
        raise VaultError(f"the data key in {store.file} is damaged; restore a backup of the database")
    return _unwrap(wrapped, find_master_key(settings), settings)


def _create(store: Store, settings: Settings) -> Vault:
    if store.keys.all() or store.settings.get(UNIFIED_KEY) is not None:
        raise VaultError(
            f"{store.file} holds secrets but no data key any more; restore a backup of the database"
        )
    master = find_master_key(settings) or create_master_key(settings)
    id_, data_key = os.urandom(KEY_ID_BYTES), os.urandom(32)
    store.meta.set(DATA_KEY, Cipher(master.id, master.key).seal(id_ + data_key, _PLACE))
    return Vault(id_, data_key, master_id=master.id.hex(), source=master.source)


def _unwrap(wrapped: bytes, master: MasterKey | None, settings: Settings) -> Vault:
    wanted = key_id(wrapped)
    if master is None or master.id != wanted:
        found = f"the one in {master.source} is {master.id.hex()}" if master else _nothing_found(settings)
        raise WrongMasterKeyError(
            f"the keys in this database were encrypted with master key {wanted.hex()}, and {found}. "
            "Nothing was changed. Bring the right one back (FREELLM_MASTER_KEY_FILE names its file), "
            "or choose an empty data folder and add the provider keys again."
        )
    content = Cipher(master.id, master.key).open(wrapped, _PLACE)
    return Vault(
        content[:KEY_ID_BYTES], content[KEY_ID_BYTES:], master_id=master.id.hex(), source=master.source
    )


def _nothing_found(settings: Settings) -> str:
    return f"there is no master key: neither FREELLM_MASTER_KEY_FILE nor FREELLM_MASTER_KEY nor {settings.config_dir}"
