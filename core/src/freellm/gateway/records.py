"""Telling the journal and the plugins what became of attempts and requests. Never what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from freellm.clock import Clock
from freellm.errors import RequestError
from freellm.forecasts import in_words
from freellm.gateway.activity import Activity
from freellm.gateway.calls import Answered, Call, Tried
from freellm.routing import PassedOver
from freellm.store import PASSED_OVER_KEPT, AttemptRecord, RequestRecord
from freellm.types import Json

if TYPE_CHECKING:
    from freellm.extensions import Extensions
    from freellm.gateway.attempt import Attempt


class Log(Protocol):
    """Where records go; `freellm.journal.Journal` is one."""

    def request(self, record: RequestRecord) -> None:
        """Take the record of a request."""

    def attempt(self, record: AttemptRecord) -> None:
        """Take the record of an attempt."""


def _answered(attempt: Attempt) -> AttemptRecord:
    """Return the record of the attempt that answered, for watchers; in the log, the request's row tells all of it."""
    call, route = attempt.call, attempt.route
    return AttemptRecord(
        request=call.id,
        number=call.ended + 1,
        provider=route.provider.name,
        model=route.model.id,
        key=route.key.id,
        status=attempt.status or None,
        started=attempt.started,
        first_byte_ms=attempt.first_delta_ms,
        duration_ms=attempt.ms(),
    )


def _kept(call: Call) -> Sequence[PassedOver]:
    """Return what is remembered of what was passed over."""
    notes = call.passed_over
    return notes if len(notes) <= PASSED_OVER_KEPT else notes[:PASSED_OVER_KEPT]


def _overhead(call: Call, duration: float, answering: float = 0.0) -> float:
    """Return the milliseconds that were spent neither on providers nor on waiting for one.

    :param answering: milliseconds of the attempt that answers, which is not over yet
    """
    return max(0.0, duration - call.upstream_ms - answering - call.waited * 1000.0)


class Recorder:
    """Record attempts and requests.

    :param log: the journal
    :param extensions: the plugins that watch
    :param clock: tells the time
    :param activity: knows what is under way
    """

    __slots__ = ("_clock", "_extensions", "_log", "activity")

    def __init__(self, log: Log, extensions: Extensions, clock: Clock, activity: Activity) -> None:
        self._log = log
        self._extensions = extensions
        self._clock = clock
        self.activity = activity

    def attempt_failed(self, call: Call, tried: Tried) -> None:
        """Record an attempt that failed; it is the last one in `call.tried`."""
        route = tried.route
        self._attempt(
            AttemptRecord(
                request=call.id,
                number=call.ended,
                provider=route.provider.name,
                model=route.model.id,
                key=route.key.id,
                kind=tried.outcome,
                status=tried.status or None,
                started=tried.started,
                duration_ms=tried.ms,
                message=tried.failure.message,
                quota=in_words(route.shares, self._clock.now()),
                passed_over=len(call.passed_over),
            )
        )

    def served(self, attempt: Attempt, usage: Json, *, told: bool, error: str | None = None) -> None:
        """Record the attempt that answered, and its request.

        :param usage: OpenAI's `usage`
        :param told: whether the provider told it; else it is estimated
        :param error: why the answer is not whole, if it is not
        """
        call, route = attempt.call, attempt.route
        if call.answered is not None:
            self._part_served(call.answered, attempt, usage, told=told)
            return
        duration = (self._clock.now() - call.started) * 1000.0
        if error is None and self._extensions.watches_attempts:
            self._extensions.on_attempt(_answered(attempt))
        self._request(
            call,
            RequestRecord(
                id=call.id,
                created=call.started,
                surface=call.surface,
                requested=call.model,
                provider=route.provider.name,
                model=route.model.id,
                key=route.key.id,
                status=499 if error == "cancelled" else 200,
                error=error,
                stream=call.request.stream,
                attempts=len(call.tried) + (error is None),
                input_tokens=usage.get("prompt_tokens"),
                output_tokens=usage.get("completion_tokens"),
                estimated=not told,
                first_delta_ms=attempt.first_delta_ms,
                duration_ms=duration,
                overhead_ms=(
                    _overhead(call, duration, attempt.ms()) if attempt.first_delta_ms is None else None
                ),
                session=call.session.hex() if call.session is not None else None,
                passed_over=_kept(call),
            ),
        )

    def _part_served(self, answered: list[Answered], attempt: Attempt, usage: Json, *, told: bool) -> None:
        record = _answered(attempt)
        answered.append(Answered(record=record, input_tokens=usage["prompt_tokens"], told=told))
        self._extensions.on_attempt(record)

    def embedded(self, call: Call) -> None:
        """Record a request whose parts have all been answered; the first of them that was tells who answered."""
        answered = call.answered or []
        self._log_parts(answered, when_alone=False)
        duration = (self._clock.now() - call.started) * 1000.0
        first = answered[0].record
        self._request(
            call,
            RequestRecord(
                id=call.id,
                created=call.started,
                surface=call.surface,
                requested=call.model,
                provider=first.provider,
                model=first.model,
                key=first.key,
                status=200,
                attempts=call.ended,
                input_tokens=sum(part.input_tokens for part in answered),
                output_tokens=0,
                estimated=not all(part.told for part in answered),
                duration_ms=duration,
                overhead_ms=_overhead(call, duration),
                passed_over=_kept(call),
            ),
        )

    def _log_parts(self, answered: Sequence[Answered], *, when_alone: bool) -> None:
        """Log the attempts that answered parts; of a request in one part, its row tells all of it."""
        if when_alone or len(answered) > 1:
            for part in answered:
                self._log.attempt(part.record)

    def refused(self, call: Call, error: RequestError | None) -> None:
        """Record a request that nobody answered.

        :param error: what the client was told; None when it left before
        """
        self._log_parts(call.answered or (), when_alone=True)
        duration = (self._clock.now() - call.started) * 1000.0
        self._request(
            call,
            RequestRecord(
                id=call.id,
                created=call.started,
                surface=call.surface,
                requested=call.model,
                status=499 if error is None else error.status,
                error="cancelled" if error is None else error.code,
                stream=call.request.stream,
                attempts=call.ended,
                duration_ms=duration,
                overhead_ms=_overhead(call, duration),
                session=call.session.hex() if call.session is not None else None,
                passed_over=_kept(call),
            ),
        )

    def _attempt(self, record: AttemptRecord) -> None:
        self._log.attempt(record)
        self._extensions.on_attempt(record)

    def _request(self, call: Call, record: RequestRecord) -> None:
        self.activity.ended(call, record)
        self._log.request(record)
        self._extensions.on_request(record)
