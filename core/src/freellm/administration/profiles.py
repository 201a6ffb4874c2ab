"""Making and removing profiles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from freellm.administration.chain import Chain
from freellm.administration.folder import DataFolder
from freellm.errors import SettingsError
from freellm.extensions import load_extensions
from freellm.gauge import NOTHING
from freellm.plugin_files import load_files
from freellm.profiles import NAME, Profile, check, near
from freellm.strategies import Gauging, Strategy, gathered, offered


def all_profiles(folder: DataFolder) -> dict[str, tuple[Profile, bool]]:
    """Return every profile by its name, and whether it stands in config.toml: those come first."""
    filed = {name: (profile, True) for name, profile in folder.settings.profiles.items()}
    made = {name: (profile, False) for name, profile in folder.store.profiles.all().items()}
    return {**filed, **{name: one for name, one in made.items() if name not in filed}}


def make_profile(
    folder: DataFolder, name: str, profile: Profile, known: Iterable[str] | None = None
) -> tuple[str, list[str]]:
    """Store a profile over the one of that name.

    :param known: the names of the strategies; None asks the plugins
    :return: `added` or `replaced`, and what is worth knowing about its models
    :raises SettingsError: when the name or a field will not do, or the profile stands in config.toml
    """
    refuse_name(name)
    refuse_filed(folder, name)
    check({name: profile}, strategies(folder) if known is None else known, folder.offers)
    notes = _notes(folder, profile)
    replaces = name in folder.store.profiles.all()
    folder.store.profiles.set(name, profile)
    return "replaced" if replaces else "added", notes


def remove_profile(folder: DataFolder, name: str) -> None:
    """Delete a profile.

    :raises SettingsError: when there is none, or it stands in config.toml
    """
    refuse_filed(folder, name)
    if not folder.store.profiles.remove(name):
        raise SettingsError(f"there is no profile {name!r}{near(name, folder.store.profiles.all())}")


def refuse_name(name: str) -> None:
    """Refuse what cannot be a profile's name.

    :raises SettingsError: saying what can
    """
    if not re.fullmatch(NAME, name):
        raise SettingsError(f"{name!r} is no name: use up to 50 lower-case letters, digits, - and _")


def refuse_filed(folder: DataFolder, name: str) -> None:
    """Refuse to change a profile of config.toml.

    :raises SettingsError: when it is one
    """
    if name in folder.settings.profiles:
        raise SettingsError(f"the profile {name!r} stands in config.toml; change it there")


def strategies(folder: DataFolder) -> Mapping[str, Strategy]:
    """Return the strategies that a server on this folder has."""
    settings = folder.settings
    files = load_files(settings.data_dir, settings.load_plugins)
    extensions, _ = load_extensions(settings.load_plugins, files=files)

    def ask(register: Any, measured: Gauging) -> None:
        known: Mapping[str, Strategy] = offered(measured)
        for name, strategy in known.items():
            register(name, strategy)
        extensions.register_strategies(register, measured)

    return gathered(ask, lambda provider, model: NOTHING, settings.strategies, settings.strategy)


def _notes(folder: DataFolder, profile: Profile) -> list[str]:
    chain, notes = Chain(folder), []
    for model in profile.models:
        states = {entry.name: chain.state(entry) for entry in chain.named(model)}
        if all(state != "on" for state, _ in states.values()):
            entry, (state, why) = next(iter(states.items()))
            notes.append(f"{entry} has its place, and is not tried for now: {state}; {why}")
    return notes
