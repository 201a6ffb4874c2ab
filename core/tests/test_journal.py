import asyncio
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from freellm.errors import StoreError
from freellm.journal import BOUND, AttemptRecord, Journal, RequestRecord
from freellm.ledger import PoolState
from freellm.store import Store

NOW = 1_000_000.0
DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "data") as opened:
        yield opened


def request(id_: object, created: float = NOW) -> RequestRecord:
    return RequestRecord(
        id=str(id_), created=created, surface="openai", requested="auto", status=200, duration_ms=1.0
    )


def attempt(id_: object, number: int = 1, started: float = NOW) -> AttemptRecord:
    return AttemptRecord(
        request=str(id_), number=number, provider="acme", model="m", key="k", started=started
    )


def pool(identity: str, changed: float) -> PoolState:
    return PoolState(
        identity=identity, unit="requests", window=60.0, clock="rolling", payload=b"{}", changed=changed
    )


class Spending:
    """A ledger's part: each fold hands over what was spent since the one before."""

    def __init__(self) -> None:
        self.changed: list[PoolState] = []
        self.sequence = 0
        self.kept: list[int] = []

    def spend(self, identity: str) -> None:
        self.sequence += 1
        self.changed.append(pool(identity, float(self.sequence)))

    def fold(self) -> tuple[list[PoolState], int]:
        changed, self.changed = self.changed, []
        return changed, self.sequence


class FullDisk:
    """Makes the database refuse to grow, as a full disk does."""

    def __init__(self, store: Store) -> None:
        self._raw = store._quick.raw
        self._raw.execute("PRAGMA max_page_count = 1")

    def free(self) -> None:
        self._raw.execute("PRAGMA max_page_count = 1000000")


def many(count: int) -> list[RequestRecord]:
    return [request(f"{number:05}") for number in range(count)]


async def test_what_is_noted_is_in_the_database_after_the_flush(store: Store) -> None:
    journal = Journal(store, lambda: NOW)
    journal.attempt(attempt("r"))
    journal.attempt(attempt("r", 2))
    journal.request(request("r"))
    assert store.request("r") is None
    assert await journal.flush()
    logged = store.request("r")
    assert logged is not None
    assert (logged.request, len(logged.attempts)) == (request("r"), 2)
    assert store.last_time() == NOW


async def test_nothing_noted_is_nothing_written(store: Store) -> None:
    journal = Journal(store, lambda: NOW, fold=Spending().fold)
    await journal.flush()
    assert store.last_time() == 0.0


async def test_it_writes_by_itself_and_once_more_at_the_end(store: Store) -> None:
    journal = Journal(store, lambda: NOW, interval=0.01)
    await journal.start()
    journal.request(request("first"))
    async with asyncio.timeout(5):
        while store.request("first") is None:
            await asyncio.sleep(0.005)
    journal.request(request("last"))
    await journal.stop()
    assert store.request("last") is not None
    await journal.stop()


async def test_the_event_loop_is_never_the_thread_that_writes(store: Store) -> None:
    threads: set[int] = set()
    store._quick.raw.set_trace_callback(lambda _: threads.add(threading.get_ident()))
    journal = Journal(store, lambda: NOW)
    journal.request(request("r"))
    await journal.flush()
    store._quick.raw.set_trace_callback(None)
    assert threads
    assert threading.get_ident() not in threads


async def test_pools_and_lease_number_are_saved_together_and_then_acknowledged(store: Store) -> None:
    ledger = Spending()
    journal = Journal(store, lambda: NOW, fold=ledger.fold, folded=ledger.kept.append)
    ledger.spend("a")
    ledger.spend("b")
    await journal.flush()
    assert [state.identity for state in store.pools.load()] == ["a", "b"]
    assert store.lease_sequence() == 2
    assert ledger.kept == [2]


async def test_what_is_in_the_database_is_told_and_what_is_not_is_not(store: Store) -> None:
    told: list[str] = []
    journal = Journal(store, lambda: NOW, written=lambda records: told.extend(one.id for one in records))
    disk = FullDisk(store)
    records = many(500)
    for record in records:
        journal.request(record)
    assert not await journal.flush()
    assert told == []
    disk.free()
    journal.request(request("later"))
    assert await journal.flush()
    assert await journal.flush()
    assert told == [*(record.id for record in records), "later"]


async def test_a_full_disk_is_said_once_and_everything_is_written_when_there_is_room(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ledger = Spending()
    journal = Journal(store, lambda: NOW, fold=ledger.fold, folded=ledger.kept.append)
    disk = FullDisk(store)
    for record in many(500):
        journal.request(record)
    ledger.spend("a")
    assert not await journal.flush()
    journal.request(request("later"))
    ledger.spend("a")
    ledger.spend("b")
    assert not await journal.flush()
    failing = [journal.failing]
    assert (ledger.kept, store.lease_sequence(), store.pools.load()) == ([], 0, [])
    disk.free()
    assert await journal.flush()
    assert [*failing, journal.failing] == [True, False]
    assert journal.dropped == 0
    assert all(store.request(record.id) for record in (*many(500), request("later")))
    assert store.pools.load() == [pool("a", 2.0), pool("b", 3.0)]
    assert (store.lease_sequence(), ledger.kept) == (3, [3])
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the request log and the quota ledger stay in memory for now",
        "the database can be written again",
    ]


async def test_while_the_disk_is_full_the_newest_records_are_kept_and_the_others_counted(
    store: Store,
) -> None:
    journal = Journal(store, lambda: NOW)
    disk = FullDisk(store)
    for record in many(BOUND):
        journal.request(record)
    assert not await journal.flush()
    for number in range(5):
        journal.attempt(attempt(f"late {number}"))
    assert journal.dropped == 5
    assert not await journal.flush()
    disk.free()
    assert await journal.flush()
    assert journal.dropped == 5
    assert store.request("00004") is None
    assert store.request("00005") is not None
    assert store.request("late 4") is not None


async def test_a_writer_that_holds_the_database_delays_and_loses_nothing(store: Store) -> None:
    journal = Journal(store, lambda: NOW)
    store._quick.raw.execute("PRAGMA busy_timeout = 10")
    journal.request(request("r"))
    with closing(sqlite3.connect(store.file)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not await journal.flush()
    assert await journal.flush()
    assert store.request("r") is not None


async def test_a_record_the_database_cannot_take_does_not_hold_up_the_next(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Spending()
    journal = Journal(store, lambda: NOW, fold=ledger.fold)
    journal.request(request("canary-\ud800"))
    ledger.spend("a")
    assert not await journal.flush()
    assert journal.dropped == 1
    assert "canary" not in caplog.text
    journal.request(request("r"))
    assert await journal.flush()
    assert store.request("r") is not None
    assert store.pools.load() == [pool("a", 1.0)]


async def test_old_records_go_after_the_retention(store: Store) -> None:
    store.save(
        [request("old", NOW - 3 * DAY), request("kept", NOW - DAY)],
        [attempt("old", 1, NOW - 3 * DAY)],
        now=1.0,
    )
    journal = Journal(store, lambda: NOW, retention=2.0)
    await journal.flush()
    assert store.request("old") is None
    assert store.request("kept") is not None


async def test_what_cannot_be_written_at_the_end_is_said(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(store, lambda: NOW, interval=60.0)
    await journal.start()
    FullDisk(store)
    for record in many(300):
        journal.request(record)
    await journal.stop()
    assert "300 records of the request log could not be written and are lost" in caplog.text


async def test_a_mistake_in_a_fold_is_not_silent(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    def fold() -> tuple[list[PoolState], int]:
        raise RuntimeError("mistake")

    journal = Journal(store, lambda: NOW, fold=fold, interval=0.001)
    await journal.start()
    async with asyncio.timeout(5):
        while "the journal has stopped" not in caplog.text:
            await asyncio.sleep(0.001)
    with pytest.raises(RuntimeError):
        await journal.stop()


def test_a_full_database_is_a_store_error_for_who_writes_directly(store: Store) -> None:
    FullDisk(store)
    with pytest.raises(StoreError, match="full"):
        store.save(many(300), now=NOW)
