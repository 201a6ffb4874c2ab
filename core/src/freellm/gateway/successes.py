"""What an answer teaches: real usage, a healthy route, state to keep, a valid key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from freellm.catalogue import Route
from freellm.clock import Clock
from freellm.gateway.attempt import Attempt
from freellm.gateway.calls import Tried
from freellm.gateway.chunks import ChunkStream
from freellm.gateway.consequences import Consequences
from freellm.gateway.kept import Kept
from freellm.gateway.records import Recorder
from freellm.health import Health
from freellm.tokens import Corrections
from freellm.types import Json

_NO_CHOICE: Final[Sequence[Json]] = ({"message": {}},)
"""What stands for the choice of an answer that has none: vectors."""


def estimated_usage(input_tokens: int, output_tokens: int) -> Json:
    """Return OpenAI's `usage` from estimates, for a provider that tells none."""
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }


class Successes:
    """Note what came of attempts that reached the client.

    :param corrections: learns what models use
    :param health: forgives routes
    :param kept: keeps providers' opaque state
    :param consequences: draws them from streams that broke
    :param recorder: logs attempts and requests
    :param clock: tells the time
    :param key_works: called with the route of a key that was not known to be valid
    """

    def __init__(
        self,
        corrections: Corrections,
        health: Health,
        kept: Kept,
        consequences: Consequences,
        recorder: Recorder,
        clock: Clock,
        key_works: Callable[[Route], None],
    ) -> None:
        self._corrections = corrections
        self._health = health
        self._kept = kept
        self._consequences = consequences
        self._recorder = recorder
        self._clock = clock
        self._key_works = key_works

    def whole(self, attempt: Attempt, completion: Json) -> None:
        """Note a whole answer, and complete what it tells of itself."""
        kept = completion.pop("keep", None)
        usage = completion.get("usage")
        told = bool(usage)
        choice = (completion.get("choices") or _NO_CHOICE)[0]
        completion["x_freellm"] = extra = attempt.call.extra()
        if not usage:
            text = choice["message"].get("content") or ""
            usage = completion["usage"] = estimated_usage(attempt.demand.input, len(text) // 4)
            extra["usage_estimated"] = True
        truncated = choice.get("finish_reason") == "length"
        self._answered(attempt, usage, told, truncated, kept)

    def streamed(self, attempt: Attempt, chunks: ChunkStream) -> None:
        """Note a stream that came to its end."""
        usage = chunks.usage or estimated_usage(attempt.demand.input, chunks.deltas)
        self._answered(attempt, usage, bool(chunks.usage), chunks.finish_reason == "length", chunks.kept)

    def broken(self, attempt: Attempt, tried: Tried, chunks: ChunkStream) -> None:
        """Note a stream that failed when it could not be left any more."""
        attempt.call.tried.append(tried)
        now = self._clock.now()
        self._consequences.draw(attempt.route, tried.failure, attempt.demand, now, tried.started)
        self._recorder.attempt_failed(attempt.call, tried)
        self._recorder.served(
            attempt, estimated_usage(attempt.demand.input, chunks.deltas), told=False, error=tried.kind
        )

    def cancelled(self, attempt: Attempt, chunks: ChunkStream) -> None:
        """Note that the client left in the middle of a stream: it cost the input and what was emitted."""
        attempt.booking.settle(attempt.demand.input, chunks.deltas)
        usage = estimated_usage(attempt.demand.input, chunks.deltas)
        self._recorder.served(attempt, usage, told=False, error="cancelled")

    def _answered(
        self, attempt: Attempt, usage: Json, told: bool, truncated: bool, kept: dict[str, Any] | None
    ) -> None:
        route, name, now = attempt.route, attempt.route.entry.name, self._clock.now()
        input_tokens, output_tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        attempt.booking.settle(input_tokens, output_tokens)
        if told:
            # an answer cut by our own ceiling would have been longer: it must not teach that answers are short
            cut = truncated and attempt.call.needs.stated is None
            output = output_tokens * 2 if cut else output_tokens
            self._corrections.observe(name, attempt.call.needs.tokens, input_tokens, output)
        if kept:
            self._kept.keep(name, kept, now)
        first = None if attempt.first_delta_ms is None else attempt.first_delta_ms / 1000.0
        route.entry.track.answered(now - attempt.started, first, output_tokens, now)
        self._health.succeeded(route.entry.standing, route.standings(), now)
        if route.key.state != "valid":
            self._key_works(route)
        self._recorder.served(attempt, usage, told=told)


def _count(usage: Json, name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0
