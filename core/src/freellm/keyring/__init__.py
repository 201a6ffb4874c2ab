"""The provider keys there are: stored ones, those of the environment, and the routes that need none."""

from freellm.keyring.entries import ProviderKey
from freellm.keyring.environment import FoundKey, find_key
from freellm.keyring.keyring import Keyring
from freellm.keyring.lines import check_fields, doubts, parse_environment_file, parse_key

__all__ = [
    "FoundKey",
    "Keyring",
    "ProviderKey",
    "check_fields",
    "doubts",
    "find_key",
    "parse_environment_file",
    "parse_key",
]
