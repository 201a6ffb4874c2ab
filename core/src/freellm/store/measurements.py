"""What models were measured to do, as the server hands it over."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from freellm.measurements import TrackState
from freellm.store.bulk import insert
from freellm.store.database import Connection


class MeasurementTable:
    """Saves and loads tracks in bulk."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, tracks: Iterable[TrackState]) -> None:
        """Write tracks over what was saved of the same ones."""
        with self._connection.writing() as database:
            # The columns stand in the order of the struct's fields.
            insert(
                database.conn,
                "INSERT OR REPLACE INTO measurements (name, at, attempts, good, timed, first, tokens, writing)"
                " VALUES",
                map(msgspec.structs.astuple, tracks),
            )

    def load(self) -> list[TrackState]:
        """Return every track that was saved and not pruned since."""
        with self._connection.reading() as database:
            rows = database.query("SELECT * FROM measurements")
            return [msgspec.convert(row, TrackState) for row in rows]

    def prune(self, before: float) -> int:
        """Delete tracks that have not changed since a Unix time; return how many."""
        with self._connection.writing() as database:
            return database.execute("DELETE FROM measurements WHERE at < ?", [before]).rowcount
