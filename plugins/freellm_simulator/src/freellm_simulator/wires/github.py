"""GitHub Models' wire since 2026-07-30: whatever is asked is refused, as in the brownouts before the end."""

from __future__ import annotations

from aiohttp import web

from freellm_simulator.exchange import Caller, RefusedError
from freellm_simulator.wires.contract import Refusal, Wire
from freellm_simulator.wires.openai_service import OpenAIService, Refusals, error

_REFUSALS: Refusals = {
    "retired_service": error(
        410,
        "GitHub Models is temporarily unavailable as part of a scheduled retirement brownout",
        code="github_models_retirement_brownout",
    )
}


class GitHub(OpenAIService):
    """The wire of models.github.ai."""

    provider = "github"
    base_path = "/inference"
    refusals = _REFUSALS

    def caller(self, request: web.Request) -> Caller:
        """See `Wire`."""
        raise RefusedError("retired_service")

    def refuse(self, refused: RefusedError, model: str, caller: Caller | None) -> Refusal:
        """See `Wire`."""
        return super().refuse(RefusedError("retired_service"), model, caller)


wire: Wire = GitHub()
