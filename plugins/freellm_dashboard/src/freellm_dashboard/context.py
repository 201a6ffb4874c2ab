"""What the dashboard knows of the server it is a part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from freellm.settings import is_loopback
from freellm_dashboard.links import Links
from freellm_dashboard.live import Live
from freellm_dashboard.passwords import Password
from freellm_dashboard.sessions import Sessions
from freellm_dashboard.throttle import Throttle

if TYPE_CHECKING:
    from freellm.proxy import Proxy

NAME: Final = "dashboard"
"""Under which name the plugin keeps what it keeps."""

URL: Final = "url"
"""The name of the value that says where the server last listened."""


class Dashboard:
    """The dashboard of one running server.

    :param proxy: the running proxy
    """

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.table = proxy.storage(NAME)
        now = proxy.clock.now
        self.sessions = Sessions(self.table, now)
        self.links = Links(self.table, now)
        self.password = Password(self.table)
        self.throttle = Throttle(now)
        self.live = Live(proxy, self.sessions)

    @property
    def is_local(self) -> bool:
        """Whether this machine alone reaches the server."""
        return is_loopback(self.proxy.settings.host)

    @property
    def needs_password(self) -> bool:
        """Whether nobody can sign in before a password is set."""
        return not self.is_local and not self.password.is_set

    def sign_out_all(self) -> None:
        """End every session and let no link that was made open anything."""
        self.sessions.end_all()
        self.links.void_all()


DASHBOARD: Final = web.AppKey("freellm_dashboard", Dashboard)
"""Where a handler finds it: `request.app[DASHBOARD]`."""
