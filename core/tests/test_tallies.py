from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.store import AttemptRecord, RequestRecord, Store, histograms
from freellm.store.looking_back import failures, spent, summed, total
from freellm.store.reading import read_only
from freellm.store.tallies import SPANS

NOON = 1_900_000_800.0
milliseconds = st.floats(0.0, 3_600_000.0, allow_nan=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def record(id_: str, created: float = NOON, **fields: object) -> RequestRecord:
    facts: dict[str, object] = {
        "surface": "openai",
        "requested": "auto",
        "provider": "lab",
        "model": "m",
        "key": "k",
        "status": 200,
        "attempts": 1,
        "input_tokens": 10,
        "output_tokens": 5,
        "duration_ms": 100.0,
    }
    return RequestRecord(id=id_, created=created, **{**facts, **fields})  # type: ignore[arg-type]


def attempt(request: str, number: int, kind: str, started: float = NOON) -> AttemptRecord:
    return AttemptRecord(
        request=request, number=number, provider="lab", model="m", key="k", kind=kind, started=started
    )


@given(st.lists(milliseconds, min_size=1, max_size=60))
def test_percentiles_are_those_of_the_values_within_three_per_cent(values: list[float]) -> None:
    histogram = sum(histograms.of(value) for value in values)
    ordered = sorted(values)
    found = histograms.percentiles(histogram, (0.5, 0.95), ordered[-1])
    for share, value in zip((0.5, 0.95), found, strict=True):
        exact = ordered[max(1, math.ceil(share * len(ordered))) - 1]
        assert value <= ordered[-1]
        assert abs(value - exact) <= 0.052 * (exact + 1.0)  # a bucket; in its middle, half of it
    assert found == sorted(found)


@given(st.lists(milliseconds, max_size=20), st.lists(milliseconds, max_size=20))
def test_adding_histograms_is_adding_numbers(one: list[float], other: list[float]) -> None:
    both = sum(map(histograms.of, one)) + sum(map(histograms.of, other))
    assert both == sum(map(histograms.of, [*one, *other]))
    assert histograms.unpack(histograms.pack(both)) == both
    assert sum(histograms.counts(both)) == len(one) + len(other)


def test_a_single_value_is_stored_in_a_few_bytes() -> None:
    assert len(histograms.pack(histograms.of(2_000.0))) == 3
    assert histograms.pack(0) == b""


@pytest.mark.parametrize("span", SPANS)
def test_what_is_logged_is_in_the_tallies_of_every_length(store: Store, span: int) -> None:
    requests = [
        record("a", first_delta_ms=20.0, stream=True),
        record("b", attempts=3, duration_ms=300.0, estimated=True),
        record("c", status=503, error="no_route", provider=None, model=None, key=None, attempts=2),
        record("d", status=499, error="cancelled", attempts=1),
        record("e", error="network"),  # cut in the middle: a 200 that is no answer
    ]
    store.save(
        requests,
        [attempt("b", 1, "timeout"), attempt("b", 2, "overloaded"), attempt("c", 1, "timeout")],
        now=NOON,
    )
    begins = int(NOON // span) * span
    with closing(read_only(store.file)) as connection:
        found = summed(connection, span, begins, begins + span, "provider")
        failed = failures(connection, span, begins, begins + span)
        whole = total(connection, span, begins, begins + span)
    assert found.groups.keys() == {"lab", ""}
    lab = found.groups["lab"]
    assert (lab.requests, lab.succeeded, lab.cancelled, lab.attempts, lab.fell_back) == (4, 2, 1, 6, 1)
    assert (lab.input_tokens, lab.output_tokens, lab.estimated_tokens) == (40, 20, 15)
    assert (lab.total_ms, lab.slowest_ms, lab.total_first_ms) == (400.0, 300.0, 20.0)
    assert sum(histograms.counts(lab.latencies)) == 2
    assert sum(histograms.counts(lab.firsts)) == 1
    assert (whole.requests, whole.attempts) == (5, 8)
    assert {one.kind: one.attempts for one in failed} == {"timeout": 2, "overloaded": 1}
    assert found.requests["lab"] == {begins: 4}


def test_batches_are_added_to_what_is_there(store: Store) -> None:
    for number in range(5):
        store.save([record(f"r{number}", NOON + number)], now=NOON)
    with closing(read_only(store.file)) as connection:
        assert total(connection, 86_400, 0, 2 * NOON).requests == 5
        assert spent(connection, 86_400, 0, 2 * NOON)[0][1:] == ("lab", "m", "k", 5, 50, 25)


def test_summing_up_what_was_just_logged_is_summing_up_the_log(store: Store, tmp_path: Path) -> None:
    batches = [
        [
            record("a", first_delta_ms=20.0),
            record("b", NOON + 61, provider=None, model=None, key=None, status=503),
        ],
        [record("c", estimated=True, input_tokens=None), record("c", duration_ms=7.0)],
    ]
    with Store(tmp_path / "other") as other:
        for batch in batches:
            store.save(batch, now=NOON)
            other.log.append(batch, [])
            other.tallies.fold_all()
        assert store.tallies.is_current
        assert rows(store) == rows(other)


def rows(store: Store) -> list[tuple[object, ...]]:
    """Return every tally there is."""
    with closing(read_only(store.file)) as connection:
        return connection.execute("SELECT * FROM tallies ORDER BY span, begins, provider").fetchall()


def test_what_others_wrote_is_folded_in_and_nothing_twice(store: Store) -> None:
    """An older release, or a script, writes rows without telling."""
    store.log.append([record(f"r{number}") for number in range(5_001)], [])
    assert store.tallies.fold() is False
    store.tallies.fold_all()
    store.tallies.fold_all()
    store.save([record("new")], now=NOON)
    with closing(read_only(store.file)) as connection:
        assert total(connection, 60, 0, 2 * NOON).requests == 5_002


def test_an_emptied_log_begins_anew(store: Store) -> None:
    """When no row is left, SQLite numbers rows from 1 again: what comes then is not taken for known."""
    store.save([record(f"old{number}") for number in range(3)], now=NOON)
    while store.log.prune(NOON + 1):
        pass
    store.tallies.fold_all()
    store.save([record("new")], now=NOON)
    with closing(read_only(store.file)) as connection:
        assert total(connection, 60, 0, 2 * NOON).requests == 4


def test_short_steps_are_kept_for_hours_and_long_ones_for_a_year(store: Store) -> None:
    store.save([record("r")], [attempt("r", 1, "timeout")], now=NOON)
    left: dict[float, Sequence[int]] = {}
    for days in (0.05, 1, 10, 50, 200, 500):
        store.tallies.prune(NOON + days * 86_400)
        with closing(read_only(store.file)) as connection:
            left[days] = [span for span in SPANS if total(connection, span, 0, 2 * NOON).requests]
            assert left[days] == [span for span in SPANS if failures(connection, span, 0, 2 * NOON)]
    assert left == {
        0.05: list(SPANS),
        1: list(SPANS[1:]),
        10: list(SPANS[2:]),
        50: list(SPANS[3:]),
        200: list(SPANS[4:]),
        500: [],
    }


def test_a_connection_to_read_from_cannot_write(store: Store) -> None:
    with closing(read_only(store.file)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM keys")
