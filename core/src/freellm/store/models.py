"""What a user decided about models: on, off, and the fallback order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from freellm.catalogue import Choice
from freellm.store.database import Connection

ModelRef: TypeAlias = tuple[str, str]
"""A provider's name and the provider's model id."""


class ModelTable:
    """Reads and writes decisions about models; a write is on the disk when the method returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def overrides(self) -> dict[ModelRef, Choice]:
        """Return every decision."""
        with self._connection.reading() as database:
            rows = database.execute(
                "SELECT provider, model, enabled, position FROM model_overrides"
            ).fetchall()
        return {
            (provider, model): Choice(None if enabled is None else bool(enabled), position)
            for provider, model, enabled, position in rows
        }

    def enable(self, provider: str, model: str, enabled: bool | None) -> None:
        """Switch a model on or off; None goes back to what the catalogue says."""
        with self._connection.writing() as database:
            database.execute(
                "INSERT INTO model_overrides (provider, model, enabled) VALUES (?, ?, ?)"
                " ON CONFLICT (provider, model) DO UPDATE SET enabled = excluded.enabled",
                [provider, model, enabled],
            )
            _drop_empty(database.conn)

    def order(self) -> list[ModelRef]:
        """Return the models that have a place in the fallback order, the first one first."""
        placed = [
            (found.position, ref) for ref, found in self.overrides().items() if found.position is not None
        ]
        return [ref for _, ref in sorted(placed)]

    def set_order(self, order: Sequence[ModelRef]) -> None:
        """Give these models, and no others, their places."""
        with self._connection.writing() as database:
            database.execute("UPDATE model_overrides SET position = NULL")
            database.conn.executemany(
                "INSERT INTO model_overrides (provider, model, position) VALUES (?, ?, ?)"
                " ON CONFLICT (provider, model) DO UPDATE SET position = excluded.position",
                [(provider, model, position) for position, (provider, model) in enumerate(order)],
            )
            _drop_empty(database.conn)

    def move(self, ref: ModelRef, position: int, order: Sequence[ModelRef]) -> None:
        """Put one model at a place and keep the others in their order.

        :param position: from 0; a larger one than the last is the last
        :param order: the whole order as the user sees it now, places and defaults together
        """
        rest = [other for other in order if other != ref]
        self.set_order([*rest[:position], ref, *rest[position:]])

    def reset_order(self) -> None:
        """Forget all places."""
        self.set_order([])


def _drop_empty(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM model_overrides WHERE enabled IS NULL AND position IS NULL")
