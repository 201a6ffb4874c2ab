"""Folders 0700 and files 0600, whatever the umask.

SQLite makes its files 0644 less the umask, but gives -wal and -shm the mode of the database: so the database is made
before SQLite sees it (measured with SQLite 3.40).
"""

from __future__ import annotations

import os
from pathlib import Path

from freellm.errors import StoreError

_OTHERS = 0o077


def make_private_folder(folder: Path) -> None:
    """Make a folder and its missing parents, each 0700. The mode of a folder that exists is its owner's business.

    :raises StoreError: when it cannot be made
    """
    try:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be made: {error.strerror}") from error
    if not folder.is_dir():
        raise StoreError(f"{folder} is not a folder; name another one or move it away")


def make_private_file(file: Path) -> None:
    """Make an empty file 0600, or take the rights of others off one that exists.

    :raises StoreError: when it can be neither made nor made private
    """
    try:
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            if file.stat().st_mode & _OTHERS:
                file.chmod(0o600)
    except OSError as error:
        raise StoreError(f"{file} cannot be made private to its owner: {error.strerror}") from error


def others_can_read(descriptor: int) -> bool:
    """Tell whether anyone but the owner has a right to an open file; always False where modes mean nothing."""
    return os.name == "posix" and bool(os.fstat(descriptor).st_mode & _OTHERS)
