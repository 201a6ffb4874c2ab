"""Copies of what hooks are given, so that what a hook changes is changed for nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from freellm.types import Answer, ChatRequest, EmbeddingRequest, Event

_CONSTANT: Final = frozenset({"model", "key"})
"""Arguments that are frozen all through."""

_KINDS: Final = (ChatRequest, EmbeddingRequest, Answer, Event)


def copied(value: Any) -> Any:
    """Return a copy of JSON, and of the structs that hold it."""
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [copied(inner) for inner in value]
    if isinstance(value, tuple):
        return tuple(copied(inner) for inner in value)
    if isinstance(value, _KINDS):
        fields = {name: copied(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    return value


def copied_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a hook, copied where they can be changed."""
    return {name: value if name in _CONSTANT else copied(value) for name, value in arguments.items()}
