"""What a provider package declares, once, at start: who it is, its models and its quotas.

These are written by people, so they are pydantic models: a mistake names the field and says what was expected.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from freellm.errors import PluginError

Ability: TypeAlias = Literal["tools", "vision", "json", "json_schema", "reasoning", "system"]
"""What a request may need of a model. `json` is the JSON mode, `json_schema` a schema kept to."""

Status: TypeAlias = Literal["active", "listed", "unverified", "paid-only", "retired"]
"""`active`: served for free by a recent source. `listed`: in a catalogue, entitlement not proven. `unverified`: see
the note. `paid-only`: not in the free tier. `retired`: gone. Only `active` and `listed` models are on by default."""

Clock: TypeAlias = Literal["rolling", "utc-midnight", "pacific-midnight", "month", "unknown"]
"""When a quota's window starts over. `unknown` is treated as `rolling`."""

MINUTE, DAY = 60.0, 86_400.0


class _Declaration(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class KeyField(_Declaration):
    """One field of a provider's key; the CLI and the dashboard draw their forms from it.

    :param name: the name under which `Key.fields` holds it
    :param title: its label in a form
    :param secret: whether it is hidden while it is typed
    :param help: where to find it, one sentence
    :param pattern: a regular expression a value is expected to match; a mismatch warns and never refuses
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    secret: bool = True
    help: str = ""
    pattern: str | None = None


class DataPolicy(_Declaration):
    """What the service does with prompts and answers on its free tier.

    :param trains: whether it may use them to improve its models; None is unknown
    :param note: one sentence
    :param source: where this is stated
    :param checked: the day it was read, ISO date
    """

    trains: bool | None = None
    note: str = ""
    source: str
    checked: str


class ProviderInfo(_Declaration):
    """Who a provider is.

    :param id: the entry point's name: lower case, the part before `/` in `X-Routed-Via`
    :param title: its name for people
    :param signup_url: where a free key is made
    :param docs_url: its API documentation
    :param key_fields: the fields of a key, in the order of the colon-separated one-line form
    :param environment: variables that usually hold a key, the first one preferred. A variable holds the one-line
        form, unless its name is given as `NAME=field`: then it holds that field, and all `=` variables make one key
    :param keyless: whether it answers without a key
    :param base_url: origin and path prefix of its API
    :param first_byte_timeout: seconds until the first byte of an answer, at most
    :param quota_headers: lower-case names of the headers that `read_quota` reads; without any of them on an answer
        the hook is not asked
    :param account_of: the key field that names the account; None: each key is its own account
    :param data_policy: what happens to prompts
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    signup_url: str
    docs_url: str
    key_fields: tuple[KeyField, ...] = (KeyField(name="token", title="API key"),)
    environment: tuple[str, ...] = ()
    keyless: bool = False
    base_url: str = Field(pattern=r"^https?://")
    first_byte_timeout: float = Field(default=30.0, gt=0)
    quota_headers: tuple[str, ...] = ()
    account_of: str | None = None
    data_policy: DataPolicy | None = None

    @model_validator(mode="after")
    def _account_is_a_field(self) -> ProviderInfo:
        if self.account_of and self.account_of not in {field.name for field in self.key_fields}:
            raise ValueError(f"account_of names {self.account_of!r}, which is not a key field")
        return self


class Model(_Declaration):
    """One model of one provider.

    :param id: the provider's own id, sent as it is
    :param family: the logical model: rows of other providers with the same family answer for each other
    :param title: its name for people
    :param context: tokens of input and output together; None is unknown
    :param max_output: tokens of output at most; None is unknown
    :param abilities: what requests may need of it; `system` (takes a system message) is on unless stated
    :param images: how it takes images: not at all, by URL, or only inline as data URIs
    :param intelligence_rank: 1 is best, about 1 to 30; None sorts last
    :param speed_rank: 1 is best, about 1 to 11; None sorts last
    :param costs: what a request costs in the provider's own units: unit to (per request, per input token, per
        output token)
    :param classifier: whether it judges content instead of chatting; never in `auto`
    :param status: whether it is served for free
    :param retired: the month it went, `YYYY-MM`, when known
    :param replaced_by: the id that took its place, when there is one
    :param note: one sentence for people
    :param first_byte_timeout: seconds; overrides the provider's
    :param source: where limits and abilities are stated
    :param checked: the day they were read, ISO date
    """

    id: str = Field(pattern=r"^[\w.:/@+\-~]{1,200}$")
    family: str
    title: str = ""
    context: int | None = Field(default=None, gt=0)
    max_output: int | None = Field(default=None, gt=0)
    abilities: frozenset[Ability] = frozenset({"system"})
    images: Literal["none", "url", "inline"] = "none"
    intelligence_rank: int | None = Field(default=None, ge=1)
    speed_rank: int | None = Field(default=None, ge=1)
    costs: Mapping[str, tuple[float, float, float]] = {}
    classifier: bool = False
    status: Status = "active"
    retired: str | None = None
    replaced_by: str | None = None
    note: str = ""
    first_byte_timeout: float | None = Field(default=None, gt=0)
    source: str
    checked: str

    @model_validator(mode="after")
    def _vision_takes_images(self) -> Model:
        if ("vision" in self.abilities) != (self.images != "none"):
            raise ValueError("ability 'vision' and images = 'url' or 'inline' go together")
        return self

    @property
    def enabled_by_default(self) -> bool:
        """Whether the model is on unless someone says otherwise."""
        return self.status in ("active", "listed")


class Quota(_Declaration):
    """One limit of a provider.

    :param unit: `requests`, `tokens`, `concurrent`, or a unit of the provider's own that `Model.costs` prices
    :param limit: how much a window holds; None is unknown and learned
    :param window: seconds; None for `concurrent`
    :param clock: when the window starts over
    :param scope: whose pool it is
    :param members: the models that share the pool; empty is all of the provider's
    :param charge: for `tokens`, what the service counts: what was used (`actual`), the prompt alone (`input`), or
        the prompt and the whole `max_tokens` at dispatch (`input+max`)
    :param source: where the limit is stated
    :param checked: the day it was read, ISO date
    """

    unit: str
    limit: float | None = Field(default=None, ge=0)
    window: float | None = Field(default=None, gt=0)
    clock: Clock = "rolling"
    scope: Literal["key", "account", "ip"] = "key"
    members: tuple[str, ...] = ()
    charge: Literal["actual", "input", "input+max"] = "actual"
    source: str
    checked: str

    @model_validator(mode="after")
    def _only_concurrency_has_no_window(self) -> Quota:
        if (self.unit == "concurrent") != (self.window is None):
            raise ValueError("a quota has a window in seconds, unless its unit is 'concurrent'")
        return self

    @property
    def name(self) -> str:
        """What tells this quota from the provider's others, stable across releases: unit, window and members."""
        window = "" if self.window is None else f"/{self.window:g}s"
        return f"{self.unit}{window}:{','.join(self.members) or '*'}"


class Limits(_Declaration):
    """A model's limits in a catalogue file, in the words providers use.

    :param rpm: requests a minute
    :param rpd: requests a day
    :param tpm: tokens a minute
    :param tpd: tokens a day
    """

    rpm: float | None = None
    rpd: float | None = None
    tpm: float | None = None
    tpd: float | None = None


class LimitRules(_Declaration):
    """How a provider counts the limits of its models; see the fields of the same name in `Quota`."""

    scope: Literal["key", "account", "ip"] = "key"
    charge: Literal["actual", "input", "input+max"] = "actual"
    day_clock: Clock = "rolling"


class Catalogue(_Declaration):
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


def _quotas_of(model: Model, limits: Limits, rules: LimitRules) -> list[Quota]:
    return [
        Quota(
            unit=unit,
            limit=limit,
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
    `[[models]]` with an optional `limits = {rpm, rpd, tpm, tpd}`, and `[[quotas]]` for pools wider than a model.

    :param package: the import package that ships the file, usually `__package__`
    :param name: the file's name
    :raises PluginError: when the file is missing or wrong; the text names the package and the field
    """
    try:
        raw: dict[str, Any] = tomllib.loads(resources.files(package).joinpath(name).read_text("utf-8"))
        defaults = raw.pop("defaults", {})
        rules = LimitRules.model_validate(raw.pop("limits", {}))
        models, quotas = [], []
        for row in raw.pop("models", []):
            limits = Limits.model_validate(row.pop("limits", {}))
            model = Model.model_validate({**defaults, **row})
            models.append(model)
            quotas += _quotas_of(model, limits, rules)
        shared = [Quota.model_validate({**_dated(defaults), **row}) for row in raw.pop("quotas", [])]
        return Catalogue(models=tuple(models), quotas=(*quotas, *shared), **raw)
    except (OSError, ValueError, ValidationError) as error:
        raise PluginError(f"{package}: {name} is wrong: {error}") from error


def _dated(defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: defaults[name] for name in ("source", "checked") if name in defaults}
