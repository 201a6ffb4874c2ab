"""Keys and the providers that they are for."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from freellm.explanations import Cooldown
from freellm_dashboard.shapes.wire import Answer, Body

KeyState = Literal["untested", "valid", "invalid", "unreadable", "orphaned"]
"""As in `freellm keys list`."""

Text = Annotated[str, msgspec.Meta(max_length=4096)]
Label = Annotated[str, msgspec.Meta(max_length=200)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class KeyRow(Answer, frozen=True, kw_only=True):
    """One key; nothing of it is secret.

    :param id: its id; `env:…` is one of the environment, `keyless:…` none at all
    :param provider: the provider's id
    :param title: the provider's name for people
    :param label: what the user calls it
    :param masked: as much of the key as tells it from others, such as `gsk_…7f3a`; empty when there is nothing to show
    :param source: where it is kept
    :param state: what is known of it; `untested` is no good sign and no bad one
    :param reason: why, in words for a person
    :param fix: what to do about it; null: nothing is needed
    :param checked_at: Unix time of the last check
    :param unlimited: whether it is on a paid plan: its use is counted, never refused
    :param enabled: whether it may be used
    :param editable: whether it can be changed and removed here
    :param base_url: where it is sent
    :param models: the models that it unlocks
    :param closed: what of it takes no requests for now
    """

    id: str
    provider: str
    title: str
    label: str
    masked: str
    source: Literal["stored", "environment", "keyless"]
    state: KeyState
    reason: str
    fix: str | None
    checked_at: float | None
    unlimited: bool
    enabled: bool
    editable: bool
    base_url: str
    models: list[str]
    closed: list[Cooldown]


class Keys(Answer, frozen=True, kw_only=True):
    """Every key there is.

    :param keys: stored ones first
    """

    keys: list[KeyRow]


class Field(Answer, frozen=True, kw_only=True):
    """One field of a provider's form.

    :param name: what it is called in `NewKey.fields`
    :param title: its label
    :param secret: whether it is hidden while it is typed
    :param help: where to find it
    :param pattern: a regular expression that a value is expected to match; a mismatch is worth a warning and no more
    """

    name: str
    title: str
    secret: bool
    help: str
    pattern: str | None


class DataUse(Answer, frozen=True, kw_only=True):
    """What a provider does with prompts on its free tier.

    :param trains: whether it may learn from them; null is unknown
    :param note: one sentence
    :param source: where this is stated
    :param checked: the day it was read
    """

    trains: bool | None
    note: str
    source: str
    checked: str


class ProviderCard(Answer, frozen=True, kw_only=True):
    """One provider, and what a key of it is good for.

    :param id: its id
    :param title: its name for people
    :param signup_url: where a free key is made
    :param docs_url: its documentation
    :param fields: the fields of a key, in order
    :param environment: the variables that usually hold a key
    :param keyless: whether it answers without a key
    :param own_server: whether keys of it are servers of one's own, which need a name and a base URL
    :param retired: whether all its models are gone
    :param quotas: its limits in words
    :param unlocks: the models that a key unlocks, the best first
    :param tokens_per_day: what its limits allow in a day, in tokens; null is unknown
    :param effort: what it takes to get a key, in words
    :param data_use: what it does with prompts; null is unknown
    :param keys: how many keys of it there are
    """

    id: str
    title: str
    signup_url: str
    docs_url: str
    fields: list[Field]
    environment: list[str]
    keyless: bool
    own_server: bool
    retired: bool
    quotas: list[str]
    unlocks: list[str]
    tokens_per_day: int | None
    effort: str
    data_use: DataUse | None
    keys: int


class Providers(Answer, frozen=True, kw_only=True):
    """Every provider that is installed.

    :param providers: the most tokens for the least effort first
    """

    providers: list[ProviderCard]


class NewKey(Body, frozen=True, kw_only=True):
    """A key to add; it is checked first and not stored when the provider refuses it.

    :param provider: whose it is
    :param fields: its fields by name; a key of several parts in the one-line form may stand in the first
    :param label: what you call it
    :param unlimited: whether it is on a paid plan
    :param check: false stores it without asking the provider
    :param base_url: where to send it, when that is not the provider's own base URL; a server of your own needs one
    :param name: what a server of your own is called
    :param concurrent: how many requests at once a server of your own takes
    """

    provider: Name
    fields: dict[str, Text] = msgspec.field(default_factory=dict)
    label: Label = ""
    unlimited: bool = False
    check: bool = True
    base_url: Text | None = None
    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    concurrent: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None


class AddedKey(Answer, frozen=True, kw_only=True):
    """A key that was stored.

    :param key: the key
    :param message: what the check found, in words for a person
    :param models: the models that it unlocks
    """

    key: KeyRow
    message: str
    models: list[str]


class KeyChange(Body, frozen=True, kw_only=True):
    """What is to change of a key; what is left out stays.

    :param enabled: whether it may be used
    :param label: what you call it
    :param unlimited: whether it is on a paid plan
    """

    enabled: bool | None = None
    label: Label | None = None
    unlimited: bool | None = None


class RemovedKey(Answer, frozen=True, kw_only=True):
    """A key that is gone.

    :param id: what its id was
    :param provider: whose it was
    :param label: what it was called
    """

    id: str
    provider: str
    label: str


class Import(Body, frozen=True, kw_only=True):
    """The text of a `.env` file.

    :param text: the text
    :param preview: true says what would be taken, asks nobody and stores nothing
    :param check: false stores the keys without asking the providers
    """

    text: Annotated[str, msgspec.Meta(max_length=262_144)]
    preview: bool = True
    check: bool = True


class ImportedKey(Answer, frozen=True, kw_only=True):
    """What becomes of one key of the file.

    :param provider: whose key it is
    :param variable: the variable, or the variables joined by `+`
    :param outcome: `take` (a preview), `stored`, `known` (stored before), `refused` or `wrong`
    :param masked: as much of it as tells it from others
    :param reason: why, in words for a person
    :param id: the stored key's id
    :param state: what the check found
    """

    provider: str
    variable: str
    outcome: Literal["take", "stored", "known", "refused", "wrong"]
    masked: str
    reason: str
    id: str | None
    state: KeyState | None


class Imported(Answer, frozen=True, kw_only=True):
    """What becomes of the file.

    :param preview: whether it is what would become of it
    :param keys: the keys that were found
    :param ignored: the variables that are left alone
    """

    preview: bool
    keys: list[ImportedKey]
    ignored: list[str]


class Clear(Body, frozen=True, kw_only=True):
    """What is to be opened again.

    :param name: a provider, a model, a route, a key or a pool, as in `Cooldown.what`
    """

    name: Name


class Cleared(Answer, frozen=True, kw_only=True):
    """What was opened again.

    :param name: what was named
    :param cleared: what was closed and is open now
    """

    name: str
    cleared: list[str]
