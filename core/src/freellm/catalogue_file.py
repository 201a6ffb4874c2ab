"""A provider's models and quotas as a TOML file: what people write, and what it becomes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import ValidationError, field_validator

from freellm.declarations import DAY, MINUTE, Clock, Declaration, Model, Quota
from freellm.errors import PluginError


class Limits(Declaration):
    """A model's limits in the words providers use.

    :param rpm: requests a minute
    :param rpd: requests a day
    :param tpm: tokens a minute
    :param tpd: tokens a day
    """

    rpm: float | None = None
    rpd: float | None = None
    tpm: float | None = None
    tpd: float | None = None


Stated: TypeAlias = float | Literal["unknown"] | None


class DeclaredLimits(Declaration):
    """A model's limits in a catalogue file: those of `Limits`, or `"unknown"` for one that exists and nobody publishes.

    What has an unknown limit is counted from the first request on, so the limit is learned with fewer refusals.
    """

    rpm: Stated = None
    rpd: Stated = None
    tpm: Stated = None
    tpd: Stated = None


class LimitRules(Declaration):
    """How a provider counts the limits of its models; see the fields of the same name in `Quota`."""

    scope: Literal["key", "account", "ip"] = "key"
    charge: Literal["actual", "input", "input+max"] = "actual"
    day_clock: Clock = "rolling"


class Catalogue(Declaration):
    """A provider's models and quotas, as read from its `catalogue.toml`."""

    models: tuple[Model, ...]
    quotas: tuple[Quota, ...] = ()

    @field_validator("models")
    @classmethod
    def _ids_differ(cls, models: tuple[Model, ...]) -> tuple[Model, ...]:
        ids = [model.id for model in models]
        if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
            raise ValueError(f"model ids stand twice: {', '.join(sorted(twice))}")
        return models


_LIMITS: tuple[tuple[str, str, float], ...] = (
    ("rpm", "requests", MINUTE),
    ("rpd", "requests", DAY),
    ("tpm", "tokens", MINUTE),
    ("tpd", "tokens", DAY),
)


def quotas_of(model: Model, limits: Limits | DeclaredLimits, rules: LimitRules) -> list[Quota]:
    """Return a model's limits as quotas of its own."""
    return [
        Quota(
            unit=unit,
            limit=None if limit == "unknown" else limit,
            window=window,
            clock=rules.day_clock if window == DAY else "rolling",
            scope=rules.scope,
            members=(model.id,),
            charge=rules.charge if unit == "tokens" else "actual",
            source=model.source,
            checked=model.checked,
        )
        for field, unit, window in _LIMITS
        if (limit := getattr(limits, field)) is not None
    ]


def load_catalogue(package: str, name: str = "catalogue.toml") -> Catalogue:
    """Read a provider package's catalogue file.

    The file has `[defaults]` (fields every model takes unless it states its own), `[limits]` (see `LimitRules`),
    `[[models]]` with an optional `limits = {rpm, rpd, tpm, tpd}` (a figure, or `"unknown"`), and `[[quotas]]` for pools wider than a model.

    :param package: the import package that ships the file, usually `__package__`
    :param name: the file's name
    :raises PluginError: when the file is missing or wrong; the text names the package and the field
    """
    try:
        return read_catalogue(tomllib.loads(resources.files(package).joinpath(name).read_text("utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise PluginError(f"{package}: {name} is wrong: {error}") from error


def read_catalogue(table: Mapping[str, Any]) -> Catalogue:
    """Read a catalogue from a decoded TOML table of the shape that `load_catalogue` describes.

    :raises ValueError: when it is wrong; the text names the field
    """
    raw = dict(table)
    defaults = raw.pop("defaults", {})
    rules = _read(LimitRules, raw.pop("limits", {}), "limits")
    models, quotas = [], []
    for row in raw.pop("models", []):
        own = {name: value for name, value in row.items() if name != "limits"}
        model = _read(Model, {**defaults, **own}, f"the model {row.get('id')!r}")
        models.append(model)
        quotas += quotas_of(
            model, _read(DeclaredLimits, row.get("limits", {}), f"the limits of {model.id!r}"), rules
        )
    shared = [_read(Quota, {**_dated(defaults), **row}, "quotas") for row in raw.pop("quotas", [])]
    return Catalogue(models=tuple(models), quotas=(*quotas, *shared), **raw)


_D = TypeVar("_D", bound=Declaration)


def _read(kind: type[_D], row: Any, where: str) -> _D:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        raise ValueError(f"{where}: {sentence(error)}") from None


def sentence(error: ValidationError) -> str:
    """Return what pydantic found wrong in one line, each mistake with its field."""
    found = error.errors(include_url=False, include_input=False)
    return "; ".join(
        ": ".join([".".join(map(str, detail["loc"])), detail["msg"].removeprefix("Value error, ")]).strip(
            ": "
        )
        for detail in found
    )


def _dated(defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: defaults[name] for name in ("source", "checked") if name in defaults}
