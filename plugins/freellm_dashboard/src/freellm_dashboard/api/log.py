"""The request log, in pages, and one request of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from freellm.store.reading import Wanted, page
from freellm_dashboard.answers import RefusedError, answer
from freellm_dashboard.api.desk import Desk, query
from freellm_dashboard.shapes.log import Attempt, LogQuery, PassedOver, RequestDetail, RequestRow, Requests

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder
    from freellm.proxy import Proxy
    from freellm.store import AttemptRecord, LoggedRequest, RequestRecord

_LOOK_EVERY: Final = 0.05
_LOOKS: Final = 40
"""How often, and how many times, it is looked whether the log has a request that is over; it is written once a second."""

_ROW = tuple(name for name in RequestRow.__struct_fields__ if name not in ("key_label", "ok"))


def labels_of(proxy: Proxy) -> dict[str, str]:
    """Return what the user calls the keys, by their ids."""
    return {key.id: key.label for key in proxy.keys}


def request_row(told: Mapping[str, Any], labels: Mapping[str, str]) -> RequestRow:
    """Return a logged request as it is shown.

    :param told: its columns
    :param labels: what the user calls the keys, by their ids
    """
    columns = {name: told[name] for name in _ROW}
    columns |= {name: bool(told[name]) for name in ("stream", "estimated")}
    return RequestRow(
        **columns, key_label=labels.get(told["key"]), ok=told["status"] == 200 and told["error"] is None
    )


class LogDesk:
    """Handlers of `/api/requests`.

    :param desk: where they work
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def every(self, request: web.Request) -> web.Response:
        """List logged requests."""
        asked = query(request, LogQuery)
        return await self._desk.shared.told(f"requests {asked!r}", lambda: self._page(asked))

    async def _page(self, asked: LogQuery) -> Requests:
        wanted = Wanted(
            provider=asked.provider,
            model=asked.model,
            key=asked.key,
            outcome=asked.outcome,
            text=asked.q,
            since=asked.since,
            sort=asked.sort,
            after=asked.before,
            limit=asked.limit,
        )
        rows, following = await self._desk.look(page, wanted, field="before")
        labels = labels_of(self._desk.proxy)
        return Requests(requests=[request_row(row, labels) for row in rows], next=following)

    async def show(self, request: web.Request) -> web.Response:
        """Show a request's ladder."""
        id_ = request.match_info["id"]
        await self._written(id_)
        logged = await self._desk.work(_logged, id_)
        if logged is None:
            raise RefusedError(
                f"no request {id_!r} is logged",
                status=404,
                field="id",
                cure="a request is logged within a second after it is over; GET /api/requests lists those that are",
            )
        return answer(_detail(logged, labels_of(self._desk.proxy)))

    async def _written(self, id_: str) -> None:
        """Wait until the log has a request that is over: pages show it before."""
        activity = self._desk.proxy.activity
        if all(record.id != id_ for record in activity.last):
            return
        for _ in range(_LOOKS):
            if id_ in activity.logged:
                return
            await asyncio.sleep(_LOOK_EVERY)


def _logged(folder: DataFolder, id_: str) -> LoggedRequest | None:
    return folder.store.request(id_)


def _detail(logged: LoggedRequest, labels: Mapping[str, str]) -> RequestDetail:
    record = logged.request
    return RequestDetail(
        request=None if record is None else request_row(columns(record), labels),
        attempts=_attempts(logged, labels),
        passed_over=[
            PassedOver(
                name=note.name,
                key=note.key,
                key_label=labels.get(note.key) if note.key else None,
                cause=note.cause,
                detail=note.detail,
                opens_at=note.opens_at if math.isfinite(note.opens_at) else None,
            )
            for note in (record.passed_over if record else ())
        ],
    )


def _attempts(logged: LoggedRequest, labels: Mapping[str, str]) -> list[Attempt]:
    """Return the attempts that are logged, and the last one, which the request's own row tells of."""
    told = [_attempt(attempt, labels) for attempt in logged.attempts]
    record = logged.request
    if (
        record is None
        or record.provider is None
        or record.model is None
        or record.key is None
        or record.error not in (None, "cancelled")  # what failed is logged
        or any(attempt.kind == "ok" for attempt in told)  # a request in several parts
    ):
        return told
    before = max((a.started + (a.duration_ms or 0.0) / 1000.0 for a in told), default=record.created)
    ended = record.created + record.duration_ms / 1000.0
    last = Attempt(
        number=len(told) + 1,
        provider=record.provider,
        model=record.model,
        key=record.key,
        key_label=labels.get(record.key),
        kind="ok" if record.error is None else "cancelled",
        status=200,
        started=before,
        first_byte_ms=record.first_delta_ms,
        duration_ms=max((ended - before) * 1000.0, 0.0),
        message="",
        quota="",
        passed_over=len(record.passed_over),
    )
    return [*told, last]


def columns(record: RequestRecord) -> dict[str, Any]:
    """Return a record's columns, as far as they are shown."""
    return {name: getattr(record, name) for name in _ROW}


def _attempt(attempt: AttemptRecord, labels: Mapping[str, str]) -> Attempt:
    columns = {name: getattr(attempt, name) for name in attempt.__struct_fields__ if name != "request"}
    return Attempt(**columns, key_label=labels.get(attempt.key))
