"""Stored keys and environment keys joined, and opened one at a time."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import orjson

from freellm.declarations import ProviderInfo
from freellm.errors import SettingsError, VaultError
from freellm.keyring.entries import ListedState, ProviderKey, binding
from freellm.keyring.environment import find_key
from freellm.keyring.lines import check_fields
from freellm.secret import Secret
from freellm.settings import check_base_url
from freellm.store import Store, StoredKey
from freellm.types import Key, Verdict
from freellm.vault import Vault


class Keyring:
    """The keys of the installed providers.

    :param infos: the providers, instances included, by `id`
    :param store: the database
    :param vault: opens what the database holds
    :param environ: the environment in which providers' usual variables are looked up
    :param base_urls: base URLs by provider that win over every other one
    :param unlimited: providers whose environment key is on a paid plan
    """

    def __init__(
        self,
        infos: Sequence[ProviderInfo],
        store: Store,
        vault: Vault,
        environ: Mapping[str, str],
        *,
        base_urls: Mapping[str, str] | None = None,
        unlimited: Iterable[str] = (),
    ) -> None:
        self.use(infos)
        self._store = store
        self._vault = vault
        self._environ = environ
        self._base_urls = base_urls or {}
        self._unlimited = frozenset(unlimited)

    def use(self, infos: Sequence[ProviderInfo]) -> None:
        """Take over the providers that there are now, instances included."""
        self._infos = {info.id: info for info in infos}

    def all(self) -> list[ProviderKey]:
        """Return all keys: stored ones first, then the environment's, then providers that need none and have none.

        An environment key that is stored as well is listed once.
        """
        stored = [self._listed(row) for row in self._store.keys.all()]
        known = {(key.provider, key.fingerprint) for key in stored}
        found = [key for key in self._environment() if (key.provider, key.fingerprint) not in known]
        held = {key.provider for key in (*stored, *found) if key.source == "stored" or key.fields}
        free = [self._keyless(info) for info in self._infos.values() if info.keyless and info.id not in held]
        return [*stored, *found, *free]

    def open(self, key: ProviderKey) -> Key:
        """Decrypt a key for one attempt (about 4 µs); nothing decrypted is kept.

        :raises VaultError: when a stored key does not decrypt
        """
        fields = key.fields
        if key.source == "stored":
            texts: dict[str, str] = orjson.loads(self._vault.open(key.sealed, key.bound_to))
            fields = {name: Secret(text) for name, text in texts.items()}
        return Key(id=key.id, account=key.account, fields=fields, base_url=key.base_url)

    def add(
        self,
        provider: str,
        fields: Mapping[str, str],
        *,
        now: float,
        label: str = "",
        base_url: str | None = None,
        unlimited: bool = False,
    ) -> ProviderKey:
        """Store a key; when this returns it is encrypted on the disk.

        :param fields: its fields, see `parse_key`; none at all for a provider that answers without a key
        :param now: Unix time
        :param base_url: where it is to be sent, when that is not the provider's own base URL; a key of a stored
            instance is for that instance's and takes the place of none at all
        :raises SettingsError: when the fields are not the provider's, the base URL is none, or the key is stored already
        """
        info = self._infos[provider]
        checked = check_fields(info, fields) if fields or not info.keyless else {}
        instance = self._store.instances.get(provider)
        base_url = instance.base_url if instance else check_base_url(base_url) if base_url else None
        id_ = str(uuid.uuid4())
        fingerprint = self._vault.fingerprint(provider, checked)
        row = StoredKey(
            uuid=id_,
            provider=provider,
            label=label,
            account=self._account(info, checked, fingerprint),
            base_url=base_url,
            sealed=self._vault.seal(orjson.dumps(checked), binding(id_, provider, base_url)),
            fingerprint=fingerprint,
            unlimited=unlimited,
            created_at=now,
        )
        try:
            with self._store.transaction():
                if instance and checked:
                    self._store.keys.remove_fingerprint(provider, self._vault.fingerprint(provider, {}))
                self._store.keys.add(row)
        except sqlite3.IntegrityError:
            raise SettingsError(
                f"this key of {info.title} is stored already; `freellm keys list` shows it"
            ) from None
        return self._listed(row)

    def record(self, key: ProviderKey, verdict: Verdict, now: float) -> ProviderKey:
        """Note what a check of a key found, an account or base URL it learned included.

        What is learned of an environment key lives as long as the returned object.

        :param now: Unix time
        :return: the key as it is now
        :raises VaultError: when a stored key that is to be bound to another base URL does not decrypt
        """
        learned = (
            self._vault.fingerprint(key.provider, {"account": verdict.account}) if verdict.account else None
        )
        known = msgspec.structs.replace(
            key,
            state=verdict.state,
            reason=verdict.message,
            checked_at=now,
            account=learned or key.account,
            base_url=self._base_urls.get(key.provider) or verdict.base_url or key.base_url,
        )
        if key.source != "stored":
            return known
        with self._store.transaction():
            row = self._store.keys.get(key.id)
            if row is None:
                return known
            self._store.keys.record(key.id, verdict.state, verdict.message, now)
            if learned or verdict.base_url:
                return self._rebound(row, known, verdict.base_url or row.base_url)
        return known

    def _rebound(self, row: StoredKey, known: ProviderKey, base_url: str | None) -> ProviderKey:
        """Seal a key again for the base URL it was learned to belong to."""
        plain = self._vault.open(row.sealed, binding(row.uuid, row.provider, row.base_url))
        bound_to = binding(row.uuid, row.provider, base_url)
        sealed = self._vault.seal(plain, bound_to)
        self._store.keys.reseal(row.uuid, sealed=sealed, base_url=base_url, account=known.account)
        return msgspec.structs.replace(known, sealed=sealed, bound_to=bound_to)

    def _listed(self, row: StoredKey) -> ProviderKey:
        bound_to = binding(row.uuid, row.provider, row.base_url)
        state: ListedState = row.state
        reason, enabled = row.reason, row.enabled
        try:
            self._vault.open(row.sealed, bound_to)
        except VaultError as error:
            state, reason = "unreadable", f"{error}; remove this key and add it again"
        if row.provider not in self._infos:
            enabled, reason = False, f"no installed package provides {row.provider}"
        return ProviderKey(
            id=row.uuid,
            provider=row.provider,
            label=row.label,
            fingerprint=row.fingerprint,
            account=row.account,
            source="stored",
            unlimited=row.unlimited,
            enabled=enabled,
            state=state,
            reason=reason,
            checked_at=row.checked_at,
            base_url=self._base_url(row.provider, row.base_url),
            bound_to=bound_to,
            sealed=row.sealed,
        )

    def _environment(self) -> Iterator[ProviderKey]:
        for info in self._infos.values():
            found = find_key(info, self._environ)
            if found is None:
                continue
            texts = {name: secret.reveal() for name, secret in found.fields.items()}
            fingerprint = self._vault.fingerprint(info.id, texts)
            yield ProviderKey(
                id=f"env:{found.name}",
                provider=info.id,
                label=found.name,
                fingerprint=fingerprint,
                account=self._account(info, texts, fingerprint),
                source="environment",
                unlimited=info.id in self._unlimited,
                enabled=not found.problem,
                state="invalid" if found.problem else "untested",
                reason=found.problem,
                base_url=self._base_url(info.id, None),
                fields=found.fields,
            )

    def _keyless(self, info: ProviderInfo) -> ProviderKey:
        fingerprint = self._vault.fingerprint(info.id, {})
        return ProviderKey(
            id=f"keyless:{info.id}",
            provider=info.id,
            label="no key needed",
            fingerprint=fingerprint,
            account=fingerprint,
            source="keyless",
            base_url=self._base_url(info.id, None),
        )

    def _account(self, info: ProviderInfo, fields: Mapping[str, str], fingerprint: str) -> str:
        if info.account_of is None or info.account_of not in fields:
            return fingerprint
        return self._vault.fingerprint(info.id, {"account": fields[info.account_of]})

    def _base_url(self, provider: str, own: str | None) -> str:
        info = self._infos.get(provider)
        return self._base_urls.get(provider) or own or (info.base_url if info else "")
