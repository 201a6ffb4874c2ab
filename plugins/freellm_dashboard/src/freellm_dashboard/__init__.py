"""freellm in the browser: pages, an API of their own under `/api`, and who may use them."""

from freellm_dashboard.plugin import Plugin

__all__ = ["Plugin", "plugin"]

plugin = Plugin()
