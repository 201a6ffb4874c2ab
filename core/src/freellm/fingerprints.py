"""What stands for a thing where its name must not be written or is too long."""

from __future__ import annotations

import hashlib


def route_hash(provider: str, model: str, fingerprint: str) -> int:
    """Return 64 bits that stand for a route: the same in every process, and without the fingerprint in them."""
    text = f"{provider}\x1f{model}\x1f{fingerprint}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
