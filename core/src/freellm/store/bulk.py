"""Many rows in few statements.

Each statement gives up Python's lock and has to get it back, from a server that is busy answering requests. With a
statement a row, as `executemany` does it, that is a switch of threads for every request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

AT_ONCE: Final = (512, 64, 8, 1)
"""Rows of one statement, the largest first: few sizes, so that each statement is compiled once. 512 rows of 20 columns
stay below the 32,766 parameters that SQLite takes (since 3.32)."""


def insert(connection: sqlite3.Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows in their order.

    :param statement: everything up to `VALUES`, such as `INSERT INTO pools (identity, unit) VALUES`
    :param rows: their values, as many in each as the statement names columns
    """
    left = list(rows)
    for size in AT_ONCE:
        while len(left) >= size:
            taken, left = left[:size], left[size:]
            places = f"({', '.join('?' * len(taken[0]))})"
            connection.execute(
                f"{statement} {', '.join([places] * size)}", [value for row in taken for value in row]
            )
