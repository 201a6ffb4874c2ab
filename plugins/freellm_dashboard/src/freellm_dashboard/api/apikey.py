"""The unified key, which clients send."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from aiohttp import web

from freellm.administration import apikey
from freellm.administration.masking import mask
from freellm_dashboard.answers import RefusedError, answer
from freellm_dashboard.api.desk import Desk
from freellm_dashboard.shapes.system import RevealedKey, UnifiedKey

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder

MOST: Final = 10
"""Times that the key is shown within a minute."""

_MINUTE: Final = 60.0


class UnifiedKeyDesk:
    """Handlers of `/api/apikey`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown: deque[float] = deque(maxlen=MOST)

    async def describe(self, request: web.Request) -> web.Response:
        """Describe the unified key."""
        if self._desk.proxy.settings.no_auth:
            return answer(UnifiedKey(masked="", source="none", rotatable=False))
        return answer(await self._desk.work(_described))

    async def reveal(self, request: web.Request) -> web.Response:
        """Show the unified key."""
        self._refuse_haste()
        return answer(RevealedKey(api_key=await self._desk.work(_shown)))

    async def rotate(self, request: web.Request) -> web.Response:
        """Replace the unified key; the old one opens nothing from this moment."""
        self._refuse_haste()
        return answer(RevealedKey(api_key=await self._desk.change(_rotated)))

    def _refuse_haste(self) -> None:
        now = self._desk.proxy.clock.now()
        if len(self._shown) == MOST and now - self._shown[0] < _MINUTE:
            raise RefusedError(
                f"the key was shown {MOST} times within a minute",
                status=429,
                cure="wait a minute, or run freellm apikey show",
                retry_after=_MINUTE - (now - self._shown[0]),
            )
        self._shown.append(now)


def _described(folder: DataFolder) -> UnifiedKey:
    key, source = apikey.show(folder)
    fixed = source != "database"
    return UnifiedKey(
        masked=mask(key.reveal()), source="FREELLM_API_KEY" if fixed else "database", rotatable=not fixed
    )


def _shown(folder: DataFolder) -> str:
    return apikey.show(folder)[0].reveal()


def _rotated(folder: DataFolder) -> str:
    return apikey.rotate(folder).reveal()
