"""The services that a user added under names of their own. What is secret about them is in the table of keys."""

from __future__ import annotations

import msgspec

from freellm.store.database import Connection


class StoredInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    :param name: what the user calls it
    :param plugin: the plugin that asks it
    :param base_url: origin and path prefix of its API
    :param local: whether it may be on this machine or in its network
    :param concurrent: requests it is sent at once, at most; None is as many as come
    :param created_at: Unix time at which it was added
    """

    name: str
    plugin: str
    base_url: str
    local: bool
    concurrent: int | None = None
    created_at: float


class InstanceTable:
    """Reads and writes instances; a write is on the disk when the method returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[StoredInstance]:
        """Return every instance, by name."""
        with self._connection.reading() as database:
            rows = database.query("SELECT * FROM instances ORDER BY name")
            return [msgspec.convert(row, StoredInstance, strict=False) for row in rows]

    def get(self, name: str) -> StoredInstance | None:
        """Return one instance, or None when there is none of this name."""
        return next((row for row in self.all() if row.name == name), None)

    def add(self, instance: StoredInstance) -> None:
        """Add an instance.

        :raises sqlite3.IntegrityError: when there is one of this name
        """
        with self._connection.writing() as database:
            database.table("instances").insert(msgspec.structs.asdict(instance))

    def remove(self, name: str) -> bool:
        """Delete an instance, its keys, what its list said and what was decided about its models.

        :return: whether there was an instance of this name
        """
        with self._connection.writing() as database:
            found = database.execute("DELETE FROM instances WHERE name = ?", [name]).rowcount > 0
            if found:
                for table in ("keys", "model_overrides", "listings", "lists"):
                    database.table(table).delete_where("provider = ?", [name])
        self._connection.truncate_log()
        return found
