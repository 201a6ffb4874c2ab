"""The headers that tell a browser what it must not do with an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_EVERYWHERE: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

_RULES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)

POLICY: Final = "; ".join(_RULES)
"""What a page may load: its own files, and images that it made. No inline script and no inline style."""

PAGE: Final[Mapping[str, str]] = {
    **_EVERYWHERE,
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Of pages and their files."""

API: Final[Mapping[str, str]] = {
    **_EVERYWHERE,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Of answers under `/api`: no browser keeps them, and none takes one for a page."""
