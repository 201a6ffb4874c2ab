"""Requests corrected after a refusal that names the parameter at fault."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from freellm.openai_compatible.error_body import Refusal
from freellm.types import ChatRequest

LIMIT_NAMES: Final = ("max_tokens", "max_completion_tokens")
"""What services call the parameter that requests know as `max_tokens`."""

_ESSENTIAL: Final = frozenset({"tools", "tool_choice", "response_format", "stop"})
"""Without these the answer would be another one: better another provider."""

_NAMED: Final = re.compile(
    r"property '([\w.]+)' is unsupported"
    r"|unsupported (?:parameter|value)\W{1,3}([\w.]+)"
    r"|unrecognized request argument supplied: ([\w.]+)"
    r"|(?:unknown|unexpected|extra) (?:field|parameter|argument|name)\W{1,3}([\w.]+)"
    r"|[`'\"]([\w.]+)[`'\"]:? (?:is (?:not supported|unsupported|not allowed|not permitted|too large)|must be)"
    r"|^(max_(?:completion_)?tokens) is too large",
    re.IGNORECASE,
)
_CEILING: Final = re.compile(
    r"(?:less than or equal to|at most|maximum(?: value)? (?:is|of))\W{1,3}(\d+)", re.IGNORECASE
)


def named_parameter(request: ChatRequest, refusal: Refusal) -> str | None:
    """Return the request field that a refusal names, in OpenAI's words; None when it names none.

    A name found in the words counts only if the request has such a parameter.
    """
    if refusal.param:
        return _canonical(refusal.param)
    for found in _NAMED.finditer(refusal.prose):
        name = _canonical(next(group for group in found.groups() if group))
        if name in request.parameters:
            return name
    return None


def amended(request: ChatRequest, param: str | None, refusal: Refusal) -> ChatRequest | None:
    """Return the request without what was refused, or with a lower `max_tokens`; None when nothing can be mended."""
    if param is None or param not in request.parameters:
        return None
    refused = {param, *map(_canonical, refusal.params)} & request.parameters.keys()
    if refused & _ESSENTIAL:
        return None
    ceiling = _CEILING.search(refusal.prose)
    if param != "max_tokens" or not ceiling:
        return request.without(*refused)
    largest = int(ceiling[1])
    if not 0 < largest < request.parameters["max_tokens"]:
        return None
    return msgspec.structs.replace(request, parameters={**request.parameters, "max_tokens": largest})


def _canonical(name: str) -> str:
    return "max_tokens" if name in LIMIT_NAMES else name
