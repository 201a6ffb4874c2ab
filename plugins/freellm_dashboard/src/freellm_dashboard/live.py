"""Telling open pages what changes, as it happens. Nothing runs and nothing is compared while nobody listens.

The proxy is looked at a few times a second instead of telling us: a request pays nothing for pages that watch. How often
what was seen is told is a matter of `freellm_dashboard.pacing`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from freellm import FreeLLMError
from freellm_dashboard.pacing import FEW, Pacing
from freellm_dashboard.sessions import Session, Sessions
from freellm_dashboard.shapes.system import Notice

if TYPE_CHECKING:
    from freellm.proxy import Proxy

_log = logging.getLogger(__name__)

LOOK_EVERY: Final = 0.4
"""Seconds between two looks at the proxy, while somebody listens; a session that was ended is told so as fast."""

HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment tells both ends that the connection stands."""

MOST_LISTENERS: Final = 64
"""Pages that are told at the same time, at most."""


class Listener:
    """One open page: what it is still to be told, at most one notice of each kind.

    :param session: whose page it is
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.ended = False
        self._due: dict[str, Notice] = {}
        self._wake = asyncio.Event()

    def tell(self, notice: Notice) -> None:
        """Note something to tell; it stands in for an earlier notice of its kind that is still due."""
        self._due[notice.kind] = notice
        self._wake.set()

    def end(self) -> None:
        """Let it be the end."""
        self.ended = True
        self._wake.set()

    async def due(self) -> Collection[Notice]:
        """Return what is to be told, as soon as there is something; nothing after a silence or at the end."""
        try:
            async with asyncio.timeout(HEARTBEAT):
                await self._wake.wait()
        except TimeoutError:
            return ()
        self._wake.clear()
        due, self._due = self._due, {}
        return due.values()


class Live:
    """The open pages of one server.

    :param proxy: what is looked at
    :param sessions: who is signed in
    """

    def __init__(self, proxy: Proxy, sessions: Sessions) -> None:
        self._proxy = proxy
        self._sessions = sessions
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._seen: Seen = Seen(proxy)
        self._pacing = Pacing()
        self.busy = False
        """Whether many requests came between the last two looks."""
        self.version = 0
        """Another number after each notice: what was read since the last one is as new as pages know of."""
        self.changes = 0
        """Another number after each change that a person made: what was read before is old at once."""

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @property
    def looks(self) -> bool:
        """Whether the proxy is being looked at."""
        return self._task is not None

    def join(self, session: Session) -> Listener | None:
        """Begin to listen; None when too many do."""
        if len(self._listeners) >= MOST_LISTENERS:
            return None
        listener = Listener(session)
        self._listeners.add(listener)
        if self._task is None:
            self._seen, self._pacing, self.busy = Seen(self._proxy), Pacing(), False
            self.version += 1
            self._task = asyncio.create_task(self._look(), name="tell open pages")
        listener.tell(Notice(kind="hello", at=self._proxy.clock.now()))
        listener.tell(self._seen.activity)
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no longer."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    def changed(self) -> None:
        """Note that a person changed something by a page."""
        self.changes += 1

    def end_all(self) -> None:
        """Let every page go, since the server stops."""
        for listener in self._listeners:
            listener.end()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                self._dismiss()
            except FreeLLMError as error:  # as long as nobody knows who is signed in, nobody is told anything
                _log.error("open pages are not told of changes for now: %s", error)
                continue
            before, self._seen = self._seen, Seen(self._proxy)
            self.busy = len(self._seen.over_since(before)) > FEW
            for notice in self._seen.since(before):
                self._pacing.add(notice)
            self._tell(self._pacing.ready(asyncio.get_running_loop().time(), busy=self.busy))

    def _tell(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self.version += notice.kind != "activity"
            self.changes += notice.kind == "models"
            for listener in self._listeners:
                listener.tell(notice)

    def _dismiss(self) -> None:
        """Let those pages go whose session has ended."""
        sessions = {listener.session.digest: listener.session for listener in self._listeners}
        ended = {digest for digest, session in sessions.items() if not self._sessions.is_good(session)}
        for listener in self._listeners:
            if listener.session.digest in ended:
                listener.tell(Notice(kind="signed-out", at=self._proxy.clock.now()))
                listener.end()


class Seen:
    """What a look at the proxy saw.

    :param proxy: what is looked at
    """

    def __init__(self, proxy: Proxy) -> None:
        self.at = proxy.clock.now()
        self._over = [record.id for record in proxy.activity.last]
        self._logged = list(proxy.activity.logged)
        self._ended_at = proxy.activity.last[-1].created if self._over else None
        self._under_way = len(proxy.activity.under_way)
        self._catalogue = proxy.catalogue
        self._keys = proxy.keys
        self._closed = [(one.what, one.until) for one in proxy.closed]

    @property
    def activity(self) -> Notice:
        """How many requests are under way, and when the last one that is over came."""
        return Notice(kind="activity", at=self.at, under_way=self._under_way, last=self._ended_at)

    def over_since(self, before: Seen) -> Sequence[str]:
        """Return the ids of the requests that are over since an earlier look, as far as they are remembered."""
        return _new(self._over, before._over)

    def since(self, before: Seen) -> Iterable[Notice]:
        """Iterate over the notices of what is different from an earlier look."""
        over, logged = self.over_since(before), _new(self._logged, before._logged)
        moved = over or self._under_way != before._under_way
        if moved:
            yield self.activity
        if moved or self._closed != before._closed:  # what is under way is booked
            yield Notice(kind="quotas", at=self.at)
        if logged:
            yield Notice(kind="request", at=self.at, ids=list(logged))
        if self._keys != before._keys or self._closed != before._closed:
            yield Notice(kind="keys", at=self.at)
        if self._catalogue is not before._catalogue:
            yield Notice(kind="models", at=self.at)


def _new(ids: Sequence[str], before: Sequence[str]) -> Sequence[str]:
    """Return what is in a row of ids behind the last one of an earlier row."""
    last = before[-1] if before else None
    return ids[ids.index(last) + 1 :] if last in ids else ids


def encoded(due: Collection[Notice]) -> bytes:
    """Return notices as server-sent events; of none, a comment."""
    if not due:
        return b": still here\n\n"
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (notice.kind.encode(), msgspec.json.encode(notice)) for notice in due
    )
