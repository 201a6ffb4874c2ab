"""Opening the data folder that a command works on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from freellm.administration.folder import DataFolder, how_to_add
from freellm.settings import load_settings

__all__ = ["DataFolder", "how_to_add", "open_folder"]


@contextlib.contextmanager
def open_folder(data_dir: Path | None) -> Iterator[DataFolder]:
    """Work on a data folder; see `DataFolder`.

    :param data_dir: the folder the command line names; None leaves it to the settings
    :raises SettingsError: when a setting is wrong
    """
    folder = DataFolder(load_settings(os.environ, {"data_dir": data_dir}), os.environ)
    try:
        yield folder
    finally:
        folder.close()
