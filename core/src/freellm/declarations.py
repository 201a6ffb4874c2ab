"""What a provider package declares, once, at start: who it is, its models and its quotas.

These are written by people, so they are pydantic models: a mistake names the field and says what was expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Ability: TypeAlias = Literal["tools", "vision", "json", "json_schema", "reasoning", "system"]
"""What a request may need of a model. `json` is the JSON mode, `json_schema` a schema kept to."""

Status: TypeAlias = Literal["active", "listed", "unverified", "paid-only", "retired"]
"""`active`: served for free by a recent source. `listed`: in a catalogue, entitlement not proven. `unverified`: see
the note. `paid-only`: not in the free tier. `retired`: gone. Only `active` and `listed` models are on by default."""

Task: TypeAlias = Literal["chat", "embeddings"]
"""What a model does."""

Clock: TypeAlias = Literal["rolling", "utc-midnight", "pacific-midnight", "month", "unknown"]
"""When a quota's window starts over. `unknown` is treated as `rolling`."""

MINUTE, DAY = 60.0, 86_400.0


class Declaration(BaseModel):
    """What people write: frozen, and a field that does not exist is a mistake."""

    # pydantic's own engine needs 18 MB for the patterns below.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), regex_engine="python-re")


class KeyField(Declaration):
    """One field of a provider's key; the CLI and the dashboard draw their forms from it.

    :param name: the name under which `Key.fields` holds it
    :param title: its label in a form
    :param secret: whether it is hidden while it is typed
    :param help: where to find it, one sentence
    :param pattern: a regular expression a value is expected to match; a mismatch warns and never refuses
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*\Z")
    title: str
    secret: bool = True
    help: str = ""
    pattern: str | None = None


class DataPolicy(Declaration):
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


class ProviderInfo(Declaration):
    """Who a provider is.

    :param id: the entry point's name: lower case, the part before `/` in `X-Routed-Via`
    :param title: its name for people
    :param instances: whether it answers only for services that users add under names of their own, each with a base
        URL, keys and models of its own; then it needs no sign-up, no base URL and no models
    :param signup_url: where a free key is made
    :param docs_url: its API documentation
    :param key_fields: the fields of a key, in the order of the colon-separated one-line form
    :param environment: variables that usually hold a key, the first one preferred. A variable holds the one-line
        form, unless its name is given as `NAME=field`: then it holds that field, and all `=` variables make one key
    :param keyless: whether it answers without a key
    :param base_url: origin and path prefix of its API
    :param alternative_base_urls: other hosts of the service with accounts of their own: when the first one refuses a
        key, its probes are sent to these in turn, and the key stays with the one that takes it
    :param first_byte_timeout: seconds until the first byte of an answer, at most
    :param quota_headers: lower-case names of the headers that `read_quota` reads; without any of them on an answer
        the hook is not asked
    :param account_of: the key field that names the account; None: each key is its own account
    :param data_policy: what happens to prompts
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*\Z")
    title: str
    instances: bool = False
    signup_url: str = ""
    docs_url: str
    key_fields: tuple[KeyField, ...] = (KeyField(name="token", title="API key"),)
    environment: tuple[str, ...] = ()
    keyless: bool = False
    base_url: str = Field("", pattern=r"^(https?://.*)?$")
    alternative_base_urls: tuple[str, ...] = ()
    first_byte_timeout: float = Field(default=30.0, gt=0)
    quota_headers: tuple[str, ...] = ()
    account_of: str | None = None
    data_policy: DataPolicy | None = None

    @model_validator(mode="after")
    def _one_service_has_an_address(self) -> ProviderInfo:
        if not self.instances and not (self.signup_url and self.base_url):
            raise ValueError("signup_url and base_url are needed, unless instances = True")
        return self

    @model_validator(mode="after")
    def _account_is_a_field(self) -> ProviderInfo:
        if self.account_of and self.account_of not in {field.name for field in self.key_fields}:
            raise ValueError(f"account_of names {self.account_of!r}, which is not a key field")
        return self


class Model(Declaration):
    """One model of one provider.

    :param id: the provider's own id, sent as it is
    :param family: the logical model: rows of other providers with the same family answer for each other
    :param title: its name for people
    :param task: what it does; a model that makes embeddings is asked for nothing else
    :param context: tokens of input and output together; None is unknown
    :param max_output: tokens of output at most; None is unknown
    :param abilities: what requests may need of it; `system` (takes a system message) is on unless stated
    :param images: how it takes images: not at all, by URL, or only inline as data URIs
    :param dimensions: for embeddings, the lengths of vector it can make, the usual one first. Models of one family
        and dimension answer for each other: their vectors lie in one space
    :param max_inputs: for embeddings, texts in one request at most
    :param token_inputs: for embeddings, whether it takes lists of token ids in place of texts
    :param counts_inputs: for embeddings, whether the service counts each input as a request of its own
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

    id: str = Field(pattern=r"^[\w.:/@+\-~]{1,200}\Z")
    family: str
    title: str = ""
    task: Task = "chat"
    context: int | None = Field(default=None, gt=0)
    max_output: int | None = Field(default=None, gt=0)
    abilities: frozenset[Ability] = frozenset({"system"})
    images: Literal["none", "url", "inline"] = "none"
    dimensions: tuple[int, ...] = ()
    max_inputs: int | None = Field(default=None, gt=0)
    token_inputs: bool = False
    counts_inputs: bool = False
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

    @model_validator(mode="after")
    def _embeddings_state_their_dimensions(self) -> Model:
        if (self.task == "embeddings") != bool(self.dimensions):
            raise ValueError("task = 'embeddings' and dimensions go together")
        if self.task == "chat" and (self.max_inputs or self.token_inputs or self.counts_inputs):
            raise ValueError("max_inputs, token_inputs and counts_inputs are for task = 'embeddings'")
        return self

    @property
    def enabled_by_default(self) -> bool:
        """Whether the model is on unless someone says otherwise."""
        return self.status in ("active", "listed")


class Quota(Declaration):
    """One limit of a provider.

    :param unit: `requests`, `tokens`, `concurrent`, or a unit of the provider's own that `Model.costs` prices
    :param limit: how much a window holds; None is unknown and learned
    :param window: seconds; None for `concurrent`
    :param clock: when the window starts over
    :param scope: whose pool it is
    :param members: the models that share the pool; empty is all of the provider's
    :param task: without members, which models share it by what they do; None is all
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
    task: Task | None = None
    charge: Literal["actual", "input", "input+max"] = "actual"
    source: str
    checked: str

    @model_validator(mode="after")
    def _only_concurrency_has_no_window(self) -> Quota:
        if (self.unit == "concurrent") != (self.window is None):
            raise ValueError("a quota has a window in seconds, unless its unit is 'concurrent'")
        return self

    @model_validator(mode="after")
    def _members_or_a_task(self) -> Quota:
        if self.members and self.task:
            raise ValueError("a quota has members or a task: the members already say which models share it")
        return self

    @property
    def name(self) -> str:
        """What tells this quota from the provider's others, stable across releases: unit, window and members."""
        window = "" if self.window is None else f"/{self.window:g}s"
        return f"{self.unit}{window}:{','.join(self.members) or self.task or '*'}"

    def touches(self, model: Model) -> bool:
        """Tell whether a model of the same provider shares the pool."""
        return model.id in self.members if self.members else self.task in (None, model.task)
