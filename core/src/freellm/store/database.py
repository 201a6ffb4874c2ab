"""Opening the SQLite file, and transactions on it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal

from sqlite_utils import Database

from freellm.errors import StoreError
from freellm.store.files import make_private_file, make_private_folder
from freellm.store.migrations import APPLICATION_ID, CONFIGURATION, MIGRATIONS, migrate, schema_version

_BUSY_SECONDS: Final = 5.0
_CHECKED: Final = ("meta", *CONFIGURATION, "pools")
"""The tables that are checked at each start; the request log is not worth the time."""
_PRAGMAS: Final = (
    "journal_mode = WAL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    f"journal_size_limit = {16 * 1024**2}",
)

# What a row holds most after text and numbers; without these, SQLite's module asks each value for an attribute that it
# does not have before it takes it as it is, which is a third of writing a row.
sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(type(None), lambda nothing: nothing)


class Connection:
    """One connection to the database, usable from every thread by one at a time.

    :param file: the database, which exists and is migrated
    :param synchronous: `FULL` commits survive a power cut, `NORMAL` ones a killed process (and are ten times faster)
    """

    def __init__(self, file: Path, synchronous: Literal["FULL", "NORMAL"]) -> None:
        self._file = file
        self._lock = threading.RLock()
        self.raw = sqlite3.connect(file, timeout=_BUSY_SECONDS, check_same_thread=False)
        # sqlite-utils would load other people's plugins into the process that holds the keys.
        self._database = Database(self.raw, execute_plugins=False)
        for pragma in (*_PRAGMAS, f"synchronous = {synchronous}"):
            self.raw.execute(f"PRAGMA {pragma}").fetchall()

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Read outside a transaction.

        :raises StoreError: when the database cannot be read
        """
        with self._lock, store_errors(self._file):
            yield self._database

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Write in one transaction that is committed at the end, or rolled back by an exception.

        Inside another one on this connection it is a part of that one.

        :raises StoreError: when the database cannot be written: full, read-only, or locked for over five seconds
        """
        with self._lock, store_errors(self._file):
            if self.raw.in_transaction:
                yield self._database
                return
            # IMMEDIATE waits for another writer here, instead of failing half-way at the first write.
            self.raw.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self.raw.execute("COMMIT")
            except BaseException:
                self.raw.rollback()
                raise

    def truncate_log(self) -> None:
        """Fold the write-ahead log into the file and empty it, unless a reader or a transaction is in the way."""
        with self.reading() as database:
            if not self.raw.in_transaction:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connection; the last one to close folds the write-ahead log into the file."""
        with self._lock:
            self.raw.close()


def prepare(file: Path) -> None:
    """Make the database, or check the one that is there, and bring it to this release's schema.

    A file that is refused has not been changed.

    :raises StoreError: when the file is not a freellm database, is damaged, or was written by a newer release
    """
    make_private_folder(file.parent)
    if file.is_dir():
        raise StoreError(f"{file} is a folder; move it away or choose another data folder")
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        if name == file.name or file.with_name(name).exists():
            make_private_file(file.with_name(name))
    if file.stat().st_size:
        _check(file)
    with store_errors(file), closing(Connection(file, "FULL")) as connection:
        migrate(connection.raw, file)


def _check(file: Path) -> None:
    """Look at an existing database through a read-only connection, which cannot checkpoint and so changes nothing."""
    try:
        with closing(
            sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        ) as connection:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = schema_version(connection)
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in rows}
            problems = [quick_check(connection, table) for table in _CHECKED if table in tables]
    except (
        sqlite3.DatabaseError,
        UnicodeDecodeError,
    ) as error:  # SQLite quotes what is damaged, whatever it is
        raise _refusal(file, f"cannot be read ({error})") from error
    if (tables or version) and (application != APPLICATION_ID or version < 1):
        raise _refusal(file, "was not made by freellm")
    if damage := next(filter(None, problems), None):
        raise _refusal(file, f"is damaged ({damage[0]})")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{file} was written by a newer freellm (schema {version}, this one knows {len(MIGRATIONS)}): "
            "upgrade freellm, or choose another data folder. The file was not changed."
        )


def quick_check(connection: sqlite3.Connection, table: str | int = 5) -> list[str]:
    """Return what SQLite's own check of the file's structure finds; an empty list is a sound database.

    :param table: the table to check, or how many findings in the whole file are enough. A whole file with 200,000
        logged requests takes 180 ms, so only the small tables are checked at each start
    """
    rows = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({table})")]
    return [] if rows == ["ok"] else rows


def _refusal(file: Path, what: str) -> StoreError:
    return StoreError(
        f"{file} {what}. The file was not changed. Put a backup in its place (with no -wal and -shm file beside it), "
        "or move it away to start with an empty database."
    )


@contextmanager
def store_errors(file: Path) -> Iterator[None]:
    """Turn what SQLite says about a file into a `StoreError` that names it."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # Subclasses such as IntegrityError are about a statement, not about the file, and pass.
        if type(error) in (sqlite3.DatabaseError, sqlite3.OperationalError):
            raise StoreError(f"{file}: {error}") from error
        raise
    except UnicodeDecodeError as error:
        raise StoreError(f"{file}: its schema is damaged") from error
