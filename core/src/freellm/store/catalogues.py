"""The last good catalogue file; see `freellm.signed_catalogue`."""

from __future__ import annotations

from freellm.signed_catalogue import SignedFile
from freellm.store.database import Connection


class CatalogueTable:
    """Reads and writes the one catalogue file that is held; a write is on the disk when the method returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self) -> SignedFile | None:
        """Return the file, or None when there is none."""
        with self._connection.reading() as database:
            row = database.execute("SELECT source, text, signature FROM signed_catalogue").fetchone()
        return None if row is None else SignedFile(*row)

    def set(self, file: SignedFile, taken: float) -> None:
        """Hold a file in place of the one there is.

        :param taken: Unix time
        """
        with self._connection.writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO signed_catalogue (id, source, text, signature, taken)"
                " VALUES (1, ?, ?, ?, ?)",
                [file.source, file.text, file.signature, taken],
            )
