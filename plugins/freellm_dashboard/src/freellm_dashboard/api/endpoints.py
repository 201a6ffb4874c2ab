"""Every route of the API as data: what it takes and what it answers."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from freellm.explanations import Explanation
from freellm_dashboard.shapes import access, analytics, keys, log, models, overview, panels, system, wire


class Endpoint(msgspec.Struct, frozen=True):
    """One route.

    :param method: the HTTP method
    :param path: the path, such as `/api/keys/{id}`
    :param summary: one sentence
    :param answer: what it answers: a type, or a media type of what is no JSON of ours
    :param body: the type of its body, if it takes one
    :param query: the type of its query, if it takes one
    :param public: whether it answers who is not signed in
    """

    method: str
    path: str
    summary: str
    answer: Any
    body: Any = None
    query: Any = None
    public: bool = False

    @property
    def name(self) -> str:
        """What it is called, such as `GET /api/keys`."""
        return f"{self.method} {self.path}"


STREAM: Final = "text/event-stream"
FILE: Final = "application/vnd.sqlite3"

ENDPOINTS: Final = (
    Endpoint("GET", "/api/session", "Say who is signed in.", access.Session, public=True),
    Endpoint("POST", "/api/login", "Sign in.", access.Session, access.Login, public=True),
    Endpoint("POST", "/api/logout", "Sign out.", access.Done),
    Endpoint("GET", "/api/sessions", "List the browsers that are signed in.", access.Sessions),
    Endpoint("DELETE", "/api/sessions/{id}", "Sign a browser out.", access.Done),
    Endpoint("PUT", "/api/password", "Set, change or remove the password.", access.Done, access.NewPassword),
    Endpoint("GET", "/api/overview", "Say how everything is doing.", overview.Overview),
    Endpoint("GET", "/api/keys", "List the keys.", keys.Keys),
    Endpoint("POST", "/api/keys", "Check a key and store it.", keys.AddedKey, keys.NewKey),
    Endpoint("POST", "/api/keys/check", "Ask the providers about all keys.", keys.Keys),
    Endpoint("POST", "/api/keys/import", "Take the keys of a .env file.", keys.Imported, keys.Import),
    Endpoint("POST", "/api/keys/{id}/check", "Ask a provider about its key.", keys.KeyRow),
    Endpoint("PATCH", "/api/keys/{id}", "Change a key's label or use.", keys.KeyRow, keys.KeyChange),
    Endpoint("DELETE", "/api/keys/{id}", "Delete a key.", keys.RemovedKey),
    Endpoint("GET", "/api/providers", "List the providers and what their keys unlock.", keys.Providers),
    Endpoint("POST", "/api/clear", "Open something that was closed.", keys.Cleared, keys.Clear),
    Endpoint("GET", "/api/models", "List all models.", models.Models),
    Endpoint("PATCH", "/api/models", "Switch models on or off.", models.Models, models.ModelSwitch),
    Endpoint("POST", "/api/models/sync", "Compare with providers' own lists.", models.Synced, models.Sync),
    Endpoint("GET", "/api/fallback", "List the models in the order they are tried.", models.Fallback),
    Endpoint("PUT", "/api/fallback", "Put the models in an order.", models.Fallback, models.FallbackOrder),
    Endpoint("POST", "/api/fallback/sort", "Order by a rule.", models.Fallback, models.FallbackSort),
    Endpoint("GET", "/api/profiles", "List the profiles.", models.Profiles),
    Endpoint("GET", "/api/profiles/{name}", "Show a profile.", models.ProfileRow),
    Endpoint("PUT", "/api/profiles/{name}", "Make a profile.", models.ProfileRow, models.ProfileBody),
    Endpoint("DELETE", "/api/profiles/{name}", "Delete a profile.", models.Profiles),
    Endpoint("POST", "/api/chat", "Chat, exactly as POST /v1/chat/completions.", STREAM, wire.Json),
    Endpoint("POST", "/api/explain", "Say what would become of a chat.", Explanation, wire.Json),
    Endpoint("GET", "/api/requests", "List logged requests.", log.Requests, query=log.LogQuery),
    Endpoint("GET", "/api/requests/{id}", "Show a request's ladder.", log.RequestDetail),
    Endpoint("GET", "/api/analytics", "Sum the log up.", analytics.Analytics, query=analytics.AnalyticsQuery),
    Endpoint("GET", "/api/quotas", "List what is left of every quota.", analytics.Quotas),
    Endpoint(
        "GET",
        "/api/quotas/burndown",
        "Show how a quota is spent.",
        analytics.Burndown,
        query=analytics.BurndownQuery,
    ),
    Endpoint("GET", "/api/plugins", "List the installed plugins.", system.Plugins),
    Endpoint("GET", "/api/settings", "Show the settings.", system.Settings),
    Endpoint("GET", "/api/apikey", "Describe the unified key.", system.UnifiedKey),
    Endpoint("POST", "/api/apikey/reveal", "Show the unified key.", system.RevealedKey),
    Endpoint("POST", "/api/apikey/rotate", "Replace the unified key.", system.RevealedKey),
    Endpoint("POST", "/api/backup", "Download a copy of the database.", FILE),
    Endpoint("GET", "/api/panels", "List the plugins' panels.", panels.PanelList),
    Endpoint("GET", "/api/panels/{id}", "Show a panel.", panels.Panel),
    Endpoint("GET", "/api/events", "Tell what changes, as it happens.", STREAM),
    Endpoint("GET", "/api/openapi.json", "Show this document.", wire.Json),
)

BESIDE: Final = (wire.Refusal, system.Notice)
"""Types that no route names: of errors, and of events."""
