"""The fields `models` and `provider` of a request: who may answer, and in which order, as other gateways have them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from freellm.errors import RequestError
from freellm.preferences import Filter, Preferences
from freellm.types import Json

MOST_NAMES: Final = 100
"""Names a list may hold."""

SORTS: Final[Mapping[str, str | None]] = {"price": None, "throughput": "throughput", "latency": "latency"}
"""Strategies by what clients of other gateways call them; everything is free here, so a sort by price leaves the usual order."""

_PRICES: Final = ("prompt", "completion", "request", "image", "audio")

_NOT_KNOWN: Final = frozenset(
    {"enforce_distillable_text", "preferred_max_latency", "preferred_min_throughput", "quantizations"}
)
"""Members that ask for what no provider of a free tier states; they are accepted and change nothing."""

_NAMES: Final = f"a list of at most {MOST_NAMES} names, each of 1 to 200 characters"


def preferences_of(raw: Json) -> Preferences | None:
    """Return what a body says about who may answer; None when it says nothing.

    :raises RequestError: when a value will not do; names the field and the cure
    """
    models = _names(raw, "models", "models")
    provider = raw.get("provider")
    if provider is None:
        return Preferences(models=models) if models else None
    if not isinstance(provider, dict):
        raise _wrong("provider", "an object such as {'only': ['NAME']}", provider)
    for name in provider:
        if name not in _CHECKS and name not in _NOT_KNOWN:
            near = difflib.get_close_matches(name, _CHECKS, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise RequestError(
                f"provider.{name[:60]} is not a field; {meant}there are {', '.join(_CHECKS)}",
                param=f"provider.{name[:60]}",
            )
    said = {name: value for name, value in provider.items() if value is not None}
    for name, value in said.items():
        if name in _CHECKS and (expected := _CHECKS[name](value)) is not None:
            raise _wrong(f"provider.{name}", expected, value)
    preferences = Preferences(
        models=models,
        order=_folded(said, "order"),
        allowed=Filter(
            "provider",
            only=_folded(said, "only"),
            ignore=_folded(said, "ignore"),
            private=said.get("data_collection") == "deny",
        ),
        strategy=SORTS[_sort(said.get("sort", "price"))],
        all_parameters=said.get("require_parameters", False),
        fallbacks=said.get("allow_fallbacks", True),
    )
    return None if preferences == Preferences() else preferences


def _names(raw: Json, field: str, path: str) -> tuple[str, ...]:
    value = raw.get(field)
    if value is None:
        return ()
    if (expected := _list_of_names(value)) is not None:
        raise _wrong(path, expected, value)
    return tuple(dict.fromkeys(value))


def _folded(said: Json, field: str) -> tuple[str, ...]:
    """Return providers' ids; clients of other gateways write them in any case."""
    return tuple(dict.fromkeys(name.lower() for name in said.get(field, ())))


def _list_of_names(value: Any) -> str | None:
    good = isinstance(value, list) and len(value) <= MOST_NAMES
    return None if good and all(isinstance(name, str) and 0 < len(name) <= 200 for name in value) else _NAMES


def _sort(value: Any) -> Any:
    return value.get("by", "price") if isinstance(value, dict) else value


def _a_sort(value: Any) -> str | None:
    by = _sort(value)
    return None if isinstance(by, str) and by in SORTS else f"one of {', '.join(SORTS)}"


def _data_collection(value: Any) -> str | None:
    return None if value in ("allow", "deny") else "allow or deny"


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _no_retention(value: Any) -> str | None:
    return (
        None
        if value is False
        else "false: no provider's retention is known here; data_collection deny is near it"
    )


def _max_price(value: Any) -> str | None:
    """Accept any price: everything is free."""
    prices = value if isinstance(value, dict) else {"prompt": value}
    good = all(name in _PRICES and (price is None or _amount(price) >= 0.0) for name, price in prices.items())
    return None if good else f"an object of {', '.join(_PRICES)}, each a number of 0 or more"


def _amount(price: Any) -> float:
    """Return a price, which may be written as text; -1 when it is none."""
    if isinstance(price, bool) or not isinstance(price, int | float | str):
        return -1.0
    try:
        amount = float(price)
    except (ValueError, OverflowError):
        return -1.0
    return amount if math.isfinite(amount) else -1.0


def _wrong(param: str, expected: str, value: Any) -> RequestError:
    return RequestError(f"{param} must be {expected}; got {repr(value)[:60]}", param=param)


_CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "order": _list_of_names,
    "only": _list_of_names,
    "ignore": _list_of_names,
    "sort": _a_sort,
    "require_parameters": _boolean,
    "data_collection": _data_collection,
    "allow_fallbacks": _boolean,
    "max_price": _max_price,
    "zdr": _no_retention,
}
"""What each member of `provider` may hold."""
