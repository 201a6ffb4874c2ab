"""What a command works on: the settings, the installed providers and the data folder, each opened when it is needed."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Mapping
from functools import cached_property

from freellm.clock import Clock
from freellm.errors import SettingsError
from freellm.keyring import Keyring, ProviderKey
from freellm.plugin_files import load_files
from freellm.plugins import PluginRecord
from freellm.providers import Provider, load_providers
from freellm.roster import Roster, stated_base_urls
from freellm.settings import Settings
from freellm.store import Store
from freellm.sync import current
from freellm.vault import Vault, open_vault


class DataFolder:
    """One data folder and the providers that are installed.

    :param settings: the settings
    :param environ: where providers' usual variables are looked up
    :param loaded: the installed providers and what became of each; None looks for them when they are needed
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        loaded: tuple[list[Provider], list[PluginRecord]] | None = None,
    ) -> None:
        self.settings = settings
        self._environ = environ
        self._seen = -1
        if loaded is not None:
            self.__dict__["_loaded"] = loaded

    @cached_property
    def _loaded(self) -> tuple[list[Provider], list[PluginRecord]]:
        # A plugin that prints when it is imported must not get into a JSON document.
        with contextlib.redirect_stdout(sys.stderr):
            files = load_files(self.settings.data_dir, self.settings.load_plugins)
            return load_providers(self.settings.load_plugins, files)

    @cached_property
    def roster(self) -> Roster:
        """The providers of packages, and the instances that were made of some of them."""
        roster = Roster(*self._loaded, self.settings, self.store)
        roster.check()
        return roster

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """The providers that can be used, instances included, by name."""
        return {provider.name: provider for provider in self.roster.providers()}

    @cached_property
    def offers(self) -> Mapping[str, Provider]:
        """The providers that can be used with the models and quotas that count, by name; see `freellm.offers`."""
        offering = current(self.providers.values(), self.store, self.settings)
        return {provider.name: provider for provider in offering}

    @property
    def broken(self) -> Mapping[str, PluginRecord]:
        """The installed providers that cannot be used, by name."""
        return {record.id: record for record in self._loaded[1] if record.status != "loaded"}

    @cached_property
    def store(self) -> Store:
        """The database."""
        return Store(self.settings.data_dir)

    @cached_property
    def vault(self) -> Vault:
        """What opens the database's secrets."""
        return open_vault(self.store, self.settings)

    @cached_property
    def keyring(self) -> Keyring:
        """The keys of the providers."""
        return Keyring(
            [provider.info for provider in self.providers.values()],
            self.store,
            self.vault,
            self._environ,
            base_urls=stated_base_urls(self.settings),
            unlimited=self.settings.unlimited,
        )

    def refresh(self) -> None:
        """Look again at which providers there are, after an instance was added or removed."""
        for name in ("providers", "offers"):
            self.__dict__.pop(name, None)
        self.keyring.use([provider.info for provider in self.providers.values()])

    def look_again(self) -> None:
        """Take over what another process, or another part of this one, has changed since the last time."""
        seen = self.store.data_version()
        if seen != self._seen:
            self._seen = seen
            self.refresh()

    def is_in_environment(self, variable: str) -> bool:
        """Tell whether an environment variable was set when the settings were read."""
        return bool(self._environ.get(variable))

    def is_local(self, provider: Provider) -> bool:
        """Tell whether a provider may be on this machine or in its network, because a person said where it is."""
        return provider.local or provider.name in self.settings.base_urls

    def now(self) -> float:
        """Return Unix time in seconds, never before what the database knows to have passed."""
        return Clock(not_before=self.store.last_time()).now()

    def provider(self, name: str) -> Provider:
        """Return a provider that can be used.

        :raises SettingsError: when there is none. What was given is not repeated: it may be a key
        """
        if found := self.providers.get(name):
            return found
        if record := self.broken.get(name):
            raise SettingsError(f"the provider {name} is installed and cannot be used: {record.reason}")
        if name in self.roster.plugins:
            raise SettingsError(f"{name} has only what you add through it: {how_to_add(name)}")
        near = difflib.get_close_matches(name, self.providers, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        installed = ", ".join((*self.providers, *self.roster.plugins)) or "none"
        raise SettingsError(f"no installed provider has that name; {meant}installed are: {installed}")

    def orphaned(self, key: ProviderKey) -> str | None:
        """Say why a key's provider cannot be used; None when it can."""
        if key.provider in self.providers:
            return None
        if record := self.broken.get(key.provider):
            return record.reason
        if problem := self.roster.problems().get(key.provider):
            return problem
        return f"no installed package provides {key.provider}; the key is kept"

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()


def how_to_add(plugin: str) -> str:
    """Return the command that adds an instance of a plugin."""
    return f"freellm keys add {plugin} --name NAME --base-url URL"
