"""A key as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from freellm.administration.masking import masked
from freellm.errors import VaultError
from freellm.explanations import Cooldown
from freellm_dashboard.shapes.keys import KeyRow

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder
    from freellm.keyring import ProviderKey
    from freellm.proxy import Proxy


class Closings:
    """What takes no requests for now, sorted by the keys that it is of.

    :param proxy: the running proxy, which is looked at here and not later, from a thread
    """

    def __init__(self, proxy: Proxy) -> None:
        now = proxy.clock.now()
        self._by_name = {cooldown.what: cooldown for cooldown in proxy.closed}
        self._of: dict[tuple[str, str], dict[str, None]] = {}
        for route in proxy.routes:
            names = self._of.setdefault((route.provider.name, route.key.id), {})
            names |= dict.fromkeys(one.name for one in route.standings() if one.name in self._by_name)
            for share in route.shares:
                if share.pool.closed_until > now:
                    what = f"pool {share.pool.identity}"
                    self._by_name[what] = Cooldown(
                        what=what, kind="quota_exhausted", stated=True, until=share.pool.closed_until
                    )
                    names[what] = None

    def of(self, key: ProviderKey) -> list[Cooldown]:
        """Return what closes a key or a part of what it serves, the next to open first."""
        names = self._of.get((key.provider, key.id), ())
        return sorted((self._by_name[name] for name in names), key=lambda cooldown: cooldown.until)

    @property
    def all(self) -> list[Cooldown]:
        """Everything, the next to open first."""
        return sorted(self._by_name.values(), key=lambda cooldown: cooldown.until)


def key_row(folder: DataFolder, key: ProviderKey, told: Mapping[str, Any], closings: Closings) -> KeyRow:
    """Return what is shown of a key.

    :param told: what the command line tells of it
    """
    provider = folder.providers.get(key.provider)
    return KeyRow(
        id=key.id,
        provider=key.provider,
        title=provider.info.title if provider else key.provider,
        label=key.label,
        masked=_masked(folder, key),
        source=key.source,
        state=told["state"],
        reason=told["reason"],
        fix=_fix(folder, key, told["state"]),
        checked_at=key.checked_at,
        unlimited=key.unlimited,
        enabled=told["enabled"],
        editable=key.source == "stored",
        base_url=key.base_url,
        models=told["models"],
        closed=closings.of(key),
    )


def _masked(folder: DataFolder, key: ProviderKey) -> str:
    provider = folder.providers.get(key.provider)
    if provider is None or key.state == "unreadable":
        return ""
    try:
        return masked(provider.info, folder.keyring.open(key).fields)
    except VaultError:
        return ""


def _fix(folder: DataFolder, key: ProviderKey, state: str) -> str | None:
    provider = folder.providers.get(key.provider)
    if state == "invalid":
        where = f": {provider.info.signup_url}" if provider and provider.info.signup_url else ""
        return f"Copy it again, or make a new one{where}"
    if state == "unreadable":
        return "Remove it and add it again"
    if state == "orphaned":
        return "Install the package of its provider, or remove the key"
    if state == "untested" and key.source != "keyless":
        return "Check it"
    return None
