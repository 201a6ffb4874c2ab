"""What became of a past request, from the request log: what was tried, what was passed over, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from freellm.cli import printing
from freellm.cli.quota.words import lasting
from freellm.reasons import PassedOver
from freellm.store import PASSED_OVER_KEPT, AttemptRecord, LoggedRequest, RequestRecord

_COLUMNS = ["", "route", "what became of it", "why", "quotas"]


def as_document(id_: str, logged: LoggedRequest) -> dict[str, Any]:
    """Return a past request as one JSON document."""
    record = logged.request
    request = None
    if record is not None:
        request = {name: getattr(record, name) for name in record.__struct_fields__ if name != "passed_over"}
    return {
        "id": id_,
        "request": request,
        "attempts": [msgspec.structs.asdict(attempt) for attempt in logged.attempts],
        "passed_over": [_note(note) for note in record.passed_over] if record else [],
    }


def show(id_: str, logged: LoggedRequest) -> None:
    """Print a past request."""
    record = logged.request
    click.echo(printing.plain(_head(id_, record)))
    rows = list(_rows(logged))
    if rows:
        click.echo("")
        printing.table(_COLUMNS, [[place, *row] for place, row in enumerate(rows, 1)], long=["why", "quotas"])
    if record is not None and len(record.passed_over) == PASSED_OVER_KEPT:
        click.echo(
            f"Of what was passed over, the first {PASSED_OVER_KEPT} are remembered; there may have been more."
        )


def _head(id_: str, record: RequestRecord | None) -> str:
    if record is None:
        return f"{id_} is not over yet; these attempts have failed so far."
    who = f"{record.provider}/{record.model}" if record.provider else "nobody"
    broke = f", {record.error}" if record.error else ""
    tokens = "" if record.input_tokens is None else f", {record.input_tokens} + {record.output_tokens} tokens"
    return (
        f"{id_} asked for {record.requested}; {who} answered: {record.status}{broke}, "
        f"{record.attempts} attempts, {record.duration_ms:.0f} ms{tokens}."
    )


def _rows(logged: LoggedRequest) -> Iterator[list[object]]:
    """Iterate over what happened, in order: each attempt behind what had been passed over before it."""
    record = logged.request
    notes = [_passed_over(note, record.created) for note in record.passed_over] if record else []
    told = 0
    for attempt in logged.attempts:
        yield from notes[told : attempt.passed_over]
        told = max(told, attempt.passed_over)
        yield _attempt(attempt)
    yield from notes[told:]
    if record is not None and record.provider and not record.error:
        yield [f"{record.provider}/{record.model}", "answered", None, None]


def _attempt(attempt: AttemptRecord) -> list[object]:
    status = f" ({attempt.status})" if attempt.status else ""
    return [
        f"{attempt.provider}/{attempt.model}",
        f"{attempt.kind}{status}",
        attempt.message or None,
        attempt.quota or None,
    ]


def _passed_over(note: PassedOver, since: float) -> list[object]:
    waits = math.isfinite(note.opens_at)
    opened = f"; it was to open {lasting(note.opens_at - since)} later" if waits else ""
    return [note.name, f"passed over: {note.cause}", f"{note.detail}{opened}", None]


def _note(note: PassedOver) -> dict[str, Any]:
    return {
        "route": note.name,
        "key": note.key,
        "reason": note.cause,
        "detail": note.detail,
        "opens_at": note.opens_at if math.isfinite(note.opens_at) else None,
        "kind": note.kind,
    }
