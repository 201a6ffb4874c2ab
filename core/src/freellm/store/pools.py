"""What was spent of each quota, as the ledger hands it over: this module does not look into a pool."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from freellm.ledger import PoolState
from freellm.store.bulk import insert
from freellm.store.database import Connection


class PoolTable:
    """Saves and loads pools in bulk."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, pools: Iterable[PoolState]) -> None:
        """Write pools over what was saved of the same ones."""
        with self._connection.writing() as database:
            # The columns stand in the order of the struct's fields.
            insert(
                database.conn,
                "INSERT OR REPLACE INTO pools (identity, unit, window, clock, payload, changed) VALUES",
                map(msgspec.structs.astuple, pools),
            )

    def load(self) -> list[PoolState]:
        """Return every pool that was saved and not pruned since."""
        with self._connection.reading() as database:
            rows = database.query("SELECT * FROM pools")
            return [msgspec.convert(row, PoolState, builtin_types=(bytes,)) for row in rows]

    def prune(self, before: float) -> int:
        """Delete pools that have not changed since a Unix time; return how many."""
        with self._connection.writing() as database:
            return database.execute("DELETE FROM pools WHERE changed < ?", [before]).rowcount
