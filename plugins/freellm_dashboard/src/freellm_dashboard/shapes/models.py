"""Models, the order in which they are tried, and profiles."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from freellm_dashboard.shapes.keys import Name
from freellm_dashboard.shapes.wire import Answer, Body

Ability = Literal["tools", "vision", "json", "json_schema", "reasoning", "system"]
Names = Annotated[list[Name], msgspec.Meta(max_length=2_000)]


class ModelLimit(Answer, frozen=True, kw_only=True):
    """One limit of a model, over all keys.

    :param unit: what is counted
    :param window: seconds; null: at once
    :param used: what is spent
    :param limit: what there is; null is unknown
    :param left: what is left; null is unknown
    :param resets_at: Unix time at which all of it is there again if nothing more is spent
    :param shared: whether other models draw on it, too
    """

    unit: str
    window: float | None
    used: float
    limit: float | None
    left: float | None
    resets_at: float | None
    shared: bool


class Measured(Answer, frozen=True, kw_only=True):
    """What was measured of a model lately.

    :param success: the share of attempts that went well, 0 to 1
    :param first_ms: milliseconds to the first token
    :param tokens_per_second: tokens a second from then on
    """

    success: float | None
    first_ms: float | None
    tokens_per_second: float | None


class ModelRow(Answer, frozen=True, kw_only=True):
    """One model at one provider.

    :param name: `provider/model`
    :param provider: the provider's id
    :param provider_title: the provider's name for people
    :param model: the provider's own id of the model
    :param title: its name for people
    :param family: the models that answer for it at other providers
    :param task: what it does
    :param abilities: what it can do
    :param dimensions: of embeddings, the lengths of vector
    :param context: tokens of its window; null is unknown
    :param max_output: tokens of output at most; null is unknown
    :param status: whether it is served for free
    :param state: whether it is used
    :param why: why it is not, or what is special
    :param note: one sentence about it
    :param enabled: whether it is switched on
    :param place: its place in the order in which `auto` tries models, from 1; null: it is not tried
    :param by_hand: whether you gave it its place
    :param intelligence_rank: 1 is best; null is unknown
    :param speed_rank: 1 is best; null is unknown
    :param available: whether a request could be sent to it now
    :param unavailable_because: why not, in words
    :param opens_at: Unix time at which it could
    :param limits: its limits in words
    :param quotas: its limits in numbers; empty without a key
    :param measured: what was measured of it
    """

    name: str
    provider: str
    provider_title: str
    model: str
    title: str
    family: str
    task: Literal["chat", "embeddings"]
    abilities: list[Ability]
    dimensions: list[int]
    context: int | None
    max_output: int | None
    status: Literal["active", "listed", "unverified", "paid-only", "retired"]
    state: Literal["on", "off", "no key"]
    why: str
    note: str
    enabled: bool
    place: int | None
    by_hand: bool
    intelligence_rank: int | None
    speed_rank: int | None
    available: bool
    unavailable_because: str | None
    opens_at: float | None
    limits: list[str]
    quotas: list[ModelLimit]
    measured: Measured | None


class Models(Answer, frozen=True, kw_only=True):
    """Models.

    :param models: those with a place first
    """

    models: list[ModelRow]


class ModelSwitch(Body, frozen=True, kw_only=True):
    """Models to switch on or off.

    :param models: models' ids, families or `provider/model`
    :param enabled: whether they are to be on
    """

    models: Names
    enabled: bool


class FallbackEntry(Answer, frozen=True, kw_only=True):
    """One model in the order.

    :param place: from 1
    :param name: `provider/model`
    :param provider: the provider's id
    :param model: the model's id
    :param title: its name for people
    :param by_hand: whether you gave it its place
    :param intelligence_rank: 1 is best; null is unknown
    :param speed_rank: 1 is best; null is unknown
    :param available: whether a request could be sent to it now
    :param unavailable_because: why not, in words
    :param opens_at: Unix time at which it could
    """

    place: int
    name: str
    provider: str
    model: str
    title: str
    by_hand: bool
    intelligence_rank: int | None
    speed_rank: int | None
    available: bool
    unavailable_because: str | None
    opens_at: float | None


class Fallback(Answer, frozen=True, kw_only=True):
    """The order in which `auto` tries the models.

    :param order: the models, the first one first
    :param strategy: what `auto` goes by; `priority` is this order
    :param strategies: the strategies on offer
    """

    order: list[FallbackEntry]
    strategy: str
    strategies: list[str]


class FallbackOrder(Body, frozen=True, kw_only=True):
    """A new order.

    :param order: `provider/model`, the first one first; models that are left out keep their order behind these
    """

    order: Names


class FallbackSort(Body, frozen=True, kw_only=True):
    """An order by rule.

    :param by: `reset` forgets every place you gave
    """

    by: Literal["intelligence", "speed", "reset"]


class ProfileRow(Answer, frozen=True, kw_only=True):
    """A choice of models that has a name; requests ask for `auto:NAME`.

    :param name: its name
    :param source: where it stands; one of `config.toml` is changed there
    :param models: models, families or `provider/model`, in order; empty is every model
    :param strategy: the order of all models, or within each of them
    :param only: the providers that may answer; empty is all
    :param ignore: the providers that may not
    :param abilities: what each model must be able to do
    :param data_collection: `deny` leaves out providers that may learn from prompts
    """

    name: str
    source: Literal["config.toml", "database"]
    models: list[str]
    strategy: str | None
    only: list[str]
    ignore: list[str]
    abilities: list[Ability]
    data_collection: Literal["allow", "deny"]


class Profiles(Answer, frozen=True, kw_only=True):
    """Every profile.

    :param profiles: the profiles
    :param strategies: the strategies on offer
    """

    profiles: list[ProfileRow]
    strategies: list[str]


class ProfileBody(Body, frozen=True, kw_only=True):
    """A profile as it is to be; see `ProfileRow`.

    :param models: models, families or `provider/model`, in order; empty is every model
    :param strategy: the order of all models, or within each of them
    :param only: the providers that may answer; empty is all
    :param ignore: the providers that may not
    :param abilities: what each model must be able to do
    :param data_collection: `deny` leaves out providers that may learn from prompts
    """

    models: Annotated[list[Name], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)
    strategy: str | None = None
    only: list[Name] = msgspec.field(default_factory=list)
    ignore: list[Name] = msgspec.field(default_factory=list)
    abilities: list[Ability] = msgspec.field(default_factory=list)
    data_collection: Literal["allow", "deny"] = "allow"


class Sync(Body, frozen=True, kw_only=True):
    """Whose lists of models to ask for.

    :param providers: providers' ids; empty is all that have a key
    """

    providers: list[Name] = msgspec.field(default_factory=list)


class SyncChange(Answer, frozen=True, kw_only=True):
    """One difference.

    :param kind: such as `new`, `vanished` or `retired`
    :param model: the model's id
    :param detail: what is different
    """

    kind: str
    model: str
    detail: str


class SyncedProvider(Answer, frozen=True, kw_only=True):
    """What one provider's list says.

    :param provider: the provider's id
    :param listed: how many models it has; null: it could not be asked
    :param changes: what is different from before
    :param problem: what prevented an answer
    """

    provider: str
    listed: int | None
    changes: list[SyncChange]
    problem: str


class Synced(Answer, frozen=True, kw_only=True):
    """What the lists say.

    :param providers: those that were asked
    """

    providers: list[SyncedProvider]
