"""A copy of the database, taken while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from freellm.administration.folder import DataFolder
from freellm.errors import SettingsError
from freellm.store.database import store_errors
from freellm.store.files import make_private_file


def back_up(folder: DataFolder, target: Path) -> int:
    """Copy the database as it is at one moment; what it keeps secret opens only with the master key, which is not in it.

    :param target: the new file, readable by its owner only
    :return: its size in bytes
    :raises SettingsError: when there is such a file already, or it cannot be written
    """
    source = folder.store.file
    if target.exists():
        raise SettingsError(f"{target} exists already; name a new file")
    try:
        make_private_file(target)
    except OSError as error:
        raise SettingsError(f"{target} cannot be written: {error.strerror}") from None
    with (
        store_errors(source),
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    return target.stat().st_size
