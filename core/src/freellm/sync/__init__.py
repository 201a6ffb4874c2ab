"""Keeping the catalogue up to date: providers' own lists, the signed catalogue file, and when to ask for them."""

from freellm.sync.files import current, fetch, filed, take
from freellm.sync.lists import ListReport, Lists, sync_lists
from freellm.sync.live import LiveCatalogue

__all__ = ["ListReport", "Lists", "LiveCatalogue", "current", "fetch", "filed", "sync_lists", "take"]
