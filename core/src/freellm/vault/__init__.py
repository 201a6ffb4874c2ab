"""Secrets at rest: the master key, the data key it wraps, and what the data key seals."""

from freellm.vault.master import MASTER_KEY_FILE, MasterKey, find_master_key
from freellm.vault.opening import open_vault
from freellm.vault.unified import rotate_unified_key, unified_key
from freellm.vault.vault import Vault, associated_data

__all__ = [
    "MASTER_KEY_FILE",
    "MasterKey",
    "Vault",
    "associated_data",
    "find_master_key",
    "open_vault",
    "rotate_unified_key",
    "unified_key",
]
