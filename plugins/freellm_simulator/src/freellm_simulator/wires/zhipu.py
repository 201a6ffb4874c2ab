"""Z.ai's wire: OpenAI's with error codes of its own, thinking switched by `thinking`, and one request at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from freellm_simulator.exchange import Ask, Json
from freellm_simulator.quotas import DAY, MINUTE
from freellm_simulator.wires.contract import Wire
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, Words
from freellm_simulator.worlds import Facts


def _error(status: int, code: str, message: str) -> Words:
    """Return words in Z.ai's shape: the code is a text."""
    return status, {"error": {"code": code, "message": message}}


_CONTACT = "or contact customer service to increase limits"
_REFUSALS: Refusals = {
    "no_key": _error(401, "1001", "Authentication parameter not received in Header, unable to authenticate"),
    "bad_key": _error(401, "1002", "Invalid Authentication Token"),
    "forbidden": _error(403, "1220", "You do not have permission to access {model}"),
    "unknown_model": _error(400, "1211", "Unknown Model, please check the model code."),
    "retired_model": _error(400, "1221", "API {model} has been taken offline"),
    "bad_request": _error(400, "1210", "Incorrect API call parameters: {message}"),
    "context_exceeded": _error(400, "1261", "Prompt exceeds max length"),
    "content_filter": _error(
        400, "1301", "System detected potentially unsafe or sensitive content in input or generation."
    ),
    "quota": _error(429, "1303", f"High frequency usage of this API, please reduce frequency {_CONTACT}"),
    ("requests", MINUTE): _error(
        429, "1303", f"High frequency usage of this API, please reduce frequency {_CONTACT}"
    ),
    ("requests", DAY): _error(429, "1304", "Daily call limit for this API reached."),
    ("concurrent", math.inf): _error(
        429, "1302", f"High concurrency usage of this API, please reduce concurrency {_CONTACT}"
    ),
    "server_error": _error(
        500, "1234", "Network error, error id: simulated, please contact customer service"
    ),
    "overloaded": _error(429, "1305", "The API has triggered a rate limit."),
    "unknown_path": (404, {"status": 404, "error": "Not Found", "path": "{path}"}),
}


class Zhipu(OpenAIService):
    """The wire of api.z.ai. A key is its own account."""

    provider = "zhipu"
    base_path = "/api/paas/v4"
    refusals = _REFUSALS
    thoughts = "reasoning_content"
    whole_calls = True
    usage = "last"
    states_wait = False

    def thinking(self, body: Json, facts: Facts) -> Literal["none", "hidden", "shown", "inline"]:
        """See `OpenAIService`. Who thinks does so unless it is switched off."""
        off = (body.get("thinking") or {}).get("type") == "disabled"
        return "none" if off else super().thinking(body, facts)

    def parameter_problems(self, body: Json, ask: Ask, facts: Facts) -> Iterator[tuple[str, str]]:
        """See `OpenAIService`. Numbers stay inside the open interval, and a call cannot be forced."""
        yield from super().parameter_problems(body, ask, facts)
        for name in ("temperature", "top_p"):
            if not 0 < body.get(name, 0.5) < 1:
                yield name, f"{name} must be greater than 0 and less than 1"
        if body.get("tool_choice", "auto") != "auto":
            yield "tool_choice", "tool_choice supports auto only"


wire: Wire = Zhipu()
