"""Exit codes, for scripts: what kind of thing went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXIT_CODES: Final[Mapping[str, int]] = {
    "SettingsError": 2,
    "PluginError": 2,
    "WrongMasterKeyError": 3,
    "AlreadyRunningError": 5,
    "StoreError": 4,
}
"""Exit code by error, the nearest class in its ancestry deciding; every other error is 1. By name, because importing
the classes would import the database."""


def exit_code(error: Exception) -> int:
    """Return the exit code of an error."""
    ancestry = (kind.__name__ for kind in type(error).__mro__)
    return next((EXIT_CODES[name] for name in ancestry if name in EXIT_CODES), 1)
