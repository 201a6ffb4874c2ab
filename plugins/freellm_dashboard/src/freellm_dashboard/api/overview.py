"""The first page: can I get a reply right now, from whom, how much is left, what is to be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from aiohttp import web

from freellm.errors import RequestError
from freellm.store.reading import Wanted, page
from freellm_dashboard.api.desk import Desk
from freellm_dashboard.api.key_rows import Closings
from freellm_dashboard.api.log import columns, labels_of, request_row
from freellm_dashboard.api.models import Availability
from freellm_dashboard.api.remaining import remaining
from freellm_dashboard.shapes.log import RequestRow
from freellm_dashboard.shapes.overview import (
    Fix,
    Overview,
    ProviderHealth,
    ProviderState,
    Readiness,
    Step,
    UnderWay,
)

if TYPE_CHECKING:
    from freellm.catalogue import Entry
    from freellm.keyring import ProviderKey
    from freellm.proxy import Proxy
    from freellm.reasons import PassedOver

_LAST: Final = 20
"""Requests that are listed."""


class OverviewDesk:
    """The handler of `/api/overview`.

    :param desk: where it works
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._answered = False

    async def overview(self, request: web.Request) -> web.Response:
        """Say how everything is doing."""
        return await self._desk.shared.told("overview", self._all)

    async def _all(self) -> Overview:
        proxy = self._desk.proxy
        now, last = proxy.clock.now(), await self._last()
        answered = await self._was_answered(last)
        availability = await Availability.of(proxy)
        return Overview(
            at=now,
            readiness=_readiness(proxy, availability),
            totals=await remaining(proxy.routes, now),
            providers=_providers(proxy, availability),
            under_way=_under_way(proxy),
            last=last,
            closed=Closings(proxy).all,
            fixes=list(_fixes(proxy)),
            steps=_steps(proxy, last, answered=answered),
            demo=proxy.demo,
        )

    async def _last(self) -> list[RequestRow]:
        """Return the last requests; those of this process are known before the log has them."""
        told = {record.id: columns(record) for record in self._desk.proxy.activity.last}
        if len(told) < _LAST:
            logged, _ = await self._desk.look(page, Wanted(limit=_LAST))
            told = {row["id"]: row for row in logged} | told
        latest = sorted(told.values(), key=lambda row: row["created"], reverse=True)[:_LAST]
        labels = labels_of(self._desk.proxy)
        return [request_row(row, labels) for row in latest]

    async def _was_answered(self, last: Sequence[RequestRow]) -> bool:
        """Tell whether any request was ever answered."""
        self._answered = (
            self._answered
            or any(row.ok for row in last)
            or bool((await self._desk.look(page, Wanted(limit=1, outcome="ok")))[0])
        )
        return self._answered


def _readiness(proxy: Proxy, availability: Availability) -> Readiness:
    try:
        order = proxy.order("auto")
    except RequestError as error:
        return Readiness(state="no_keys", serves=None, title=None, why=error.message, opens_at=None)
    first = proxy.first(order)
    if first is None:
        return _closed(proxy.survey(order)[1], availability)
    return Readiness(
        state="ready",
        serves=first.entry.name,
        title=first.model.title or first.model.id,
        why=_why(proxy, order.at(proxy.clock.now()), first.entry, availability),
        opens_at=None,
    )


def _closed(notes: Sequence[PassedOver], availability: Availability) -> Readiness:
    """Return what is told when no route is open.

    :param notes: why each is not
    """
    soonest = min(notes, key=lambda note: note.opens_at, default=None)
    opens = [availability.why(note.name)[1] for note in notes]
    return Readiness(
        state="closed",
        serves=None,
        title=None,
        why=f"every route is closed; the first to open is {soonest.name}: {soonest.detail}"
        if soonest
        else "",
        opens_at=min((at for at in opens if at is not None), default=None),
    )


def _why(proxy: Proxy, entries: Sequence[Entry], first: Entry, availability: Availability) -> str:
    better = entries[: entries.index(first)] if first in entries else ()
    rule = (
        "first in the fallback order"
        if proxy.settings.strategy == "priority"
        else f"first by the strategy {proxy.settings.strategy}"
    )
    if not better:
        return rule
    reason = availability.why(better[0].name)[0] or "not for this request"
    others = len(better) - 1
    more = f"; {others} more {'are' if others > 1 else 'is'} closed, too" if others else ""
    return f"{rule} of those that are open; {better[0].name} is closed: {reason}{more}"


def _providers(proxy: Proxy, availability: Availability) -> list[ProviderHealth]:
    models: dict[str, list[Entry]] = defaultdict(list)
    for entry in (*proxy.catalogue.chain, *proxy.catalogue.embedders):
        models[entry.provider.name].append(entry)
    keys: dict[str, list[ProviderKey]] = defaultdict(list)
    for key in proxy.keys:
        keys[key.provider].append(key)
    return [
        _provider(
            provider.name, provider.info.title, keys[provider.name], models[provider.name], availability
        )
        for provider in proxy.providers
    ]


def _provider(
    name: str, title: str, keys: Sequence[ProviderKey], models: Sequence[Entry], availability: Availability
) -> ProviderHealth:
    open_ = [entry for entry in models if entry.name in availability.open]
    closed = [availability.why(entry.name) for entry in models if entry not in open_]
    opens = [at for _, at in closed if at is not None]
    state, reason = _state(keys, models, [why for why, _ in closed if why], bool(open_))
    return ProviderHealth(
        provider=name,
        title=title,
        state=state,
        reason=reason,
        keys=len(keys),
        models=len(models),
        open=len(open_),
        opens_at=min(opens, default=None),
    )


def _state(
    keys: Sequence[ProviderKey], models: Sequence[Entry], closed: Sequence[str], is_open: bool
) -> tuple[ProviderState, str]:
    """Return how a provider is doing, and why.

    :param closed: why its closed models are
    """
    usable = [key for key in keys if key.usable]
    if not usable:
        return "no_key", next((key.reason for key in keys if key.reason), "it has no key")
    if not models:
        return "off", "all its models are retired or off"
    if not is_open:
        return "closed", next(iter(closed), "")
    if closed:
        return "some", closed[0]
    if not any(entry.track.attempts for entry in models) and all(key.state != "valid" for key in usable):
        return "untested", "nobody has asked it yet"
    return "ok", ""


def _under_way(proxy: Proxy) -> list[UnderWay]:
    return [
        UnderWay(
            id=call.id,
            surface=call.surface,
            requested=call.model,
            stream=call.request.stream,
            since=call.started,
            asking=None if call.asking is None else call.asking.entry.name,
            failed_attempts=len(call.tried),
        )
        for call in proxy.activity.under_way
    ]


def _fixes(proxy: Proxy) -> Iterator[Fix]:
    """Iterate over what is to be done, the worst first."""
    titles = {provider.name: provider.info.title for provider in proxy.providers}
    for key in proxy.keys:
        title = titles.get(key.provider, key.provider)
        if key.state == "invalid":
            yield Fix(
                severity="error",
                title=f"{title} refused your key",
                detail=key.reason,
                action="Replace it",
                href="/keys",
            )
        elif key.state == "unreadable":
            yield Fix(
                severity="error",
                title=f"A key of {title} cannot be read",
                detail=key.reason,
                action="Add it again",
                href="/keys",
            )
    for plugin in proxy.plugins:
        if plugin.status in ("quarantined", "refused"):
            yield Fix(
                severity="error",
                title=f"The plugin {plugin.id} is left out",
                detail=plugin.reason,
                action="See plugins",
                href="/plugins",
            )
    for key in proxy.keys:
        if key.provider not in titles:
            yield Fix(
                severity="warning",
                title=f"A key of {key.provider} is of no use",
                detail="no installed package provides it",
                action="See keys",
                href="/keys",
            )


def _steps(proxy: Proxy, last: Sequence[RequestRow], *, answered: bool) -> list[Step]:
    return [
        Step(
            id="key",
            title="Add a key",
            done=any(key.source != "keyless" and key.usable for key in proxy.keys),
            command="freellm keys add PROVIDER",
            href="/keys",
        ),
        Step(
            id="client",
            title="Point your client here",
            done=bool(last),
            command="freellm apikey show",
            href="/settings",
        ),
        Step(id="request", title="Get a first answer", done=answered, command="", href="/playground"),
    ]
