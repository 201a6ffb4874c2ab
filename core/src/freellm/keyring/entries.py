"""A key as it is listed and routed by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from freellm.base_urls import origin
from freellm.secret import Secret
from freellm.vault import associated_data

ListedState: TypeAlias = Literal["untested", "valid", "invalid", "inconclusive", "unreadable"]
"""What is known of a key; `unreadable`: its row does not decrypt, the others do."""


class ProviderKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is listed and routed by: everything but the secret, which a stored key holds encrypted.

    :param id: the row's uuid, `env:VARIABLE`, or `keyless:PROVIDER`
    :param provider: the provider's, or the instance's, name
    :param label: what the user calls it; the variable's name for an environment key
    :param fingerprint: tells it from the provider's other keys without giving it away
    :param account: a fingerprint of its account; its own fingerprint when keys are accounts of their own
    :param source: where it is kept
    :param unlimited: whether it is on a paid plan
    :param enabled: whether it may be used
    :param state: what is known of it
    :param reason: why, in words for a person
    :param checked_at: Unix time of the last check
    :param base_url: where it is sent
    :param bound_to: what its ciphertext is bound to
    :param sealed: a stored key's fields, encrypted
    :param fields: an environment key's fields
    """

    id: str
    provider: str
    label: str
    fingerprint: str
    account: str
    source: Literal["stored", "environment", "keyless"]
    unlimited: bool = False
    enabled: bool = True
    state: ListedState = "untested"
    reason: str = ""
    checked_at: float | None = None
    base_url: str = ""
    bound_to: bytes = b""
    sealed: bytes = b""
    fields: Mapping[str, Secret] = {}

    @property
    def usable(self) -> bool:
        """Whether a request may be routed to it."""
        return self.enabled and self.state not in ("invalid", "unreadable")


def binding(id_: str, provider: str, base_url: str | None) -> bytes:
    """Return what a stored key's ciphertext is bound to, so that an edited row cannot send it to another host.

    :param id_: the row's uuid
    :param provider: the row's provider
    :param base_url: the row's base URL, of which the origin counts; None is the provider's own
    """
    return associated_data("keys", id_, provider, origin(base_url) if base_url else "")
