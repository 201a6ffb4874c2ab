"""The database's schema, as numbered steps that only go forward. A released step is never edited.

Each step runs in a transaction of its own together with the new `user_version`, so a crash leaves the old schema or
the new one. Before the first step of an existing database a copy is made beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from freellm.store.files import make_private_file

APPLICATION_ID: Final = 0x46_72_4C_4D
"""Marks the file as ours: "FrLM"."""

CONFIGURATION: Final = (
    "keys",
    "settings",
    "model_overrides",
    "listings",
    "signed_catalogue",
    "instances",
    "profiles",
)
"""The tables whose every change, whoever makes it, counts up `meta.revision`."""

_COUNT_UP: Final = "BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END"


def _counting(*tables: str) -> tuple[str, ...]:
    """Return the triggers by which every change of some tables counts up `meta.revision`."""
    return tuple(
        " ".join(("CREATE TRIGGER", f"{table}_{event}", "AFTER", event, "ON", table, _COUNT_UP))
        for table in tables
        for event in ("insert", "update", "delete")
    )


_VERSION_1: Final = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    """CREATE TABLE keys (
        uuid TEXT PRIMARY KEY,
        provider TEXT NOT NULL,
        label TEXT NOT NULL,
        account TEXT NOT NULL,
        base_url TEXT,
        sealed BLOB NOT NULL CHECK (typeof(sealed) = 'blob'),
        fingerprint TEXT NOT NULL,
        unlimited INTEGER NOT NULL CHECK (unlimited IN (0, 1)),
        enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
        state TEXT NOT NULL CHECK (state IN ('untested', 'valid', 'invalid', 'inconclusive')),
        reason TEXT NOT NULL,
        checked_at REAL,
        created_at REAL NOT NULL,
        UNIQUE (provider, fingerprint)
    )""",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    """CREATE TABLE model_overrides (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        enabled INTEGER CHECK (enabled IN (0, 1)),
        position INTEGER,
        PRIMARY KEY (provider, model)
    ) WITHOUT ROWID""",
    """CREATE TABLE pools (
        identity TEXT PRIMARY KEY,
        unit TEXT NOT NULL,
        window REAL,
        clock TEXT NOT NULL,
        payload BLOB NOT NULL CHECK (typeof(payload) = 'blob'),
        changed REAL NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        surface TEXT NOT NULL,
        requested TEXT NOT NULL,
        provider TEXT,
        model TEXT,
        key TEXT,
        status INTEGER NOT NULL,
        error TEXT,
        stream INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        estimated INTEGER NOT NULL,
        first_delta_ms REAL,
        duration_ms REAL NOT NULL,
        overhead_ms REAL,
        session TEXT
    )""",
    "CREATE INDEX requests_created ON requests (created)",
    # Attempts are written as they happen, the request when it is over: so no foreign key between them.
    """CREATE TABLE attempts (
        request TEXT NOT NULL,
        number INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        status INTEGER,
        started REAL NOT NULL,
        first_byte_ms REAL,
        duration_ms REAL,
        message TEXT NOT NULL,
        quota TEXT NOT NULL,
        PRIMARY KEY (request, number)
    ) WITHOUT ROWID""",
    "CREATE INDEX attempts_started ON attempts (started)",
    "INSERT INTO meta (name, value) VALUES ('revision', 0)",
    *_counting("keys", "settings", "model_overrides"),
)

_LIVE_CATALOGUE: Final = (
    # What providers' own lists say of a model: facts and signs are JSON, see freellm.listings.
    """CREATE TABLE listings (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        facts TEXT NOT NULL,
        first_seen REAL,
        last_seen REAL,
        signs TEXT NOT NULL,
        PRIMARY KEY (provider, model)
    ) WITHOUT ROWID""",
    # When a provider's list was last asked for, and what prevented an answer.
    """CREATE TABLE lists (
        provider TEXT PRIMARY KEY,
        asked REAL NOT NULL,
        problem TEXT NOT NULL
    ) WITHOUT ROWID""",
    # The last good catalogue file with its signature, which is checked again whenever it is read.
    """CREATE TABLE signed_catalogue (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        source TEXT NOT NULL,
        text BLOB NOT NULL CHECK (typeof(text) = 'blob'),
        signature BLOB NOT NULL CHECK (typeof(signature) = 'blob'),
        taken REAL NOT NULL
    )""",
    *_counting("listings", "signed_catalogue"),
)

_INSTANCES: Final = (
    """CREATE TABLE instances (
        name TEXT PRIMARY KEY,
        plugin TEXT NOT NULL,
        base_url TEXT NOT NULL,
        local INTEGER NOT NULL CHECK (local IN (0, 1)),
        concurrent INTEGER,
        created_at REAL NOT NULL
    ) WITHOUT ROWID""",
    *_counting("instances"),
)

_STRATEGIES: Final = (
    # A profile is JSON, see freellm.profiles.
    "CREATE TABLE profiles (name TEXT PRIMARY KEY, profile TEXT NOT NULL) WITHOUT ROWID",
    # What models were measured to do, see freellm.measurements.
    """CREATE TABLE measurements (
        name TEXT PRIMARY KEY,
        at REAL NOT NULL,
        attempts REAL NOT NULL,
        good REAL NOT NULL,
        timed REAL NOT NULL,
        first REAL NOT NULL,
        tokens REAL NOT NULL,
        writing REAL NOT NULL
    ) WITHOUT ROWID""",
    *_counting("profiles"),
)

_REASONS: Final = (
    # What was passed over for a request and why, as JSON, see freellm.store.log; and how much of it before an attempt.
    "ALTER TABLE requests ADD COLUMN passed_over TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE attempts ADD COLUMN passed_over INTEGER NOT NULL DEFAULT 0",
)

_PLUGIN_VALUES: Final = (
    # What plugins keep, each under a name of its own.
    """CREATE TABLE plugin_values (
        plugin TEXT NOT NULL,
        name TEXT NOT NULL,
        value BLOB NOT NULL CHECK (typeof(value) = 'blob'),
        expires REAL,
        PRIMARY KEY (plugin, name)
    ) WITHOUT ROWID""",
)

_SPANS: Final = "(VALUES (60), (1800), (21600), (86400), (259200))"
"""The steps that the log is summed up by, in seconds; see freellm.store.tallies."""

_TALLIES: Final = (
    # The request log summed up by steps of time. Latencies are histograms, see freellm.store.histograms.
    """CREATE TABLE tallies (
        span INTEGER NOT NULL,
        begins INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        requests INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        cancelled INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        fell_back INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        estimated_tokens INTEGER NOT NULL,
        total_ms REAL NOT NULL,
        slowest_ms REAL NOT NULL,
        total_first_ms REAL NOT NULL,
        slowest_first_ms REAL NOT NULL,
        latencies BLOB NOT NULL CHECK (typeof(latencies) = 'blob'),
        firsts BLOB NOT NULL CHECK (typeof(firsts) = 'blob'),
        PRIMARY KEY (span, begins, provider, model, key)
    ) WITHOUT ROWID""",
    # Attempts that failed, summed up likewise, by the row that is written and not by a reader of it.
    """CREATE TABLE failures (
        span INTEGER NOT NULL,
        begins INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        PRIMARY KEY (span, begins, provider, model, key, kind)
    ) WITHOUT ROWID""",
    f"""INSERT INTO failures
        SELECT column1, CAST(started / column1 AS INTEGER) * column1 AS begins, provider, model, key, kind, COUNT(*)
        FROM attempts, {_SPANS} WHERE kind != 'ok' GROUP BY column1, begins, provider, model, key, kind""",  # noqa: S608 - _SPANS is our own
    f"""CREATE TRIGGER attempts_tallied AFTER INSERT ON attempts WHEN NEW.kind != 'ok' BEGIN
        INSERT INTO failures
            SELECT column1, CAST(NEW.started / column1 AS INTEGER) * column1, NEW.provider, NEW.model, NEW.key,
                NEW.kind, 1
            FROM {_SPANS} WHERE true
            ON CONFLICT DO UPDATE SET attempts = attempts + 1;
    END""",  # noqa: S608 - likewise
    # Everything that the log is searched and sorted by, so that no row of it has to be read for that.
    """CREATE INDEX requests_search ON requests (
        created, provider, model, key, status, error, attempts, output_tokens, first_delta_ms, duration_ms, requested, id
    )""",
    "DROP INDEX requests_created",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    _VERSION_1,
    _LIVE_CATALOGUE,
    _INSTANCES,
    _STRATEGIES,
    _REASONS,
    (*_PLUGIN_VALUES, *_TALLIES),
)
"""The statements that lead from one version to the next; the first tuple makes version 1 of an empty file."""


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the number of steps that a database has been through."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, file: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring a database to the newest version.

    :param connection: outside any transaction
    :param file: where the database is; the copy is `<file>.v<version>.backup`
    :param migrations: the steps, the first one leading to version 1
    :raises sqlite3.Error: when a step fails; the database is then as before that step
    """
    version = schema_version(connection)
    if 0 < version < len(migrations):
        _back_up(connection, file.with_name(f"{file.name}.v{version}.backup"))
    while schema_version(connection) < len(migrations):
        _step(connection, migrations)


def _step(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again: another process may have gone this step while this one waited for the lock.
        version = schema_version(connection)
        if version < len(migrations):
            for statement in migrations[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _back_up(connection: sqlite3.Connection, copy: Path) -> None:
    make_private_file(copy)
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)
