"""Who may call a route: every handler says so, and the server refuses to start with one that does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias, TypeVar

Level: TypeAlias = Literal["key", "public"]
"""`key`: whoever has the unified key. `public`: everyone who reaches the port."""

LEVELS: Final = ("key", "public")

_ATTRIBUTE: Final = "freellm_auth"
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def auth(level: Level) -> Callable[[_Handler], _Handler]:
    """Mark a handler with who may call it.

    :param level: `key` or `public`
    """

    def mark(handler: _Handler) -> _Handler:
        setattr(handler, _ATTRIBUTE, level)
        return handler

    return mark


def level_of(handler: Any) -> Any:
    """Return who may call a handler; None when it does not say."""
    return getattr(handler, _ATTRIBUTE, None)
