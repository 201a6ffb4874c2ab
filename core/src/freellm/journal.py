"""Writing behind: what the server notes goes to the database once a second, and no request waits for it.

When the database cannot be written (full, read-only, locked), notes stay in memory, up to a bound, until it can.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from freellm.errors import StoreError
from freellm.ledger import PoolState
from freellm.measurements import TrackState
from freellm.store import AttemptRecord, RequestRecord, Store

__all__ = ["BOUND", "AttemptRecord", "Fold", "Journal", "RequestRecord"]

log = logging.getLogger(__name__)

BOUND: Final = 10_000
"""Records kept in memory, at most."""

_DAY: Final = 86_400.0
_PRUNE_EVERY: Final = 3_600.0

_REFUSED: Final = (sqlite3.Error, ValueError, TypeError, OverflowError)

Record: TypeAlias = RequestRecord | AttemptRecord
Fold: TypeAlias = Callable[[], tuple[Sequence[PoolState], int]]
"""Returns the pools that changed since it was last called, and the number of the last lease that they contain."""


class Journal:
    """Collects records and writes them in the background.

    :param store: the database
    :param now: returns Unix time
    :param fold: asked at each writing, in the event loop, for what the ledger wants to keep
    :param measured: asked likewise for the tracks that changed since it was last asked
    :param folded: told, in the event loop, the lease number of a fold that is in the database now
    :param written: told likewise of requests that are in the database now
    :param retention: days that requests and attempts are kept
    :param interval: seconds between two writings
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        *,
        fold: Fold | None = None,
        measured: Callable[[], Sequence[TrackState]] | None = None,
        folded: Callable[[int], None] | None = None,
        written: Callable[[Sequence[RequestRecord]], None] | None = None,
        retention: float = 30.0,
        interval: float = 1.0,
    ) -> None:
        self.dropped = 0
        """How many records were lost, because the database could not be written for too long or refused them."""
        self.failing = False
        """Whether the last writing failed."""
        self._store = store
        self._now = now
        self._fold = fold
        self._measured = measured
        self._folded = folded
        self._written = written
        self._retention = retention * _DAY
        self._interval = interval
        self._records: deque[Record] = deque()
        self._pools: dict[str, PoolState] = {}
        self._tracks: dict[str, TrackState] = {}
        self._sequence: int | None = None
        self._next_prune = 0.0
        self._stopping = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def request(self, record: RequestRecord) -> None:
        """Note a request that is over (0.2 µs)."""
        self._records.append(record)
        if len(self._records) > BOUND:
            self._drop_oldest()

    def attempt(self, record: AttemptRecord) -> None:
        """Note an attempt that is over."""
        self._records.append(record)
        if len(self._records) > BOUND:
            self._drop_oldest()

    async def start(self) -> None:
        """Begin to write in the background."""
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(), name="journal")
        self._task.add_done_callback(_report)

    async def stop(self) -> None:
        """Write what is left, and end. What cannot be written now is lost, and said so in the log."""
        if self._task is None:
            return
        self._stopping.set()
        await self._task
        self._task = None
        if self._records:
            log.error("%d records of the request log could not be written and are lost", len(self._records))

    async def flush(self) -> bool:
        """Write now; return whether everything noted before is in the database."""
        async with self._writing:
            return await self._flush()

    async def _flush(self) -> bool:
        self._gather()
        now = self._now()
        if now >= self._next_prune:
            self._next_prune = now + _PRUNE_EVERY
            await self._attempted(lambda: self._prune(now))
        if not self._records and not self._pools and not self._tracks:
            return True
        records = list(self._records)
        self._records.clear()
        pools, tracks, sequence = self._pools, self._tracks, self._sequence
        self._pools, self._tracks = {}, {}
        requests = [record for record in records if isinstance(record, RequestRecord)]
        attempts = [record for record in records if isinstance(record, AttemptRecord)]
        try:
            saved = await self._attempted(
                lambda: self._store.save(
                    requests, attempts, pools.values(), tracks=tracks.values(), sequence=sequence, now=now
                )
            )
        except _REFUSED as error:
            # One record that SQLite cannot take must not hold up all that follow. Its text may be anyone's.
            log.error("%d records were refused by the database (%s)", len(records), type(error).__name__)
            self.dropped += len(records)
            records, saved = [], False
        if not saved:
            self._put_back(records, pools)
            self._tracks = {**tracks, **self._tracks}
            return False
        if self._folded and sequence is not None:
            self._folded(sequence)
        if self._written and requests:
            self._written(requests)
        return True

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(self._interval):
                    await self._stopping.wait()
            except TimeoutError:
                await self.flush()
        await self.flush()

    def _gather(self) -> None:
        if self._fold:
            changed, self._sequence = self._fold()
            self._pools.update((pool.identity, pool) for pool in changed)
        if self._measured:
            self._tracks.update((track.name, track) for track in self._measured())

    async def _attempted(self, write: Callable[[], None]) -> bool:
        """Run a writing in a thread; a disk's trouble is logged when it begins and when it ends."""
        try:
            await asyncio.to_thread(write)
        except StoreError as error:
            if not self.failing:
                log.warning("the request log and the quota ledger stay in memory for now: %s", error)
            self.failing = True
            return False
        if self.failing:
            log.warning("the database can be written again")
        self.failing = False
        return True

    def _prune(self, now: float) -> None:
        self._store.tallies.fold_all()  # what an earlier release logged
        self._store.tallies.prune(now)
        self._store.measurements.prune(now - self._retention)
        while self._store.log.prune(now - self._retention):
            pass
        self._store.tallies.fold_all()  # when no row is left, row numbers begin again, and the mark with them

    def _put_back(self, records: list[Record], pools: dict[str, PoolState]) -> None:
        """Keep what could not be written, in front of what came meanwhile."""
        self._records.extendleft(reversed(records))
        while len(self._records) > BOUND:
            self._drop_oldest()
        self._pools = {**pools, **self._pools}

    def _drop_oldest(self) -> None:
        self._records.popleft()
        self.dropped += 1


def _report(task: asyncio.Task[None]) -> None:
    """Say at once that the journal has died, which only a mistake in freellm can make it do."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("the journal has stopped; requests are served but not logged", exc_info=error)
