"""The lease file: every acknowledged lease is there, whatever happened to the process."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freellm.errors import StoreError
from freellm.lease_slots import place_of
from freellm.leases import LeaseFile, LeaseRecord

ROUTE = 0xFEDC_BA98_7654_3210


def facts(record: LeaseRecord) -> tuple[bool, float, int, int, int]:
    return record.settled, record.stamped, record.input, record.output, record.ceiling


def reopened(file: LeaseFile, **settings: int) -> LeaseFile:
    file.close()
    return LeaseFile(file.path, slots=16, **settings)


@pytest.fixture
def file(tmp_path: Path) -> LeaseFile:
    return LeaseFile(tmp_path / "leases", slots=16)


def test_an_open_lease_is_found_as_it_was_reserved(file: LeaseFile) -> None:
    slot = file.append(ROUTE, 1_000.5, 300, 512, 4_096)
    (record,) = file.records(file.sequence)
    assert (record.slot, record.route) == (slot, ROUTE)
    assert facts(record) == (False, 1_000.5, 300, 512, 4_096)


def test_a_stamped_lease_counts_from_its_stamp(file: LeaseFile) -> None:
    file.stamp(file.append(ROUTE, 1_000, 300, 512), 1_004)
    assert facts(file.records(file.sequence)[0]) == (False, 1_004, 300, 512, 512)


def test_a_settled_lease_is_found_until_it_is_part_of_the_saved_states(file: LeaseFile) -> None:
    slot = file.append(ROUTE, 1_000, 300, 512)
    saved_before = file.sequence
    file.stamp(slot, 1_004)
    file.settle(slot, 1_004, 310, 20)
    assert [facts(record) for record in file.records(saved_before)] == [(True, 1_004, 310, 20, 20)]
    assert file.records(file.sequence) == []


def test_a_refused_lease_charges_no_ceiling(file: LeaseFile) -> None:
    file.settle(file.append(ROUTE, 1_000, 300, 512, 4_096), 1_001, 0, 0)
    assert facts(file.records(0)[0]) == (True, 1_001, 0, 0, 0)


def test_what_is_not_known_of_a_settled_lease_stands_as_reserved(file: LeaseFile) -> None:
    file.settle(file.append(ROUTE, 1_000, 300, 512, 900), 1_001, None, 20)
    file.settle(file.append(ROUTE, 1_002, 300, 512, 900), 1_003, 310, None)
    assert [facts(record)[2:] for record in file.records(0)] == [(300, 20, 20), (310, 512, 900)]


def test_a_cancelled_lease_is_forgotten(file: LeaseFile) -> None:
    file.cancel(file.append(ROUTE, 1_000, 300, 512))
    assert file.records(0) == []
    assert reopened(file).records(0) == []


def test_a_closed_lease_is_left_alone(file: LeaseFile) -> None:
    slot = file.append(ROUTE, 1_000, 300, 512)
    file.settle(slot, 1_004, 310, 20)
    before = file.records(0), file.sequence
    file.settle(slot, 2_000, 1, 1)
    file.stamp(slot, 2_000)
    file.cancel(slot)
    assert (file.records(0), file.sequence) == before


def test_what_a_dead_process_left_open_stands_and_is_numbered_again(file: LeaseFile) -> None:
    slots = [file.append(ROUTE, 1_000 + i, 300, 512, 900) for i in range(3)]
    file.settle(slots[1], 1_001, 5, 6)
    file.stamp(slots[2], 1_010)
    saved = file.sequence
    again = reopened(file, sequence=saved)
    assert sorted(facts(record) for record in again.records(saved)) == [
        (True, 1_000, 300, 512, 900),
        (True, 1_010, 300, 512, 900),
    ]
    assert again.records(again.sequence) == []
    assert reopened(again, sequence=saved).records(saved) != []


def test_numbers_go_on_after_a_restart_even_with_a_new_file(file: LeaseFile, tmp_path: Path) -> None:
    for _ in range(5):
        file.settle(file.append(ROUTE, 1_000, 300, 512), 1_000, 1, 1)
    assert file.sequence == 10
    again = reopened(file, sequence=3)
    assert again.sequence == 10
    again.append(ROUTE, 1_000, 300, 512)
    assert len(again.records(10)) == 1
    other = LeaseFile(tmp_path / "other", sequence=500, slots=16)
    other.settle(other.append(ROUTE, 1_000, 300, 512), 1_000, 1, 1)
    assert len(other.records(500)) == 1


def test_the_ring_overwrites_the_oldest_and_never_a_lease_under_way(file: LeaseFile) -> None:
    long = file.append(ROUTE, 7, 7, 7)
    for number in range(100):
        file.settle(file.append(ROUTE, 1_000 + number, 1, 1), 1_000 + number, 1, 1)
    records = file.records(0)
    assert [record.stamped for record in records if not record.settled] == [7]
    assert {record.stamped for record in records if record.settled} == {1_000 + n for n in range(85, 100)}
    file.settle(long, 8, 8, 8)
    assert facts(file.records(0)[-1]) == (True, 8, 8, 8, 8)
    again = reopened(file)
    again.settle(again.append(ROUTE, 5_000, 1, 1), 5_000, 1, 1)
    assert min(r.stamped for r in again.records(0) if r.stamped > 8) == 1_086


def test_a_ring_full_of_leases_under_way_takes_no_more(file: LeaseFile) -> None:
    slots = [file.append(ROUTE, 1_000, 1, 1) for _ in range(16)]
    with pytest.raises(StoreError, match="under way"):
        file.append(ROUTE, 1_000, 1, 1)
    file.settle(slots[5], 1_000, 1, 1)
    assert file.append(ROUTE, 1_000, 1, 1) == slots[5]


def test_absurd_figures_are_cut_and_not_refused(file: LeaseFile) -> None:
    slot = file.append(ROUTE, 1_000, 10**12, -3, 10**30)
    assert facts(file.records(0)[0])[2:] == (2**32 - 2, 0, 2**32 - 2)
    file.settle(slot, 1_000, -1, 10**12)
    assert facts(file.records(0)[0])[2:4] == (0, 2**32 - 2)


@pytest.mark.parametrize("byte", [*range(44), *range(48, 76)])
def test_a_torn_record_is_recognised(tmp_path: Path, byte: int) -> None:
    file = LeaseFile(tmp_path / "leases", slots=16)
    file.append(ROUTE, 1_000, 300, 512, 900)
    slot = file.append(ROUTE, 2_000, 300, 512, 900)
    file.settle(slot, 2_002, 280, 33)
    file.close()
    content = bytearray(file.path.read_bytes())
    content[place_of(slot) + byte] ^= 0x40
    file.path.write_bytes(content)
    found = [facts(record) for record in LeaseFile(file.path, slots=16).records(0)]
    untouched, reserved = (True, 1_000.0, 300, 512, 900), (True, 2_000.0, 300, 512, 900)
    assert untouched in found
    # A torn reservation was never acknowledged; below a torn settlement the reservation stands.
    assert [record for record in found if record != untouched] == ([] if byte < 48 else [reserved])


@pytest.mark.parametrize("damage", ["empty", "short", "long", "magic", "slots", "text"])
def test_a_file_of_another_kind_is_refused_with_the_cure_and_left_alone(file: LeaseFile, damage: str) -> None:
    file.close()
    content = file.path.read_bytes()
    damaged = {
        "empty": b"",
        "short": content[:-1],
        "long": content + b"\0",
        "magic": b"sqlite" + content[6:],
        "slots": content[:16] + b"\x20" + content[17:],
        "text": b"hello\n",
    }[damage]
    file.path.write_bytes(damaged)
    with pytest.raises(StoreError, match="move the file away"):
        LeaseFile(file.path, slots=16)
    assert file.path.read_bytes() == damaged


def test_a_folder_a_pipe_or_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "target").write_bytes(b"")
    for name in ("link", "missing/leases"):
        with pytest.raises(StoreError, match="cannot be opened"):
            LeaseFile(tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError):
        LeaseFile(tmp_path / "folder")


def test_the_file_is_for_its_owner_only(file: LeaseFile) -> None:
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    file.path.chmod(0o644)
    again = reopened(file)
    assert stat.S_IMODE(again.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["leases"]


def test_a_file_that_was_half_made_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "leases.new").write_bytes(b"half")
    LeaseFile(tmp_path / "leases", slots=16).append(ROUTE, 1, 1, 1)


def test_flushing_writes_what_is_there(file: LeaseFile) -> None:
    file.append(ROUTE, 1_000, 300, 512)
    file.flush()
    assert len(file.records(0)) == 1


WRITER = """
import os, sys
from pathlib import Path
from freellm.leases import LeaseFile
file = LeaseFile(Path(sys.argv[1]), slots=65_536)
open_slots = []
for number in range(1, 60_000):
    slot = file.append(number, number, number, number, 2 * number)
    os.write(1, b"a %d\\n" % number)
    open_slots.append((slot, number))
    if len(open_slots) > 5:
        slot, number = open_slots.pop(0)
        file.settle(slot, number + 0.5, number + 7, number + 8)
        os.write(1, b"s %d\\n" % number)
"""


@pytest.mark.parametrize("seed", range(6))
def test_every_acknowledged_lease_survives_kill_9(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "leases"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        first = os.read(writer.stdout.fileno(), 65_536)
        time.sleep(random.Random(seed).uniform(0, 0.05))  # the moment of death is the point
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = (first + writer.stdout.read()).decode().split("\n")[:-1]
    appended = {int(line[2:]) for line in acknowledged if line.startswith("a")}
    settled = {int(line[2:]) for line in acknowledged if line.startswith("s")}
    assert writer.returncode == -signal.SIGKILL
    assert appended
    records = {record.route: record for record in LeaseFile(path).records(0)}
    assert appended <= records.keys()
    assert len(records) <= len(appended) + 1
    for number, record in records.items():
        reserved = (True, number, number, number, 2 * number)
        used = (True, number + 0.5, number + 7, number + 8, number + 8)
        assert facts(record) == used if number in settled else facts(record) in (reserved, used)


def test_a_lease_keeps_as_how_many_requests_it_counts(file: LeaseFile) -> None:
    file.append(ROUTE, 1_000, 300, 0, 0, 60)
    slot = file.append(ROUTE, 1_000, 300, 0)
    file.settle(slot, 1_001, 280, 0)
    file = reopened(file)
    assert sorted(record.requests for record in file.records(0)) == [1, 60]
