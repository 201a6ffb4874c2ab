"""The settings themselves: names, types, defaults and the sentences that the documentation is made of."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from platformdirs import user_config_path, user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from freellm.base_urls import plain_url
from freellm.catalogue_file import Limits
from freellm.errors import SettingsError
from freellm.instances import Instance, Name
from freellm.profiles import Label, Profile
from freellm.signed_catalogue import public_key
from freellm.strategies import PRIORITY, Weights

CREDENTIAL: Final = "freellm-master-key"
"""The name of the systemd credential that holds the master key (`LoadCredential=freellm-master-key:…`)."""


def _split(value: object) -> object:
    """Read a comma-separated list; an empty text is an empty list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def check_base_url(url: str) -> str:
    """Return a base URL without its last slash.

    :raises SettingsError: when it is none, or says more than scheme, host, port and path
    """
    try:
        return plain_url(url)
    except ValueError as error:
        raise SettingsError(f"this is not a base URL: {error}") from None


def check_source(source: str) -> str:
    """Return where a catalogue file is: an https URL as it is, or an absolute path.

    :raises ValueError: when it is neither
    """
    if "://" not in source:
        return str(_absolute(Path(source)))
    parts = urlsplit(source)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("expected a path, or https://HOST/PATH without a user name and a fragment")
    return source


def _table(value: object) -> object:
    if not isinstance(value, Mapping | LimitOverride):
        raise ValueError('expected a table for each model or quota: [limits.PROVIDER."MODEL"]')
    return value


class LimitOverride(Limits):
    """What a person knows better than a provider's catalogue about one of its limits.

    :param limit: the size of the quota, for an entry named as a quota (`requests/60s:*`) and not as a model
    """

    limit: float | None = None


Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_split)]
AbsolutePath: TypeAlias = Annotated[Path, AfterValidator(_absolute)]
BaseUrl: TypeAlias = Annotated[str, AfterValidator(plain_url)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """Everything that can be set, checked and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(3001, ge=0, le=65_535, description="The port to listen on; 0 takes any free one.")
    data_dir: AbsolutePath = Field(
        default_factory=lambda: user_data_path("freellm", appauthor=False),
        description="The folder of the database and of config.toml.",
    )
    config_dir: AbsolutePath = Field(
        default_factory=lambda: user_config_path("freellm", appauthor=False),
        description="The folder of the generated master key. It is not the data folder, so that a copy of the data "
        "folder alone opens nothing.",
    )
    api_key: SecretStr | None = Field(
        None,
        description="Fixes the unified key that clients send; unset, a generated one is kept in the database.",
    )
    master_key_file: AbsolutePath | None = Field(
        None, description="A file, readable by its owner only, that holds the master key."
    )
    master_key: SecretStr | None = Field(
        None, description="The master key itself, 32 characters or more; a file is the safer way."
    )
    credentials_dir: AbsolutePath | None = Field(
        None, description=f"Set by systemd; a credential called {CREDENTIAL} in it is the master key."
    )
    no_auth: bool = Field(False, description="Serve without asking for the unified key; loopback only.")
    strict_plugins: bool = Field(
        False, description="Refuse to start when a plugin is broken, instead of leaving it out."
    )
    load_plugins: Names | None = Field(
        None, description="The plugins to load, comma-separated; empty loads none, unset loads all."
    )
    allowed_hosts: Names = Field(
        (), description="Names that requests may be addressed to besides loopback's, comma-separated."
    )
    heartbeat_after: Seconds = Field(
        15.0, description="Seconds without a first delta until a stream's headers are sent early."
    )
    stall_timeout: Seconds = Field(
        60.0, description="Seconds between two deltas of a stream until it counts as stalled."
    )
    max_attempts: int = Field(20, ge=1, le=100, description="Routes tried for one request, at most.")
    request_timeout: Seconds = Field(
        300.0, description="Seconds for a request whose client states no timeout of its own."
    )
    max_wait: float = Field(
        15.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds that a request waits for a route to open, at most, when all are closed; 0 is never. A "
        "request may say otherwise: `X-FreeLLM-Max-Wait`.",
    )
    max_waiting: int = Field(
        256,
        ge=0,
        le=100_000,
        description="Requests that wait at the same time, at most; the next is refused.",
    )
    hedge: bool = Field(
        False,
        description="Ask a second route when the first is slower than usual and quota is ample; the faster answers. A "
        "request may say otherwise: `X-FreeLLM-Hedge`.",
    )
    embeddings_model: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The model or family that `auto` stands for at `/v1/embeddings`; unset, the one it chose first.",
    )
    strategy: str = Field(
        PRIORITY, min_length=1, description="The strategy that `auto` stands for, such as `fast`."
    )
    strategies: Mapping[Label, Weights] = Field(
        {}, description="Strategies of your own: `[strategies.NAME]`, `intelligence = 2`, `speed = 1`."
    )
    profiles: Mapping[Label, Profile] = Field(
        {},
        description='Profiles: `[profiles.NAME]`, `models = ["…"]`, or `strategy` with `only`, `ignore`, `abilities`.',
    )
    body_limit: ByteSize = Field(
        ByteSize(32 * 1024**2), ge=1024, description="The largest request body, in bytes or as `32MiB`."
    )
    base_urls: Mapping[str, BaseUrl] = Field(
        {}, description="Base URLs by provider, in place of the declared ones."
    )
    unlimited: frozenset[str] = Field(
        frozenset(),
        description="Providers whose environment key is on a paid plan: its use is counted, never refused.",
    )
    limits: Mapping[str, Mapping[str, Annotated[LimitOverride, BeforeValidator(_table)]]] = Field(
        {},
        description='Limits by provider and by model id or quota name: `[limits.NAME."MODEL"]`, `rpm = 60`.',
    )
    catalogue: str | None = Field(
        None, description="A signed catalogue file that updates models and limits: a path or an https URL."
    )
    catalogue_key: str | None = Field(
        None, description="The public key (Ed25519, base64) that the catalogue file has to be signed with."
    )
    models_sync_days: float = Field(
        7.0,
        ge=0,
        le=365,
        description="Days between two looks of a running server at each provider's own list; 0 is never.",
    )
    instances: Mapping[Name, Instance] = Field(
        {},
        description="Services that you added, or describe further, under names of their own: `[instances.NAME]`, "
        '`base_url = "…"`.',
    )
    journal_retention_days: float = Field(
        30.0,
        gt=0,
        le=3650,
        description="Days that the request log is kept; it holds no prompt and no answer.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe kind of log line that is written."
    )

    @property
    def stated_limits(self) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
        """The overridden limits as plain data: by provider, model id or quota name, and limit."""
        return {
            provider: {name: limit.model_dump(exclude_none=True) for name, limit in rows.items()}
            for provider, rows in self.limits.items()
        }

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(r"[!-~]{8,512}", key.get_secret_value()):
            raise ValueError("a unified key is 8 to 512 printable ASCII characters without spaces")
        return key

    @field_validator("catalogue")
    @classmethod
    def _from_a_file_or_https(cls, source: str | None) -> str | None:
        return source if source is None else check_source(source)

    @field_validator("catalogue_key")
    @classmethod
    def _is_a_public_key(cls, key: str | None) -> str | None:
        if key is not None:
            public_key(key)
        return key

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_lower_case(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _a_catalogue_needs_a_key(self) -> Settings:
        if self.catalogue and not self.catalogue_key:
            raise ValueError(
                "catalogue needs catalogue_key, the public key that the file is signed with; its publisher states it"
            )
        return self

    @model_validator(mode="after")
    def _no_auth_on_loopback_only(self) -> Settings:
        if self.no_auth and not is_loopback(self.host):
            raise ValueError(
                f"no_auth is accepted on loopback only, and host is {self.host!r}: "
                "leave no_auth out, or listen on 127.0.0.1"
            )
        return self


def is_loopback(host: str) -> bool:
    """Tell whether a host to listen on can be reached from this machine only.

    Names other than `localhost` are not looked up: what they resolve to may change.
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
