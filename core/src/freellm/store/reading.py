"""Looking back: the request log in pages, through a connection that cannot write."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from freellm.errors import SettingsError
from freellm.store.database import store_errors

Sort: TypeAlias = Literal["created", "duration_ms", "first_delta_ms", "attempts", "output_tokens"]
"""What the log can be sorted by, the largest first."""

Outcome: TypeAlias = Literal["all", "ok", "failed", "fell_back"]
"""What clients got: anything, an answer, none, or an answer after a failed attempt."""

_SORTS: Final[dict[Sort, str]] = {
    name: name for name in ("created", "duration_ms", "first_delta_ms", "attempts", "output_tokens")
}
_OUTCOMES: Final[dict[Outcome, str]] = {
    "all": "true",
    "ok": "status = 200 AND error IS NULL",
    "failed": "NOT (status = 200 AND error IS NULL)",
    "fell_back": "attempts > 1",
}
_SEARCHED: Final = ("id", "requested", "model", "error")
_CURSOR: Final = re.compile(r"(-?[0-9.e+-]{1,40})~([0-9]{1,19})")
_PAGE: Final = """
    SELECT r.rowid AS place, r.id, r.created, r.surface, r.requested, r.provider, r.model, r.key, r.status, r.error,
        r.stream, r.attempts, r.input_tokens, r.output_tokens, r.estimated, r.first_delta_ms, r.duration_ms,
        r.overhead_ms
    FROM (SELECT rowid FROM requests WHERE {wheres} ORDER BY {sort} DESC, rowid DESC LIMIT ?) AS found
    JOIN requests AS r ON r.rowid = found.rowid ORDER BY r.{sort} DESC, r.rowid DESC"""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests are wanted.

    :param provider: who answered; None is anyone
    :param model: the provider's own id of the model
    :param key: the id of the key
    :param outcome: what the client got
    :param text: a piece of the id, of what was asked for, of the model or of the error
    :param since: Unix time; no earlier ones
    :param sort: the largest of these first
    :param after: the `next` of the page before; None is the first page
    :param limit: how many
    """

    provider: str | None = None
    model: str | None = None
    key: str | None = None
    outcome: Outcome = "all"
    text: str = ""
    since: float | None = None
    sort: Sort = "created"
    after: str | None = None
    limit: int = 50


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a database to read from it and no more.

    :raises StoreError: when it cannot be read
    """
    with store_errors(file), closing(read_only(file)) as connection:
        yield connection


def read_only(file: Path) -> sqlite3.Connection:
    """Return a connection that cannot write, for one thread at a time."""
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5.0, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    return connection


def page(connection: sqlite3.Connection, wanted: Wanted) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of the log.

    :return: the rows by column, and what the next page is asked for by; None: there is none
    :raises SettingsError: when `after` is not the `next` of a page
    """
    sort = _SORTS[wanted.sort]
    wheres, values = _conditions(wanted, sort)
    cursor = connection.execute(
        _PAGE.format(wheres=" AND ".join(wheres), sort=sort), [*values, wanted.limit + 1]
    )
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    return rows, f"{rows[-1][sort]!r}~{rows[-1]['place']}" if more else None


def _conditions(wanted: Wanted, sort: str) -> tuple[list[str], list[Any]]:
    wheres, values = [_OUTCOMES[wanted.outcome], f"{sort} IS NOT NULL"], list[Any]()
    for column in ("provider", "model", "key"):
        if (value := getattr(wanted, column)) is not None:
            wheres.append(f"{column} = ?")
            values.append(value)
    if wanted.since is not None:
        wheres.append("created >= ?")
        values.append(wanted.since)
    if wanted.text:
        like = re.sub(r"([\\%_])", r"\\\1", wanted.text)
        wheres.append("(" + " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in _SEARCHED) + ")")
        values += [f"%{like}%"] * len(_SEARCHED)
    if wanted.after is not None:
        wheres.append(f"({sort}, rowid) < (?, ?)")
        values += _place(wanted.after)
    return wheres, values


def _place(after: str) -> list[Any]:
    found = _CURSOR.fullmatch(after)
    try:
        return [float(found[1]), int(found[2])] if found else _refuse_place()
    except ValueError:
        return _refuse_place()


def _refuse_place() -> list[Any]:
    raise SettingsError("this is not what the page before ended with; begin with the first page")
