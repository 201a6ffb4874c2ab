"""The unified key, which clients send."""

from __future__ import annotations

from freellm.administration.folder import DataFolder
from freellm.errors import SettingsError
from freellm.secret import Secret
from freellm.vault import rotate_unified_key, unified_key


def show(folder: DataFolder) -> tuple[Secret, str]:
    """Return the unified key, and where it is from: `database` or `FREELLM_API_KEY`."""
    if fixed := folder.settings.api_key:
        return Secret(fixed.get_secret_value()), "FREELLM_API_KEY"
    return unified_key(folder.store, folder.vault), "database"


def rotate(folder: DataFolder) -> Secret:
    """Replace the unified key; the old one opens nothing any more.

    :raises SettingsError: when `FREELLM_API_KEY` fixes it
    """
    if folder.settings.api_key:
        raise SettingsError("FREELLM_API_KEY fixes the unified key; change it there, or unset it")
    return rotate_unified_key(folder.store, folder.vault)
