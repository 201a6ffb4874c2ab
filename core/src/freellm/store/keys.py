"""The table of provider keys. What is secret in a row is sealed before it gets here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from freellm.store.database import Connection

KeyState: TypeAlias = Literal["untested", "valid", "invalid", "inconclusive"]
"""What the last check of a key found."""


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    :param uuid: the key's identifier
    :param provider: the provider's, or the provider instance's, name
    :param label: what the user calls it
    :param account: a fingerprint of the account it belongs to
    :param base_url: the base URL it is for, when that is not the provider's own
    :param sealed: its fields, encrypted
    :param fingerprint: what tells it from other keys of the provider without being secret
    :param unlimited: whether it is on a paid plan
    :param enabled: whether it is used
    :param state: what the last check found
    :param reason: why, in words for a person
    :param checked_at: Unix time of the last check
    :param created_at: Unix time at which it was added
    """

    uuid: str
    provider: str
    label: str
    account: str
    base_url: str | None
    sealed: bytes
    fingerprint: str
    unlimited: bool = False
    enabled: bool = True
    state: KeyState = "untested"
    reason: str = ""
    checked_at: float | None = None
    created_at: float


class KeyTable:
    """Reads and writes provider keys; a write is on the disk when the method returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[StoredKey]:
        """Return every key, the first added first."""
        with self._connection.reading() as database:
            return [_key(row) for row in database.query("SELECT * FROM keys ORDER BY rowid")]

    def get(self, uuid: str) -> StoredKey | None:
        """Return one key, or None when there is none of this identifier."""
        with self._connection.reading() as database:
            rows = database.query("SELECT * FROM keys WHERE uuid = ?", [uuid])
            return next((_key(row) for row in rows), None)

    def add(self, key: StoredKey) -> None:
        """Add a key.

        :raises sqlite3.IntegrityError: when the provider has a key of this fingerprint already
        """
        with self._connection.writing() as database:
            database.table("keys").insert(msgspec.structs.asdict(key))

    def edit(
        self,
        uuid: str,
        *,
        label: str | None = None,
        enabled: bool | None = None,
        unlimited: bool | None = None,
    ) -> bool:
        """Change what a user may change of a key, None being no change; return whether there is such a key."""
        changes = {"label": label, "enabled": enabled, "unlimited": unlimited}
        return self._update(uuid, {name: value for name, value in changes.items() if value is not None})

    def record(self, uuid: str, state: KeyState, reason: str, checked_at: float) -> bool:
        """Note what a check found at a Unix time; return whether there is such a key."""
        return self._update(uuid, {"state": state, "reason": reason, "checked_at": checked_at})

    def reseal(self, uuid: str, *, sealed: bytes, base_url: str | None, account: str) -> bool:
        """Replace the sealed fields and what they are bound to; return whether there is such a key."""
        return self._update(uuid, {"sealed": sealed, "base_url": base_url, "account": account})

    def remove(self, uuid: str) -> bool:
        """Delete a key and, as far as no reader is in the way, its traces in the write-ahead log."""
        with self._connection.writing() as database:
            found = database.execute("DELETE FROM keys WHERE uuid = ?", [uuid]).rowcount > 0
        self._connection.truncate_log()
        return found

    def remove_fingerprint(self, provider: str, fingerprint: str) -> None:
        """Delete the key of a provider that has this fingerprint, if there is one."""
        with self._connection.writing() as database:
            database.execute(
                "DELETE FROM keys WHERE provider = ? AND fingerprint = ?", [provider, fingerprint]
            )

    def _update(self, uuid: str, changes: Mapping[str, Any]) -> bool:
        with self._connection.writing() as database:
            found = database.execute("SELECT 1 FROM keys WHERE uuid = ?", [uuid]).fetchone() is not None
            if found and changes:
                database.table("keys").update(uuid, dict(changes))
            return found


def _key(row: dict[str, Any]) -> StoredKey:
    return msgspec.convert(row, StoredKey, strict=False, builtin_types=(bytes,))
