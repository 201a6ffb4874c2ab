"""The lease file: what is reserved for requests under way, durable against `kill -9` before they are dispatched.

A ring of fixed-size slots in a file that is mapped into memory. A store into the mapping is in the kernel's page
cache at once, so it outlives the process, and costs no system call. It does not outlive the machine's loss of power.

The database holds what is settled, this file the rest: an open lease is never part of a saved ledger state, and
settling gives the record a new number. So the records to restore after a crash are the open ones and those settled
after the number that was saved together with the states.

A slot has two halves, the reservation and the settlement, each with a checksum of its own; the settlement's includes
the reservation's. A half that was torn by the process's death is not valid: a torn reservation was never
acknowledged, and below a torn settlement the reservation stands.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import struct
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from freellm.errors import StoreError

SLOTS: Final = 65_536
"""How many leases the ring holds: minutes of the heaviest traffic, where seconds pass between two savings."""

_MAGIC: Final = b"freellm\x00"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<8sIII44x")  # magic, version, slot size, slots
_RESERVATION: Final = struct.Struct("<QQdIII")  # sequence, route, stamped, input, output, ceiling
_SETTLEMENT: Final = struct.Struct("<QdII")  # sequence, stamped, input, output
_CHECKSUM: Final = struct.Struct("<I")
_SETTLED_AT: Final = _RESERVATION.size + _CHECKSUM.size
_SLOT: Final = struct.Struct(f"<{_RESERVATION.size}sI{_SETTLEMENT.size}sI")
_MOST: Final = 2**32 - 1
_CURE: Final = (
    "Stop the server, move the file away and start again: what is lost is only the quota use of the last seconds "
    "before the server last stopped."
)


class LeaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One lease as the file holds it.

    :param slot: where it is
    :param sequence: the number given to it when it was settled, else when it was made
    :param settled: whether `input` and `output` are what was used, and not what was reserved
    :param route: the `route_hash` of its route
    :param stamped: the moment it counts from, Unix seconds
    :param input: input tokens
    :param output: output tokens
    :param ceiling: the `max_tokens` that was sent
    """

    slot: int
    sequence: int
    settled: bool
    route: int
    stamped: float
    input: int
    output: int
    ceiling: int


def route_hash(provider: str, model: str, fingerprint: str) -> int:
    """Return 64 bits that stand for a route: the same in every process, and without the fingerprint in them."""
    text = "\x1f".join((provider, model, fingerprint))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


class LeaseFile:
    """Write leases to a file, at a microsecond each.

    Leases that an earlier process left open are settled as they were reserved when the file is opened: nobody is
    left to do it, and what they used is not known.

    :param path: the file; it is made, with mode 0600, when it does not exist
    :param sequence: the number that was saved with the ledger's states; numbering goes on above it, even if the
        file is new
    :param slots: how many leases the ring holds
    :raises StoreError: when the file is not a lease file of this release, or cannot be made
    """

    __slots__ = ("_map", "_next", "_open", "_sequence", "_slots", "path")

    def __init__(self, path: Path, *, sequence: int = 0, slots: int = SLOTS) -> None:
        self.path = path
        self._slots = slots
        self._map = _mapped(path, slots)
        self._open: dict[int, int] = {}
        self._sequence = sequence
        self._next = 0
        self._take_over()

    @property
    def sequence(self) -> int:
        """The last number given; saved with the ledger's states, it tells which records they contain."""
        return self._sequence

    def append(
        self,
        route: int,
        stamped: float,
        input: int,
        output: int,
        ceiling: int | None = None,
    ) -> int:
        """Write down a reservation. When this returns, killing the process does not lose it.

        :param route: the route's `route_hash`
        :param stamped: Unix time of the dispatch
        :param input: input tokens reserved
        :param output: output tokens reserved
        :param ceiling: the `max_tokens` that will be sent; None: the same as `output`
        :return: the slot, for `settle`
        :raises StoreError: when every slot holds a lease under way
        """
        slot = self._next
        if slot in self._open:
            slot = self._free_slot(slot)
        self._next = slot + 1 if slot + 1 < self._slots else 0
        self._sequence = number = self._sequence + 1
        most = output if ceiling is None else ceiling
        try:
            half = _RESERVATION.pack(number, route, stamped, input, output, most)
        except struct.error:
            half = _RESERVATION.pack(
                number, route, stamped, _bounded(input), _bounded(output), _bounded(most)
            )
        self._open[slot] = checksum = crc32(half)
        place = _HEADER.size + slot * _SLOT.size
        self._map[place : place + _SETTLED_AT] = half + _CHECKSUM.pack(checksum)
        return slot

    def _free_slot(self, slot: int) -> int:
        if len(self._open) >= self._slots:
            raise StoreError(f"all {self._slots} slots of {self.path} hold requests under way")
        while slot in self._open:
            slot = (slot + 1) % self._slots
        return slot

    def stamp(self, slot: int, stamped: float) -> None:
        """Let a lease count from the moment its answer's headers arrived. One that is closed is left alone."""
        if (checksum := self._open.get(slot)) is not None:
            self._settle(slot, checksum, _SETTLEMENT.pack(0, stamped, 0, 0))

    def settle(self, slot: int, stamped: float, input: int, output: int) -> None:  # noqa: A002
        """Write down what was used. A lease that is closed is left alone.

        :param stamped: the moment it counts from, Unix seconds
        :param input: input tokens used, or those reserved if that is not known; 0 after a refusal
        :param output: output tokens used, or those reserved if that is not known; 0 after a refusal
        """
        checksum = self._open.pop(slot, None)
        if checksum is None:
            return
        self._sequence = number = self._sequence + 1
        try:
            half = _SETTLEMENT.pack(number, stamped, input, output)
        except struct.error:
            half = _SETTLEMENT.pack(number, stamped, _bounded(input), _bounded(output))
        self._settle(slot, checksum, half)

    def _settle(self, slot: int, checksum: int, half: bytes) -> None:
        place = _HEADER.size + slot * _SLOT.size
        self._map[place + _SETTLED_AT : place + _SLOT.size] = half + _CHECKSUM.pack(crc32(half, checksum))

    def cancel(self, slot: int) -> None:
        """Forget a lease that was never dispatched. One that is closed is left alone."""
        if self._open.pop(slot, None) is not None:
            place = _HEADER.size + slot * _SLOT.size
            self._map[place : place + 8] = bytes(8)

    def records(self, after: int) -> list[LeaseRecord]:
        """Return the leases that saved states do not contain, in the order of their numbers.

        :param after: the number that was saved with the states
        """
        found = [record for record in self._read() if record.sequence > after or not record.settled]
        return sorted(found, key=lambda record: record.sequence)

    def _read(self) -> list[LeaseRecord]:
        rows = _SLOT.iter_unpack(memoryview(self._map)[_HEADER.size :])
        return [record for slot, row in enumerate(rows) if (record := _record(slot, *row))]

    def _take_over(self) -> None:
        records = self._read()
        newest = max(records, key=lambda record: record.sequence, default=None)
        if newest:
            self._sequence = max(self._sequence, newest.sequence)
            self._next = (newest.slot + 1) % self._slots
        for record in records:
            if not record.settled:
                place = _HEADER.size + record.slot * _SLOT.size
                self._open[record.slot] = crc32(self._map[place : place + _RESERVATION.size])
                self.settle(record.slot, record.stamped, record.input, record.output)

    def flush(self) -> None:
        """Ask the kernel to write the file to the disk, which alone survives a loss of power. Blocks."""
        self._map.flush()

    def close(self) -> None:
        """Unmap the file."""
        self._map.close()


def _bounded(tokens: int) -> int:
    return min(max(tokens, 0), _MOST)


def _record(
    slot: int, half: bytes, checksum: int, settled_half: bytes, settled_checksum: int
) -> LeaseRecord | None:
    number, route, stamped, tokens_in, tokens_out, ceiling = _RESERVATION.unpack(half)
    if not number or crc32(half) != checksum:
        return None
    settled = 0
    if crc32(settled_half, checksum) == settled_checksum:
        settled, stamped, *used = _SETTLEMENT.unpack(settled_half)
        if settled:
            tokens_in, tokens_out = used
    return LeaseRecord(
        slot=slot,
        sequence=settled or number,
        settled=bool(settled),
        route=route,
        stamped=stamped,
        input=tokens_in,
        output=tokens_out,
        ceiling=ceiling,
    )


def _mapped(path: Path, slots: int) -> mmap.mmap:
    try:
        if not path.exists():
            _make(path, slots)
        file = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise StoreError(f"the lease file {path} cannot be opened: {error.strerror}") from error
    try:
        _check(path, file, slots)
        return mmap.mmap(file, 0)
    finally:
        os.close(file)


def _make(path: Path, slots: int) -> None:
    """Write an empty file under another name first, so that a half-made one is never found."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(_HEADER.pack(_MAGIC, _VERSION, _SLOT.size, slots))
        # Written, not left as a hole: a store into a hole of a full disk kills the process.
        stream.write(bytes(slots * _SLOT.size))
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)


def _check(path: Path, file: int, slots: int) -> None:
    facts = os.fstat(file)
    if not stat.S_ISREG(facts.st_mode):
        raise StoreError(f"{path} is not a regular file. {_CURE}")
    header = os.read(file, _HEADER.size)
    expected = _HEADER.pack(_MAGIC, _VERSION, _SLOT.size, slots)
    if header != expected or facts.st_size != _HEADER.size + slots * _SLOT.size:
        raise StoreError(f"{path} is not a lease file of this release, or it is damaged. {_CURE}")
    if stat.S_IMODE(facts.st_mode) & 0o077:
        path.chmod(0o600)
