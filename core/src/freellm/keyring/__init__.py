"""The provider keys there are: stored ones, those of the environment, and the routes that need none."""

from freellm.keyring.entries import ProviderKey
from freellm.keyring.environment import FoundKey, find_key
from freellm.keyring.keyring import Keyring
from freellm.keyring.lines import doubts, parse_environment_file, parse_key

__all__ = [
    "FoundKey",
    "Keyring",
    "ProviderKey",
    "doubts",
    "find_key",
    "parse_environment_file",
    "parse_key",
]
