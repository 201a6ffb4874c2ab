"""Who may call a route: every handler says so, and the server refuses to start with one that does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

if TYPE_CHECKING:
    from aiohttp import web

    Check: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
    """Lets a request pass with None, or refuses it with an answer."""

LEVELS: Final = ("key", "public")
"""`key`: whoever has the unified key. `public`: everyone who reaches the port. Plugins bring others."""

_ATTRIBUTE: Final = "freellm_auth"
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def auth(level: str) -> Callable[[_Handler], _Handler]:
    """Mark a handler with who may call it.

    :param level: `key`, `public`, or one that a plugin brings with the hook `register_auth`
    """

    def mark(handler: _Handler) -> _Handler:
        setattr(handler, _ATTRIBUTE, level)
        return handler

    return mark


def level_of(handler: Any) -> Any:
    """Return who may call a handler; None when it does not say."""
    return getattr(handler, _ATTRIBUTE, None)
