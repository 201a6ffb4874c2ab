"""What a plugin remembers: the state of its object and of its modules, as a value that can be compared."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final

_PLAIN: Final = (str, bytes, int, float, bool, type(None))
_DEEPEST: Final = 12


def state_of(plugin: object) -> dict[str, Any]:
    """Return what a plugin object and its package's modules hold, by name; objects of others stand as they are."""
    package = type(plugin).__module__.partition(".")[0]
    home = getattr(sys.modules.get(package), "__name__", package)
    found = {f"{type(plugin).__name__}.{name}": _value(value, home) for name, value in _members(plugin)}
    for module in _modules(package):
        for name, value in vars(module).items():
            if not name.startswith("__") and isinstance(value, list | dict | set | bytearray | int | str):
                found[f"{module.__name__}.{name}"] = _value(value, home)
    return found


def _modules(package: str) -> Iterator[ModuleType]:
    if package in (
        "freellm",
        "builtins",
    ):  # the plugin is an object of core's class; what core holds is core's
        return
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] == package and isinstance(module, ModuleType):
            yield module


def _members(value: object) -> Iterator[tuple[str, Any]]:
    yield from vars(value).items() if hasattr(value, "__dict__") else ()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                yield name, getattr(value, name)


def _value(value: Any, package: str, depth: int = 0) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return [(repr(name), _value(inner, package, depth + 1)) for name, inner in value.items()]
    if isinstance(value, list | tuple):
        return [_value(inner, package, depth + 1) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(repr(inner) for inner in value)
    if type(value).__module__.partition(".")[0] in (package, "freellm", "collections"):
        return [(name, _value(inner, package, depth + 1)) for name, inner in _members(value)]
    return f"{type(value).__name__} {id(value)}"
