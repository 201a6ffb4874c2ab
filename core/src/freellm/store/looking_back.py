"""Reading the tallies of the request log: by steps of time, by groups, and over all."""

from __future__ import annotations

import sqlite3
from typing import Any, Final, Literal, TypeAlias

import msgspec

from freellm.store import histograms
from freellm.store.tallies import Tally

Grouping: TypeAlias = Literal["provider", "model", "key"]
"""What tallies are grouped by."""

_FIELDS: Final = Tally.__struct_fields__[:-2]
_SUMS: Final = ", ".join(f"{'MAX' if name.startswith('slowest') else 'SUM'}({name})" for name in _FIELDS)
_RANGE: Final = "WHERE span = ? AND begins >= ? AND begins < ?"
_NAMES: Final[dict[Grouping, str]] = {
    "provider": "provider",
    "model": "CASE provider WHEN '' THEN '' ELSE provider || '/' || model END",
    "key": "key",
}


class Failed(msgspec.Struct, frozen=True):
    """Attempts that failed.

    :param provider: who was asked
    :param model: for which model
    :param key: with which key
    :param kind: the kind of failure
    :param attempts: how many
    """

    provider: str
    model: str
    key: str
    kind: str
    attempts: int


class Summed(msgspec.Struct):
    """The tallies of a range of time.

    :param steps: by the Unix time at which a step begins
    :param groups: by name
    :param requests: how many requests each group had in each step, by name and by the time at which it begins
    """

    steps: dict[int, Tally]
    groups: dict[str, Tally]
    requests: dict[str, dict[int, int]]


def summed(connection: sqlite3.Connection, span: int, since: float, until: float, by: Grouping) -> Summed:
    """Return the tallies of the steps that begin in a range of time.

    Numbers are added up by the database, which lets other threads run meanwhile; only histograms are added up here.

    :param connection: to read from
    :param span: seconds of a step, one of `freellm.store.tallies.SPANS`
    :param since: Unix time
    :param until: Unix time, itself not in the range
    :param by: what the groups are
    """
    steps = _sums(connection, "begins", span, since, until)
    groups = _sums(connection, _NAMES[by], span, since, until)
    requests: dict[str, dict[int, int]] = {name: {} for name in groups}
    rows = connection.execute(
        f"SELECT begins, {_NAMES[by]}, requests, latencies, firsts FROM tallies {_RANGE}",  # noqa: S608
        (span, since, until),
    )
    for begins, name, count, latencies, firsts in rows:
        step, group, counts = steps[begins], groups[name], requests[name]
        counts[begins] = counts.get(begins, 0) + count
        if latencies:
            histogram = histograms.unpack(latencies)
            step.latencies += histogram
            group.latencies += histogram
        if firsts:
            histogram = histograms.unpack(firsts)
            step.firsts += histogram
            group.firsts += histogram
    return Summed(steps, groups, requests)


def total(connection: sqlite3.Connection, span: int, since: float, until: float) -> Tally:
    """Return the tally of a whole range, without its histograms; see `summed`."""
    return next(iter(_sums(connection, "0", span, since, until).values()), Tally())


def spent(
    connection: sqlite3.Connection, span: int, since: float, until: float
) -> list[tuple[int, str, str, str, int, int, int]]:
    """Return requests, input tokens and output tokens by step, provider, model and key; see `summed`."""
    return connection.execute(
        "SELECT begins, provider, model, key, requests, input_tokens, output_tokens"  # noqa: S608
        f" FROM tallies {_RANGE}",
        (span, since, until),
    ).fetchall()


def failures(connection: sqlite3.Connection, span: int, since: float, until: float) -> list[Failed]:
    """Return the attempts that failed in steps that begin in a range of time; see `summed`."""
    rows = connection.execute(
        "SELECT provider, model, key, kind, SUM(attempts) FROM failures"
        " WHERE span = ? AND begins >= ? AND begins < ? GROUP BY provider, model, key, kind",
        (span, since, until),
    )
    return [Failed(*row) for row in rows]


def _sums(
    connection: sqlite3.Connection, name: str, span: int, since: float, until: float
) -> dict[Any, Tally]:
    rows = connection.execute(
        f"SELECT {name} AS name, {_SUMS} FROM tallies {_RANGE} GROUP BY name",  # noqa: S608
        (span, since, until),
    )
    return {row[0]: Tally(**dict(zip(_FIELDS, row[1:], strict=False))) for row in rows}
