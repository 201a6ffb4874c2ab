"""The profiles that were made on the command line."""

from __future__ import annotations

from freellm.profiles import Profile
from freellm.store.database import Connection


class ProfileTable:
    """Reads and writes profiles; a write is on the disk when the method returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, Profile]:
        """Return every profile by its name."""
        with self._connection.reading() as database:
            rows = database.execute("SELECT name, profile FROM profiles ORDER BY name").fetchall()
        return {name: Profile.model_validate_json(text) for name, text in rows}

    def set(self, name: str, profile: Profile) -> None:
        """Write a profile over the one of that name, if there is one."""
        with self._connection.writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO profiles (name, profile) VALUES (?, ?)",
                [name, profile.model_dump_json(exclude_defaults=True)],
            )

    def remove(self, name: str) -> bool:
        """Delete a profile; return whether there was one."""
        with self._connection.writing() as database:
            return database.execute("DELETE FROM profiles WHERE name = ?", [name]).rowcount > 0
