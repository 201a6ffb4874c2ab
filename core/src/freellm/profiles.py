"""Profiles: chains of models, or strategies with filters, that a person has given a name; `auto:NAME` asks for one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from freellm.declarations import Ability, Declaration
from freellm.errors import SettingsError

NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,49}$"
"""What a profile or a strategy of one's own may be called."""

Label: TypeAlias = Annotated[str, StringConstraints(pattern=NAME)]


def _split(value: object) -> object:
    """Read a comma-separated list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _once(names: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(names))


Words: TypeAlias = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...],
    BeforeValidator(_split),
    AfterValidator(_once),
]
Abilities: TypeAlias = Annotated[tuple[Ability, ...], BeforeValidator(_split), AfterValidator(_once)]


class Profile(Declaration):
    """Who may answer requests for `auto:NAME`, and in which order.

    :param models: models, families or pinned names, in the order in which they are tried; empty is every model
    :param strategy: the order of every model; None is that of `auto`. With `models`, the order within each of them
    :param only: the providers that may answer; empty is all
    :param ignore: the providers that may not
    :param abilities: what each model must be able to do
    :param data_collection: `deny` leaves out providers that may train on prompts, and those of which nobody knows
    """

    models: Words = Field(default=(), max_length=100)
    strategy: str | None = None
    only: Words = ()
    ignore: Words = ()
    abilities: Abilities = ()
    data_collection: Literal["allow", "deny"] = "allow"

    @model_validator(mode="after")
    def _names_no_other_profile(self) -> Profile:
        if any(name.partition(":")[0] == "auto" for name in self.models):
            raise ValueError(
                "models: name models, families or provider/model; 'auto' and profiles are no models"
            )
        return self


def check(profiles: Mapping[str, Profile], strategies: Iterable[str], providers: Iterable[str]) -> None:
    """Refuse profiles that name what does not exist, or have the name of a strategy.

    :param strategies: the names of the strategies there are
    :param providers: the names of the providers there are
    :raises SettingsError: naming the profile, the field and the nearest known name
    """
    known, installed = list(strategies), list(providers)
    for name, profile in profiles.items():
        if name in known:
            raise SettingsError(
                f"profiles.{name}: there is a strategy of that name; call the profile otherwise"
            )
        if profile.strategy is not None and profile.strategy not in known:
            raise SettingsError(
                f"profiles.{name}.strategy: there is no strategy {profile.strategy!r}{near(profile.strategy, known)}"
            )
        for field in ("only", "ignore"):
            for provider in getattr(profile, field):
                if provider not in installed:
                    raise SettingsError(
                        f"profiles.{name}.{field}: no provider is called {provider!r}{near(provider, installed)}"
                    )


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that names the nearest known names and all there are."""
    names = list(known)
    close = difflib.get_close_matches(name, names, 3, cutoff=0.5)
    meant = f"; near it are {', '.join(close)}" if close else ""
    return f"{meant}; there are {', '.join(names) or 'none'}"
