"""The one SQLite file that freellm keeps: its tables behind typed methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from freellm.ledger import PoolState
from freellm.measurements import TrackState
from freellm.store.catalogues import CatalogueTable
from freellm.store.database import Connection, prepare, quick_check, store_errors
from freellm.store.instances import InstanceTable
from freellm.store.keys import KeyTable
from freellm.store.listings import ListingTable
from freellm.store.log import AttemptRecord, LoggedRequest, RequestLog, RequestRecord
from freellm.store.measurements import MeasurementTable
from freellm.store.models import ModelTable
from freellm.store.plugins import PluginTable
from freellm.store.pools import PoolTable
from freellm.store.profiles import ProfileTable
from freellm.store.tallies import TallyTable
from freellm.store.values import ValueTable

DATABASE_FILE: Final = "freellm.db"
_SEQUENCE, _LAST_TIME = "lease_sequence", "last_time"


class Store:
    """The database, open. Several processes may have it open at once.

    There are two connections: what a person did (keys, settings, models) is on the disk before a method returns;
    what the server notes (requests, pools) survives a killed process, and a power cut but for the last second.

    :param data_dir: the data folder; it and the database are made when they are missing
    :raises StoreError: when the database is damaged, newer than this release, not ours, or cannot be written
    """

    def __init__(self, data_dir: Path) -> None:
        self.file = data_dir.absolute() / DATABASE_FILE
        prepare(self.file)
        with store_errors(self.file):
            self._durable = Connection(self.file, "FULL")
            self._quick = Connection(self.file, "NORMAL")
        self.keys = KeyTable(self._durable)
        self.instances = InstanceTable(self._durable)
        self.models = ModelTable(self._durable)
        self.profiles = ProfileTable(self._durable)
        self.listings = ListingTable(self._durable)
        self.catalogue = CatalogueTable(self._durable)
        self.settings = ValueTable(self._durable, "settings")
        self.meta = ValueTable(self._durable, "meta")
        self.pools = PoolTable(self._quick)
        self.measurements = MeasurementTable(self._quick)
        self.log = RequestLog(self._quick)
        self.tallies = TallyTable(self._quick)
        self._notes = ValueTable(self._quick, "meta")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several calls on keys, models, settings and meta one transaction, on the disk at the end.

        :raises StoreError: when the database cannot be written; nothing is, then
        """
        with self._durable.writing():
            yield

    def data_version(self) -> int:
        """Return a number that is another one after each change of keys, settings, models or lists, by any process.

        For polling: about 10 µs. The server's own notes do not change it.
        """
        with self._durable.reading() as database:
            row = database.conn.execute("SELECT value FROM meta WHERE name = 'revision'").fetchone()
        return int(row[0])

    def plugin(self, name: str) -> PluginTable:
        """Return the rows that are a plugin's own.

        :param name: the plugin's name
        """
        return PluginTable(self._durable, name)

    def request(self, id_: str) -> LoggedRequest | None:
        """Return what is logged of one request and its attempts, or None when nothing is."""
        return self.log.get(id_)

    def save(
        self,
        requests: Sequence[RequestRecord] = (),
        attempts: Sequence[AttemptRecord] = (),
        pools: Iterable[PoolState] = (),
        *,
        tracks: Iterable[TrackState] = (),
        sequence: int | None = None,
        now: float,
    ) -> None:
        """Write what the server noted since the last time, in one transaction.

        :param tracks: what was measured of models
        :param sequence: the number of the last lease that is contained in the pools
        :param now: Unix time; see `last_time`
        :raises StoreError: when the database cannot be written; nothing is, then
        """
        with self._quick.writing():
            current = bool(requests) and self.tallies.is_current
            self.log.append(requests, attempts)
            if current:
                self.tallies.add(requests)
            elif requests:
                self.tallies.fold()
            self.pools.save(pools)
            self.measurements.save(tracks)
            self._notes.set(_LAST_TIME, now)
            if sequence is not None:
                self._notes.set(_SEQUENCE, sequence)

    def last_time(self) -> float:
        """Return the latest Unix time that `save` was told, 0 if none: the clock is not before it."""
        return float(self._notes.get(_LAST_TIME) or 0.0)

    def lease_sequence(self) -> int:
        """Return the number of the last lease that the saved pools contain, 0 if none."""
        return int(self._notes.get(_SEQUENCE) or 0)

    def quick_check(self) -> list[str]:
        """Return what is wrong with the file's structure; an empty list is a sound database."""
        with self._durable.reading() as database:
            return quick_check(database.conn)

    def close(self) -> None:
        """Close the file."""
        self._quick.close()
        self._durable.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
