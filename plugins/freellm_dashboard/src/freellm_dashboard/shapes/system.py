"""Plugins, settings, the unified key, and what is told as it happens."""

from __future__ import annotations

from typing import Literal

import msgspec

from freellm_dashboard.shapes.wire import Answer


class PluginRow(Answer, frozen=True, kw_only=True):
    """One installed plugin.

    :param id: its name
    :param kind: what it is
    :param package: the distribution that brings it
    :param version: the distribution's version
    :param summary: the distribution's own sentence about itself
    :param status: whether it is used
    :param hooks: the hooks that it answers
    :param reason: why it is not used, and the cure
    """

    id: str
    kind: Literal["provider", "plugin", "command"]
    package: str
    version: str
    summary: str
    status: Literal["loaded", "quarantined", "refused", "disabled", "on demand"]
    hooks: list[str]
    reason: str


class Install(Answer, frozen=True, kw_only=True):
    """One way to install more.

    :param title: what it does
    :param command: the command
    """

    title: str
    command: str


class Plugins(Answer, frozen=True, kw_only=True):
    """Every installed plugin.

    :param plugins: the plugins
    :param folder: where single-file plugins are put
    :param install: how to install more
    """

    plugins: list[PluginRow]
    folder: str
    install: list[Install]


class Setting(Answer, frozen=True, kw_only=True):
    """One setting; secrets are not told.

    :param name: its name in `config.toml`
    :param environment: the variable that sets it
    :param value: its value as it is written in `config.toml`; empty: it is not set
    :param source: who set it
    :param help: what it does
    """

    name: str
    environment: str
    value: str
    source: Literal["default", "config.toml", "environment", "command line"]
    help: str


class Settings(Answer, frozen=True, kw_only=True):
    """How this server is set up.

    :param version: freellm's version
    :param python: Python's version
    :param openai_base_url: what clients are pointed to
    :param data_dir: where the database is
    :param database_bytes: its size
    :param config_file: where settings are written
    :param demo: whether every provider is simulated
    :param auth: whether clients need the unified key
    :param settings: every setting
    """

    version: str
    python: str
    openai_base_url: str
    data_dir: str
    database_bytes: int
    config_file: str
    demo: bool
    auth: bool
    settings: list[Setting]


class UnifiedKey(Answer, frozen=True, kw_only=True):
    """The key that clients send, without the key.

    :param masked: as much of it as tells it from others; empty: no key is needed
    :param source: where it is kept
    :param rotatable: whether it can be replaced here
    """

    masked: str
    source: Literal["database", "FREELLM_API_KEY", "none"]
    rotatable: bool


class RevealedKey(Answer, frozen=True, kw_only=True):
    """The key that clients send.

    :param api_key: the key
    """

    api_key: str


Kind = Literal["hello", "activity", "request", "quotas", "keys", "models", "signed-out"]
"""What changed; the name of the event."""


class Notice(Answer, frozen=True, kw_only=True):
    """What `GET /api/events` tells: something changed; the client asks for it again.

    :param kind: what changed, and the name of the event; `hello` comes first, `signed-out` last
    :param at: Unix time
    :param under_way: of `activity`, how many requests are being served
    :param last: of `activity`, the Unix time at which the last request that is over came
    :param ids: of `request`, the ids of those that the log has now, the last 50 of them
    """

    kind: Kind
    at: float
    under_way: int | None = None
    last: float | None = None
    ids: list[str] = msgspec.field(default_factory=list)
