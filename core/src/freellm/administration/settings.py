"""The settings, and who set each of them. Secrets are not told."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from freellm.administration.folder import DataFolder
from freellm.settings import CONFIG_FILE, ENVIRONMENT, Settings

Source: TypeAlias = Literal["default", "config.toml", "environment", "command line"]

_HIDDEN: Final = "(set, not shown)"
_VARIABLES: Final = {field: variable for variable, field in ENVIRONMENT.items()}


class DescribedSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting.

    :param name: its name in config.toml
    :param environment: the variable that sets it; empty: none does
    :param value: its value, as near to config.toml as one line can be; empty: it is not set
    :param source: who set it
    :param help: what it does
    """

    name: str
    environment: str
    value: str
    source: Source
    help: str


def described(folder: DataFolder) -> list[DescribedSetting]:
    """Return every setting, in the order of the documentation."""
    settings = folder.settings
    filed = _filed(settings.data_dir / CONFIG_FILE)
    return [
        DescribedSetting(
            name=name,
            environment=_VARIABLES.get(name, ""),
            value=_written(getattr(settings, name)),
            source=_source(folder, name, filed),
            help=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def _filed(file: Path) -> Collection[str]:
    try:
        return tomllib.loads(file.read_text("utf-8")).keys()
    except (OSError, ValueError):
        return ()  # it was read when the server started; whoever has broken it since hears of it at the next start


def _source(folder: DataFolder, name: str, filed: Collection[str]) -> Source:
    if folder.is_in_environment(_VARIABLES.get(name, "")):
        return "environment"
    if name in filed:
        return "config.toml"
    field = Settings.model_fields[name]
    default = field.get_default(call_default_factory=True)
    unset = default is PydanticUndefined or getattr(folder.settings, name) == default
    return "default" if unset else "command line"


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return _HIDDEN
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    if isinstance(plain, str | Path):
        return str(plain)
    return msgspec.json.encode(plain, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    """Return what JSON can say of a value that it does not know."""
    if isinstance(value, SecretStr):
        return _HIDDEN
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
