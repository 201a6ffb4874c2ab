"""Where settings come from: the command line, then the environment, then config.toml, then the defaults."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from freellm.catalogue_file import Limits
from freellm.errors import SettingsError
from freellm.instances import Instance, OwnModel
from freellm.profiles import Profile
from freellm.settings.model import LimitOverride, Settings
from freellm.strategies import Weights

CONFIG_FILE: Final = "config.toml"

SECRETS: Final = ("FREELLM_API_KEY", "FREELLM_MASTER_KEY")
"""The variables that hold a secret themselves."""

_PER_PROVIDER: Final = {"base_urls": "_BASE_URL", "unlimited": "_UNLIMITED"}

ENVIRONMENT: Final[Mapping[str, str]] = {
    "CREDENTIALS_DIRECTORY" if name == "credentials_dir" else f"FREELLM_{name.upper()}": name
    for name in Settings.model_fields
    if name not in {"limits", "instances", "strategies", "profiles", *_PER_PROVIDER}
}
"""Setting by variable. Besides these there are FREELLM_<PROVIDER>_BASE_URL and FREELLM_<PROVIDER>_UNLIMITED."""

_NOT_IN_A_FILE: Final = {
    "data_dir": "config.toml is in the data folder and cannot say where that is; set FREELLM_DATA_DIR",
    "config_dir": "set FREELLM_CONFIG_DIR",
    "credentials_dir": "systemd sets CREDENTIALS_DIRECTORY",
    "api_key": "a secret does not belong in a plain file; set FREELLM_API_KEY",
    "master_key": "a secret does not belong in a plain file; set FREELLM_MASTER_KEY_FILE",
}

_TABLES: Final[Mapping[str, type[BaseModel]]] = {"strategies": Weights, "profiles": Profile}
"""What a table of a name of one's own holds."""

_EMPTY_MEANS_NONE: Final = ("load_plugins", "allowed_hosts")
_SWITCH: Final = TypeAdapter(bool)


def load_settings(environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
    """Read the settings.

    :param environ: the process's environment; an empty variable counts as unset, except for a list, which it empties
    :param overrides: what the command line says, by setting; None says nothing
    :raises SettingsError: when a name is unknown or a value wrong; it names the setting, where it stands and, for a
        name, the nearest known one
    """
    origins: dict[str, str] = {}
    said = {name: value for name, value in overrides.items() if value is not None}
    outer = {**_from_environment(environ, origins), **said}
    origins.update({name: f"--{name.replace('_', '-')}" for name in said})
    file = _validated({k: v for k, v in outer.items() if k == "data_dir"}, origins).data_dir / CONFIG_FILE
    filed = _from_file(file)
    values = {**filed, **outer}
    if isinstance(named := filed.get("base_urls"), dict):
        values["base_urls"] = {**named, **outer.get("base_urls", {})}
    values["unlimited"] = _switched(filed.get("unlimited", []), outer.get("unlimited", {}), file)
    return _validated(values, {**{name: f"{file}: {name}" for name in filed}, **origins})


def take_secrets(environ: MutableMapping[str, str]) -> None:
    """Remove the variables that hold freellm's own secrets, so that no child process inherits them."""
    for name in SECRETS:
        environ.pop(name, None)


def check_providers(settings: Settings, known: Iterable[str]) -> None:
    """Refuse settings for a provider that is not installed.

    :param known: the names of the installed providers and of their instances
    :raises SettingsError: naming the setting, the provider and the nearest known name
    """
    names = sorted(known)
    for field in ("base_urls", "unlimited", "limits"):
        for provider in getattr(settings, field):
            if provider not in names:
                raise SettingsError(f"{field}: no provider is called {provider!r}{_nearest(provider, names)}")


def _from_environment(environ: Mapping[str, str], origins: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if field := ENVIRONMENT.get(variable):
            if text or field in _EMPTY_MEANS_NONE:
                values[field] = text
                origins[field] = variable
        elif variable.startswith("FREELLM_"):
            field, provider = _provider_variable(variable)
            if text:
                values.setdefault(field, {})[provider] = (
                    _switch(variable, text) if field == "unlimited" else text
                )
                origins[f"{field}.{provider}"] = variable
    return values


def _provider_variable(variable: str) -> tuple[str, str]:
    """Return the setting and the provider of FREELLM_<PROVIDER>_BASE_URL and its like."""
    for field, suffix in _PER_PROVIDER.items():
        provider = variable.removeprefix("FREELLM_").removesuffix(suffix)
        if variable.endswith(suffix) and provider:
            return field, provider.lower().replace("_", "-")
    raise SettingsError(f"{variable} is not a setting{_nearest(variable, ENVIRONMENT)}")


def _switch(variable: str, text: str) -> bool:
    try:
        return _SWITCH.validate_python(text)
    except ValidationError:
        raise SettingsError(f"{variable}: expected 1 or 0") from None


def _switched(filed: object, switches: Mapping[str, bool], file: Path) -> set[str]:
    if not isinstance(filed, list):
        raise SettingsError(f'{file}: unlimited: expected a list of providers, such as ["NAME"]')
    return {name for name in filed if switches.get(name, True)} | {
        name for name, on in switches.items() if on
    }


def _from_file(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    for name in values:
        if name in _NOT_IN_A_FILE:
            raise SettingsError(f"{file}: {name}: {_NOT_IN_A_FILE[name]}")
        if name not in Settings.model_fields:
            raise SettingsError(f"{file}: {name} is not a setting{_nearest(name, Settings.model_fields)}")
    return values


def _validated(values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        # The value is left out of the text: it may be a secret that was put into the wrong variable.
        details = error.errors(include_input=False, include_url=False)
        raise SettingsError("; ".join(_sentence(detail, origins) for detail in details)) from None


def _sentence(detail: ErrorDetails, origins: Mapping[str, str]) -> str:
    path = [str(part) for part in detail["loc"]]
    depth = 2 if ".".join(path[:2]) in origins else 1
    where = ".".join([origins.get(".".join(path[:depth]), ".".join(path[:depth])), *path[depth:]])
    if detail["type"] == "extra_forbidden":
        return f"{where} is not a setting{_nearest(path[-1], _known_beside(path))}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _known_beside(path: Sequence[str]) -> Iterable[str]:
    """Return the names that are known where an unknown one stands."""
    if len(path) == 1:
        return Settings.model_fields
    if path[0] != "instances":
        return _TABLES.get(path[0], LimitOverride).model_fields
    return {3: Instance.model_fields, 5: OwnModel.model_fields}.get(len(path), Limits.model_fields)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
