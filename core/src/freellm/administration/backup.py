"""A copy of the database, taken while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from freellm.administration.folder import DataFolder
from freellm.errors import SettingsError
from freellm.store.database import store_errors
from freellm.store.files import make_private_file
from freellm.store.reading import read_only


def back_up(folder: DataFolder, target: Path) -> int:
    """Copy the database as it is at one moment; what it keeps secret opens only with the master key, which is not in it.

    :param target: the new file, readable by its owner only
    :return: its size in bytes
    :raises SettingsError: when there is such a file already
    :raises StoreError: when it cannot be written, or the database cannot be read; there is no such file then
    """
    source = folder.store.file
    if target.exists():
        raise SettingsError(f"{target} exists already; name a new file")
    make_private_file(target)
    try:
        with store_errors(target):
            _copy(source, target)
    except BaseException:
        target.unlink()
        raise
    return target.stat().st_size


def _copy(source: Path, target: Path) -> None:
    with closing(read_only(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without another beside it
