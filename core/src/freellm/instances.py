"""Instances: services that a user adds under names of their own, each asked through a plugin that is made for that.

What is known of an instance comes from the database (`freellm keys add`), from `[instances.NAME]` in config.toml, which
wins, and from the service's own list of models. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import AfterValidator, Field, ValidationError, model_validator

from freellm.base_urls import plain_url
from freellm.catalogue_file import LimitRules, Limits, quotas_of
from freellm.declarations import Ability, Declaration, Model, Quota
from freellm.listings import Listing, day
from freellm.providers import Provider

ASSUMED: Final[frozenset[Ability]] = frozenset({"system", "tools", "json"})
"""What a model of an instance can do when neither its service nor its user says: today's servers give all their models
these, and a request that one refuses goes elsewhere."""

NAME: Final = r"^[a-z][a-z0-9-]{0,39}$"
"""What a user may call an instance."""

Name: TypeAlias = Annotated[str, Field(pattern=NAME)]
"""The name of an instance."""


def _variable(name: str) -> str:
    if name and not re.fullmatch("[A-Z][A-Z0-9_]*", name):
        raise ValueError(
            "expected the name of an environment variable, in capitals; a key does not belong in a plain file"
        )
    return name


class OwnModel(Declaration):
    """What a user says of one model of an instance; what is left out is taken from the service's list, else assumed.

    :param limits: rpm, rpd, tpm, tpd; without them it is unlimited

    The other fields are those of `freellm.Model`.
    """

    family: str | None = None
    title: str | None = None
    task: Literal["chat", "embeddings"] | None = None
    context: int | None = Field(default=None, gt=0)
    max_output: int | None = Field(default=None, gt=0)
    abilities: frozenset[Ability] | None = None
    dimensions: tuple[int, ...] = ()
    max_inputs: int | None = Field(default=None, gt=0)
    token_inputs: bool = False
    intelligence_rank: int | None = Field(default=None, ge=1)
    speed_rank: int | None = Field(default=None, ge=1)
    first_byte_timeout: float | None = Field(default=None, gt=0)
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _embeddings_state_their_dimensions(self) -> OwnModel:
        if (self.task == "embeddings") != bool(self.dimensions):
            raise ValueError('task = "embeddings" and dimensions = [LENGTH] go together')
        return self


class Instance(Declaration):
    """One service that a user added.

    :param plugin: the plugin that asks it; empty is the only installed one that is made for instances
    :param base_url: origin and path prefix of its API
    :param local: whether it may be on this machine or in its network; None lets the base URL tell
    :param key: the environment variable that holds its key
    :param discover: whether the models of its own list are used, or only those under `models`
    :param concurrent: requests it is sent at once, at most; None is as many as come
    :param models: what its user says of its models
    """

    plugin: str = ""
    base_url: Annotated[str, AfterValidator(lambda url: url and plain_url(url))] = ""
    local: bool | None = None
    key: Annotated[str, AfterValidator(_variable)] = ""
    discover: bool = True
    concurrent: int | None = Field(default=None, gt=0)
    models: Mapping[str, OwnModel] = {}

    def over(self, stored: Instance) -> Instance:
        """Return what counts when this one is stated and another one is stored."""
        stated = {name: getattr(self, name) for name in self.model_fields_set}
        return stored.model_copy(update={"local": None, **stated} if self.base_url else stated)


def made(
    plugin: Provider,
    name: str,
    instance: Instance,
    listed: Mapping[str, Listing],
    families: Mapping[str, str],
    *,
    local: bool,
) -> Provider:
    """Return the provider that an instance is.

    :param plugin: what it is asked through
    :param listed: the service's own list, by model id
    :param families: the families of known models, by model id and by family
    :param local: whether it may be on this machine or in its network
    """
    info = plugin.info.model_copy(
        update={
            "id": name,
            "title": name,
            "instances": False,
            "signup_url": instance.base_url,
            "base_url": instance.base_url,
            "environment": (instance.key,) if instance.key else (),
            "keyless": not instance.key,
        }
    )
    listed = {id_: listing for id_, listing in listed.items() if listing.last_seen is not None}
    ids = dict.fromkeys((*instance.models, *(listed if instance.discover else ())))
    found = (
        _model(name, id_, instance.models.get(id_, OwnModel()), listed.get(id_), families) for id_ in ids
    )
    models = [model for model in found if model is not None]
    service = plugin.instance(name, info, local=local, lists_models=instance.discover)
    return service.offering(models, list(_quotas(instance, models)))


def families_of(providers: Iterable[Provider]) -> Mapping[str, str]:
    """Return the families of the models of packages, by model id and by family: an instance's joins them by its id."""
    models = [model for provider in providers for model in provider.models]
    return {model.id: model.family for model in models} | {model.family: model.family for model in models}


def _model(
    provider: str, id_: str, own: OwnModel, listing: Listing | None, families: Mapping[str, str]
) -> Model | None:
    """Return a model, None for what a list has and nobody can ask: no chat, or an id that no model can have."""
    facts = listing.facts if listing else None
    task = own.task or (facts and facts.task) or "chat"
    if task != "chat" and not own.dimensions:
        return None
    abilities = own.abilities
    if abilities is None:
        listed = (facts and facts.abilities) or frozenset()
        abilities = ASSUMED.union(ability for ability in get_args(Ability) if ability in listed)
    said = own.model_dump(exclude_none=True, exclude={"limits", "abilities"})
    try:
        return Model.model_validate(
            {
                "id": id_,
                "family": families.get(id_, f"{provider}/{id_}"),
                "title": ((facts and facts.title) or "")[:200],
                "context": facts and facts.context,
                "max_output": facts and facts.max_output,
                "abilities": abilities if task == "chat" else frozenset(),
                "images": "inline" if "vision" in abilities else "none",
                "source": "its own list of models" if facts else "config.toml",
                "checked": day(listing.last_seen) if listing else "unknown",
                **said,
            }
        )
    except ValidationError:
        return None


def _quotas(instance: Instance, models: Iterable[Model]) -> Iterable[Quota]:
    rules = LimitRules(scope="ip")  # one service, however many keys it has
    for model in models:
        own = instance.models.get(model.id)
        if own is not None:
            yield from quotas_of(model, own.limits, rules)
    if instance.concurrent is not None:
        yield Quota(
            unit="concurrent", limit=instance.concurrent, scope="ip", source="its user", checked="unknown"
        )
