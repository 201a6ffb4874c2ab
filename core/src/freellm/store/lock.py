"""One server per data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from freellm.errors import StoreError
from freellm.store.files import make_private_file, make_private_folder

LOCK_FILE: Final = "server.lock"


class AlreadyRunningError(StoreError):
    """Another server holds the data folder. The text names its process."""


class ServerLock:
    """Hold the data folder until closed; the system lets go of it when the process dies, however it dies.

    :param data_dir: the data folder, made when it is missing
    :raises AlreadyRunningError: when another server holds it
    """

    def __init__(self, data_dir: Path) -> None:
        make_private_folder(data_dir)
        file = data_dir / LOCK_FILE
        make_private_file(file)
        self._descriptor = os.open(file, os.O_RDWR)
        if not _take(self._descriptor):
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise AlreadyRunningError(
                f"a freellm server already runs on {data_dir} (process {holder}): "
                "stop it, or choose another data folder"
            )
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        """Let go of the folder. The file stays: removing it could remove the lock of the next server."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        # A byte far behind the text, because Windows forbids others to read a locked one.
        os.lseek(descriptor, 1024, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
