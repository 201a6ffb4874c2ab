"""What a person can set: FREELLM_* variables, then config.toml in the data folder, then defaults."""

from freellm.settings.model import LimitOverride, Settings, check_base_url, check_source, is_loopback
from freellm.settings.sources import (
    CONFIG_FILE,
    ENVIRONMENT,
    SECRETS,
    check_providers,
    load_settings,
    take_secrets,
)

__all__ = [
    "CONFIG_FILE",
    "ENVIRONMENT",
    "SECRETS",
    "LimitOverride",
    "Settings",
    "check_base_url",
    "check_providers",
    "check_source",
    "is_loopback",
    "load_settings",
    "take_secrets",
]
