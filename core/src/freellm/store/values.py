"""The tables of named values: `settings` (what the user set) and `meta` (what freellm notes for itself)."""

from __future__ import annotations

from typing import Literal

from freellm.store.database import Connection


class ValueTable:
    """Reads and writes named values; a write is on the disk when the method returns."""

    def __init__(self, connection: Connection, table: Literal["settings", "meta"]) -> None:
        self._connection = connection
        self._table = table

    def get(self, name: str) -> bytes | str | float | None:
        """Return a value, or None when there is none."""
        with self._connection.reading() as database:
            rows = database.table(self._table).rows_where("name = ?", [name], select="value")
            return next((row["value"] for row in rows), None)

    def set(self, name: str, value: bytes | str | float) -> None:
        """Write a value."""
        with self._connection.writing() as database:
            database.table(self._table).upsert({"name": name, "value": value}, pk="name")

    def remove(self, name: str) -> None:
        """Delete a value, if there is one."""
        with self._connection.writing() as database:
            database.table(self._table).delete_where("name = ?", [name])
