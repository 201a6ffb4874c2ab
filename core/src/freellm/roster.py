"""The providers there are: those of installed packages, and the instances that users made of some of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from freellm.errors import SettingsError
from freellm.instances import Instance, families_of, made
from freellm.listings import Listing
from freellm.plugins import PluginRecord
from freellm.providers import Provider
from freellm.settings import Settings, check_providers
from freellm.store import Store
from freellm.upstream.locality import is_local

RESERVED: Final = frozenset({"auto"})
"""Names that mean something else where a model is named."""


def stated_base_urls(settings: Settings) -> Mapping[str, str]:
    """Return the base URLs that settings state, by provider or instance: they win over what is stored."""
    instances = {name: stated.base_url for name, stated in settings.instances.items() if stated.base_url}
    return {**instances, **settings.base_urls}


class Roster:
    """The providers that can be asked, as packages, settings and the database say at the moment.

    :param loaded: the providers of installed packages
    :param records: what became of every installed provider
    :param settings: the settings
    :param store: the database
    :ivar plugins: the plugins that are made for instances, by name
    :ivar installed: the providers of packages that answer for one service
    """

    def __init__(
        self, loaded: Sequence[Provider], records: Sequence[PluginRecord], settings: Settings, store: Store
    ) -> None:
        self.plugins = {provider.name: provider for provider in loaded if provider.info.instances}
        self.installed = tuple(provider for provider in loaded if not provider.info.instances)
        self._records = {record.id: record for record in records}
        self._settings = settings
        self._store = store
        self._families = families_of(self.installed)

    @property
    def taken(self) -> Collection[str]:
        """The names that no instance can have."""
        return RESERVED | self._records.keys()

    def instances(self) -> Mapping[str, Instance]:
        """Return the instances of the settings and the database, by name."""
        stored = {
            row.name: Instance(
                plugin=row.plugin, base_url=row.base_url, local=row.local, concurrent=row.concurrent
            )
            for row in self._store.instances.all()
        }
        stated = self._settings.instances
        return {
            name: stated[name].over(stored.get(name, Instance())) if name in stated else stored[name]
            for name in sorted({*stored, *stated})
        }

    def providers(self) -> list[Provider]:
        """Return every provider that can be asked: as its package declares it, or as its user and its list say."""
        listings = self._store.listings.all()
        instances = [
            self._made(plugin, name, instance, listings.get(name, {}))
            for name, instance in self.instances().items()
            if self.problem(name, instance) is None and (plugin := self._plugin(instance)) is not None
        ]
        return [*self.installed, *instances]

    def problems(self) -> Mapping[str, str]:
        """Return why instances cannot be asked, and the cure, by the names of those."""
        found = {name: self.problem(name, instance) for name, instance in self.instances().items()}
        return {name: problem for name, problem in found.items() if problem is not None}

    def problem(self, name: str, instance: Instance) -> str | None:
        """Say why an instance cannot be asked, and the cure; None when it can."""
        if name in self.taken:
            return (
                f"{name} is the name of an installed provider; remove this one and add it under another name"
            )
        if not instance.base_url:
            return f"instances.{name} has no base_url; state it, or add it: freellm keys add PLUGIN --name {name}"
        if self._plugin(instance) is None:
            return self._missing(name, instance.plugin)
        try:
            is_local(instance.base_url)
        except SettingsError as error:
            return f"instances.{name}.base_url: {error}"
        return None

    def check(self) -> None:
        """Refuse settings for a provider that there is not, and instances of the settings that cannot be asked.

        :raises SettingsError: naming the setting and the cure
        """
        check_providers(self._settings, {*self._records, *self.instances()})
        for name, problem in self.problems().items():
            if name in self._settings.instances:
                raise SettingsError(problem)

    def _made(
        self, plugin: Provider, name: str, instance: Instance, listed: Mapping[str, Listing]
    ) -> Provider:
        local = is_local(instance.base_url) if instance.local is None else instance.local
        return made(plugin, name, instance, listed, self._families, local=local)

    def _plugin(self, instance: Instance) -> Provider | None:
        if instance.plugin:
            return self.plugins.get(instance.plugin)
        return next(iter(self.plugins.values())) if len(self.plugins) == 1 else None

    def _missing(self, name: str, plugin: str) -> str:
        if record := self._records.get(plugin):
            why = record.reason or "it is made for one service and not for instances"
            return f"{name} is asked through {plugin}, which cannot be used: {why}"
        if plugin:
            return f"{name} is asked through {plugin}, and no installed package provides that; what is known of it is kept"
        choice = ", ".join(self.plugins) or "none is installed"
        return f"instances.{name}: name the plugin that asks it: plugin = …; made for instances are: {choice}"
