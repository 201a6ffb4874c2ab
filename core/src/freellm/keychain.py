"""Keys while the server runs: probing those that were refused, and noting those that work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from freellm.catalogue import Route
from freellm.checking import check_key
from freellm.clock import Clock
from freellm.errors import FreeLLMError, VaultError
from freellm.health import Health
from freellm.keyring import Keyring, ProviderKey
from freellm.providers import Provider
from freellm.types import Key, Kind, Verdict
from freellm.upstream import UpstreamClient

_log = logging.getLogger(__name__)

INCONCLUSIVE = 600.0
"""Seconds a refused key is benched when its probes cannot tell."""


class Keychain:
    """Open keys for attempts, and keep what is known of them up to date.

    :param keyring: decrypts keys and stores verdicts
    :param health: benches keys
    :param client: sends probes
    :param clock: tells the time
    :param base_urls: base URLs set by hand, by provider
    :param changed: called after a verdict on a key has changed
    """

    def __init__(
        self,
        keyring: Keyring,
        health: Health,
        client: UpstreamClient,
        clock: Clock,
        base_urls: Mapping[str, str],
        changed: Callable[[], None],
    ) -> None:
        self._keyring = keyring
        self._health = health
        self._client = client
        self._clock = clock
        self._base_urls = base_urls
        self._changed = changed
        # By name of the key's standing: two instances may take their key from one variable, and stand apart all the same.
        self._probing: dict[str, asyncio.Task[None]] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}

    def keys(self) -> list[ProviderKey]:
        """Return all keys, with what this process has learned of environment keys."""
        now = self._clock.now()
        return [
            self._keyring.record(key, verdict, now)
            if key.source == "environment"
            and (verdict := self._verdicts.get((key.provider, key.id))) is not None
            else key
            for key in self._keyring.all()
        ]

    def open(self, route: Route) -> Key:
        """Decrypt a route's key for one attempt.

        :raises VaultError: when it does not decrypt
        """
        return self._keyring.open(route.key)

    def open_key(self, key: ProviderKey) -> Key:
        """Decrypt a key.

        :raises VaultError: when it does not decrypt
        """
        return self._keyring.open(key)

    def is_local(self, provider: Provider) -> bool:
        """Tell whether a provider may be on this machine or in its network, because a person said where it is."""
        return provider.local or provider.name in self._base_urls

    def checked(self, key: ProviderKey, verdict: Verdict) -> None:
        """Take over what a check found of a key; of one of the environment, no database remembers it."""
        self._verdicts[key.provider, key.id] = verdict
        self._changed()

    def works(self, route: Route) -> None:
        """Note that a key that was not known to be valid has just been answered."""
        self._record(route.key, Verdict(state="valid", message="it answered a request"))

    def suspect(self, route: Route) -> None:
        """Probe a key that a request was refused with, unless that is under way."""
        name = route.key_standing.name
        if name not in self._probing and route.key.source != "keyless":
            task = asyncio.create_task(self._probe(route), name=f"probe {name}")
            self._probing[name] = task
            task.add_done_callback(lambda _: self._probing.pop(name, None))

    async def stop(self) -> None:
        """Cancel the probes that are under way."""
        tasks = list(self._probing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _probe(self, route: Route) -> None:
        name = f"the {route.provider.info.title} key {route.key.label or route.key.id[:8]}"
        try:
            key = self._keyring.open(route.key)
        except VaultError:
            return
        verdict = await check_key(route.provider, key, self._client, local=self.is_local(route.provider))
        now = self._clock.now()
        if verdict.state == "invalid":
            _log.warning("%s is refused and no longer used: %s; replace it: freellm keys add %s",
                         name, verdict.message.rstrip("."), route.provider.name)  # fmt: skip
            self._record(route.key, verdict)
            return
        _log.info("%s was refused once, its check says %s: %s", name, verdict.state, verdict.message)
        self._health.clear(route.key_standing.name)
        if verdict.state == "inconclusive":
            route.key_standing.close(now + INCONCLUSIVE, Kind.BAD_KEY, stated=False, at=now)
        else:
            self._health.cool(route.standing, Kind.BAD_KEY, None, now)

    def _record(self, key: ProviderKey, verdict: Verdict) -> None:
        if self._verdicts.get((key.provider, key.id)) == verdict:
            return
        self._verdicts[key.provider, key.id] = verdict
        try:
            self._keyring.record(key, verdict, self._clock.now())
        except FreeLLMError as error:
            _log.warning("what was learned of a key could not be stored: %s", error)
        self._changed()
