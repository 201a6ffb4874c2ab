"""The request log summed up: by steps of a minute, half an hour, six hours, a day and three days.

Looking back over months thus reads thousands of rows and not hundreds of thousands. What is folded in is marked by the
log's own row numbers, so that nothing is counted twice and nothing is left out, whoever wrote it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from freellm.store import histograms
from freellm.store.bulk import insert
from freellm.store.database import Connection
from freellm.store.log import RequestRecord

SPANS: Final = (60, 1_800, 21_600, 86_400, 259_200)
"""Seconds of a step."""

_DAY: Final = 86_400

KEPT: Final = {60: _DAY // 8, 1_800: 3 * _DAY, 21_600: 15 * _DAY, 86_400: 100 * _DAY, 259_200: 400 * _DAY}
"""Seconds that the steps of each length are kept."""

_MARK: Final = "tallied"
_AT_ONCE: Final = 5_000
"""Rows that are folded in within one transaction."""

_Place: TypeAlias = tuple[int, str, str, str]
"""When a step begins; provider, model and key, empty when nobody was asked."""


class Tally(msgspec.Struct, kw_only=True):
    """What became of some requests.

    :param requests: how many there were
    :param succeeded: how many of these got a whole answer
    :param cancelled: how many clients left before
    :param attempts: requests to providers
    :param fell_back: requests that took more than one attempt
    :param input_tokens: tokens of prompts
    :param output_tokens: tokens of answers
    :param estimated_tokens: how many of the two are estimated
    :param total_ms: milliseconds of those that succeeded, together
    :param slowest_ms: the longest of them
    :param total_first_ms: milliseconds to the first delta of streams that succeeded, together
    :param slowest_first_ms: the longest of them
    :param latencies: the histogram of the former
    :param firsts: the histogram of the latter
    """

    requests: int = 0
    succeeded: int = 0
    cancelled: int = 0
    attempts: int = 0
    fell_back: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    estimated_tokens: int = 0
    total_ms: float = 0.0
    slowest_ms: float = 0.0
    total_first_ms: float = 0.0
    slowest_first_ms: float = 0.0
    latencies: int = 0
    firsts: int = 0

    def add(self, other: Tally) -> None:
        """Add what became of others."""
        self.requests += other.requests
        self.succeeded += other.succeeded
        self.cancelled += other.cancelled
        self.attempts += other.attempts
        self.fell_back += other.fell_back
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.estimated_tokens += other.estimated_tokens
        self.total_ms += other.total_ms
        self.slowest_ms = max(self.slowest_ms, other.slowest_ms)
        self.total_first_ms += other.total_first_ms
        self.slowest_first_ms = max(self.slowest_first_ms, other.slowest_first_ms)
        self.latencies += other.latencies
        self.firsts += other.firsts


_FIELDS: Final = Tally.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)
_MARKED: Final = """
    SELECT COALESCE((SELECT value FROM meta WHERE name = ?), 0), COALESCE((SELECT MAX(rowid) FROM requests), 0)"""
_NEW_ROWS: Final = """
    SELECT rowid, created, COALESCE(provider, ''), COALESCE(model, ''), COALESCE(key, ''), status, error, attempts,
        COALESCE(input_tokens, 0), COALESCE(output_tokens, 0), estimated, first_delta_ms, duration_ms
    FROM requests WHERE rowid > ? ORDER BY rowid LIMIT ?"""
_GET: Final = (
    f"SELECT {_COLUMNS} FROM tallies"  # noqa: S608 - the names are this module's own
    " WHERE span = ? AND begins = ? AND provider = ? AND model = ? AND key = ?"
)
_PUT: Final = f"INSERT OR REPLACE INTO tallies (span, begins, provider, model, key, {_COLUMNS}) VALUES"


class TallyTable:
    """Sums the request log up, and reads the sums."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fold(self) -> bool:
        """Sum up what was logged since the last time, 5,000 requests at most; return whether that was all."""
        with self._connection.writing() as database:
            mark, last = database.execute(_MARKED, [_MARK]).fetchone()
            rows = database.execute(_NEW_ROWS, [mark, _AT_ONCE]).fetchall()
            if not rows and last >= mark:
                return True
            self._write(database.conn, (row[1:] for row in rows), rows[-1][0] if rows else last)
            return len(rows) < _AT_ONCE

    @property
    def is_current(self) -> bool:
        """Whether everything that is logged is summed up."""
        with self._connection.reading() as database:
            mark, last = database.execute(_MARKED, [_MARK]).fetchone()
        return bool(mark == last)

    def add(self, requests: Iterable[RequestRecord]) -> None:
        """Sum up requests that have just been logged, all before them being summed up: they need not be read again.

        Of several with one id the log keeps the last.
        """
        with self._connection.writing() as database:
            _, last = database.execute(_MARKED, [_MARK]).fetchone()
            self._write(
                database.conn, map(_as_row, {request.id: request for request in requests}.values()), last
            )

    def _write(self, connection: sqlite3.Connection, rows: Iterable[Sequence[Any]], reached: int) -> None:
        for span, tallies in _summed(rows).items():
            insert(
                connection,
                _PUT,
                (
                    (span, *place, *_row(self._with_stored(connection, span, place, tally)))
                    for place, tally in tallies.items()
                ),
            )
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", [_MARK, reached])

    def fold_all(self) -> None:
        """Sum up everything that was logged, in transactions of 5,000 requests."""
        while not self.fold():
            pass

    def _with_stored(self, connection: sqlite3.Connection, span: int, place: _Place, tally: Tally) -> Tally:
        if stored := connection.execute(_GET, (span, *place)).fetchone():
            tally.add(_tally(stored))
        return tally

    def prune(self, now: float) -> None:
        """Delete the steps that are older than they are kept.

        :param now: Unix time
        """
        with self._connection.writing() as database:
            for span, kept in KEPT.items():
                for table in ("tallies", "failures"):
                    database.execute(
                        f"DELETE FROM {table} WHERE span = ? AND begins < ?",  # noqa: S608
                        [span, now - kept],
                    )


def _tally(row: Sequence[Any]) -> Tally:
    *figures, latencies, firsts = row
    numbers = zip(_FIELDS, figures, strict=False)
    return Tally(**dict(numbers), latencies=histograms.unpack(latencies), firsts=histograms.unpack(firsts))


def _row(tally: Tally) -> tuple[Any, ...]:
    *figures, latencies, firsts = msgspec.structs.astuple(tally)
    return (*figures, histograms.pack(latencies), histograms.pack(firsts))


def _summed(rows: Iterable[Sequence[Any]]) -> dict[int, dict[_Place, Tally]]:
    """Return the tallies of log rows by length of step; those of the longer steps are made of those of the shorter."""
    shorter: dict[_Place, Tally] = defaultdict(Tally)
    for created, provider, model, key, *logged in rows:
        shorter[_begins(created, SPANS[0]), provider, model, key].add(_logged(*logged))
    summed = {SPANS[0]: shorter}
    for span in SPANS[1:]:
        longer: dict[_Place, Tally] = defaultdict(Tally)
        for (begins, *route), tally in shorter.items():
            provider, model, key = route
            longer[_begins(begins, span), provider, model, key].add(tally)
        summed[span] = shorter = longer
    return summed


def _as_row(request: RequestRecord) -> tuple[Any, ...]:
    """Return what `_NEW_ROWS` reads of a request, its number aside."""
    return (
        request.created,
        request.provider or "",
        request.model or "",
        request.key or "",
        request.status,
        request.error,
        request.attempts,
        request.input_tokens or 0,
        request.output_tokens or 0,
        int(request.estimated),
        request.first_delta_ms,
        request.duration_ms,
    )


def _begins(at: float, span: int) -> int:
    return int(at // span) * span


def _logged(
    status: int,
    error: str | None,
    attempts: int,
    input_tokens: int,
    output_tokens: int,
    estimated: int,
    first_delta_ms: float | None,
    duration_ms: float,
) -> Tally:
    """Return the tally of one request. Latencies are of those that the client got: a refusal is quick and no answer."""
    succeeded = status == 200 and error is None
    first = first_delta_ms if succeeded else None
    return Tally(
        requests=1,
        succeeded=int(succeeded),
        cancelled=int(status == 499),
        attempts=attempts,
        fell_back=int(attempts > 1),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        estimated_tokens=input_tokens + output_tokens if estimated else 0,
        total_ms=duration_ms if succeeded else 0.0,
        slowest_ms=duration_ms if succeeded else 0.0,
        total_first_ms=first or 0.0,
        slowest_first_ms=first or 0.0,
        latencies=histograms.of(duration_ms) if succeeded else 0,
        firsts=0 if first is None else histograms.of(first),
    )
