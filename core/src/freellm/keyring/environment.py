"""Keys that stand in environment variables, or in a .env file that is imported."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from freellm.declarations import ProviderInfo
from freellm.errors import SettingsError
from freellm.keyring.lines import check_fields, parse_key
from freellm.secret import Secret


class FoundKey(msgspec.Struct, frozen=True):
    """A provider's key in the environment.

    :param name: the variable, or the variables joined by `+`
    :param fields: the key's fields; empty when there is a problem
    :param problem: what is wrong with the variables, in words for a person
    """

    name: str
    fields: Mapping[str, Secret] = {}
    problem: str = ""


def find_key(info: ProviderInfo, environ: Mapping[str, str]) -> FoundKey | None:
    """Return the key that the variables of a provider hold, the preferred variable first; None if they hold none."""
    variables = [variable for variable in info.environment if "=" not in variable]
    for name in variables:
        if text := environ.get(name, "").strip():
            try:
                return FoundKey(name, _secrets(parse_key(info, text)))
            except SettingsError as error:
                return FoundKey(name, problem=str(error))
    return _from_several(info, environ)


def _from_several(info: ProviderInfo, environ: Mapping[str, str]) -> FoundKey | None:
    """Read the variables declared as `NAME=field`, which make one key together."""
    held: dict[str, tuple[str, str]] = {}
    asked: dict[str, str] = {}
    for variable in info.environment:
        name, is_field, field = variable.partition("=")
        if is_field:
            asked.setdefault(field, name)
            if text := environ.get(name, "").strip():
                held.setdefault(field, (name, text))
    if not held:
        return None
    together = "+".join(name for name, _ in held.values())
    if missing := [name for field, name in asked.items() if field not in held]:
        return FoundKey(together, problem=f"{' and '.join(missing)} must be set too")
    try:
        fields = check_fields(info, {field: text for field, (_, text) in held.items()})
    except SettingsError as error:
        return FoundKey(together, problem=str(error))
    return FoundKey(together, _secrets(fields))


def _secrets(fields: Mapping[str, str]) -> dict[str, Secret]:
    return {name: Secret(text) for name, text in fields.items()}
