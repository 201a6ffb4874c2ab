"""The one SQLite file that freellm keeps, and the lock that keeps a second server out."""

from freellm.store.instances import StoredInstance
from freellm.store.keys import KeyState, StoredKey
from freellm.store.lock import AlreadyRunningError, ServerLock
from freellm.store.log import PASSED_OVER_KEPT, AttemptRecord, LoggedRequest, RequestRecord
from freellm.store.models import ModelRef
from freellm.store.plugins import PluginTable
from freellm.store.store import DATABASE_FILE, Store

__all__ = [
    "DATABASE_FILE",
    "PASSED_OVER_KEPT",
    "AlreadyRunningError",
    "AttemptRecord",
    "KeyState",
    "LoggedRequest",
    "ModelRef",
    "PluginTable",
    "RequestRecord",
    "ServerLock",
    "Store",
    "StoredInstance",
    "StoredKey",
]
