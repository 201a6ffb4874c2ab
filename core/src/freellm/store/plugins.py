"""What plugins keep: named values, each plugin's own, some of which expire."""

from __future__ import annotations

from freellm.store.database import Connection


class PluginTable:
    """Reads and writes one plugin's values; a write is on the disk when the method returns.

    Other processes see it at once. An expired value is as good as none. Secrets belong here as digests only: rows are not
    encrypted.

    :param connection: the durable one
    :param plugin: the plugin's name
    """

    def __init__(self, connection: Connection, plugin: str) -> None:
        self._connection = connection
        self._plugin = plugin

    def get(self, name: str, now: float) -> bytes | None:
        """Return a value, or None when there is none (15 µs).

        :param now: Unix time
        """
        with self._connection.reading() as database:
            row = database.execute(
                "SELECT value FROM plugin_values WHERE plugin = ? AND name = ? AND ifnull(expires > ?, 1)",
                [self._plugin, name, now],
            ).fetchone()
        return None if row is None else bytes(row[0])

    def all(self, prefix: str, now: float) -> dict[str, bytes]:
        """Return the values whose names begin so, by name.

        :param now: Unix time
        """
        with self._connection.reading() as database:
            rows = database.execute(
                "SELECT name, value FROM plugin_values"
                " WHERE plugin = ? AND substr(name, 1, ?) = ? AND ifnull(expires > ?, 1) ORDER BY name",
                [self._plugin, len(prefix), prefix, now],
            ).fetchall()
        return {name: bytes(value) for name, value in rows}

    def set(self, name: str, value: bytes, expires: float | None = None) -> None:
        """Write a value over the one of that name, if there is one.

        :param expires: Unix time from which on there is none; None is never
        """
        with self._connection.writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO plugin_values (plugin, name, value, expires) VALUES (?, ?, ?, ?)",
                [self._plugin, name, value, expires],
            )

    def replace(self, name: str, value: bytes, expires: float | None, now: float) -> bool:
        """Write a value over one that is there; write nothing when there is none, and return whether there was.

        :param expires: Unix time from which on there is none; None is never
        :param now: Unix time
        """
        with self._connection.writing() as database:
            cursor = database.execute(
                "UPDATE plugin_values SET value = ?, expires = ?"
                " WHERE plugin = ? AND name = ? AND ifnull(expires > ?, 1)",
                [value, expires, self._plugin, name, now],
            )
            return cursor.rowcount > 0

    def take(self, name: str, now: float) -> bytes | None:
        """Delete a value and return it; of several that take it, in whatever process, only one gets it.

        :param now: Unix time
        """
        with self._connection.writing():
            value = self.get(name, now)
            self.remove(name)
        return value

    def remove(self, name: str) -> bool:
        """Delete a value; return whether there was one."""
        with self._connection.writing() as database:
            return (
                database.execute(
                    "DELETE FROM plugin_values WHERE plugin = ? AND name = ?", [self._plugin, name]
                ).rowcount
                > 0
            )

    def clear(self, prefix: str) -> int:
        """Delete the values whose names begin so; return how many there were."""
        with self._connection.writing() as database:
            return database.execute(
                "DELETE FROM plugin_values WHERE plugin = ? AND substr(name, 1, ?) = ?",
                [self._plugin, len(prefix), prefix],
            ).rowcount

    def sweep(self, now: float) -> int:
        """Delete what has expired; return how many values that was.

        :param now: Unix time
        """
        with self._connection.writing() as database:
            return database.execute(
                "DELETE FROM plugin_values WHERE plugin = ? AND expires <= ?", [self._plugin, now]
            ).rowcount
