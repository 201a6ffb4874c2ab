"""The lease file: what is reserved for requests under way, durable against `kill -9` before they are dispatched.

A ring of fixed-size slots in a file that is mapped into memory. A store into the mapping is in the kernel's page
cache at once, so it outlives the process, and costs no system call. It does not outlive the machine's loss of power.

The database holds what is settled, this file the rest: an open lease is never part of a saved ledger state, and
settling gives the record a new number. So the records to restore after a crash are the open ones and those settled
after the number that was saved together with the states.
"""

from __future__ import annotations

import struct
from array import array
from pathlib import Path
from typing import Final
from zlib import crc32

from freellm.errors import StoreError
from freellm.lease_slots import (
    AS_RESERVED,
    CHECKED_RESERVATION,
    CHECKED_SETTLEMENT,
    RESERVATION,
    SETTLEMENT,
    LeaseRecord,
    let_go,
    numbers,
    open_mapped,
    place_of,
    record_at,
    settled_at,
)

__all__ = ["SLOTS", "LeaseFile", "LeaseRecord"]

SLOTS: Final = 65_536
"""How many leases the ring holds: half a minute of the heaviest traffic, where seconds pass between two savings."""

_MOST: Final = AS_RESERVED - 1


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
        self._map = open_mapped(path, slots)
        self._slots = slots
        self._open: dict[int, int] = {}
        self._sequence = sequence
        self._next = 0
        self._take_over()

    @property
    def sequence(self) -> int:
        """The last number given; saved with the ledger's states, it tells which records they contain."""
        return self._sequence

    # The names `input` and `output` are those of `Demand` and of every provider's usage figures.
    def append(
        self,
        route: int,
        stamped: float,
        input: int,  # noqa: A002
        output: int,
        ceiling: int | None = None,
        requests: int = 1,
    ) -> int:
        """Write down a reservation. When this returns, killing the process does not lose it.

        :param route: the route's `freellm.fingerprints.route_hash`
        :param stamped: Unix time of the dispatch
        :param input: input tokens reserved
        :param output: output tokens reserved
        :param ceiling: the `max_tokens` that will be sent; None: the same as `output`
        :param requests: as how many requests the service counts it
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
            half = RESERVATION.pack(number, route, stamped, input, output, most, requests)
        except struct.error:
            bounded = map(_bounded, (input, output, most, requests))
            half = RESERVATION.pack(number, route, stamped, *bounded)
        self._open[slot] = checksum = crc32(half)
        CHECKED_RESERVATION.pack_into(self._map, place_of(slot), half, checksum)
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
            half = SETTLEMENT.pack(0, stamped, 0, 0)
            CHECKED_SETTLEMENT.pack_into(self._map, settled_at(slot), half, crc32(half, checksum))

    def settle(self, slot: int, stamped: float, input: int | None, output: int | None) -> None:  # noqa: A002
        """Write down what was used; 0 after a refusal. A lease that is closed is left alone.

        :param stamped: the moment it counts from, Unix seconds
        :param input: input tokens used; None is unknown, and what was reserved stands
        :param output: output tokens used; None is unknown, and what was reserved stands
        """
        checksum = self._open.pop(slot, None)
        if checksum is None:
            return
        self._sequence = number = self._sequence + 1
        tokens_in = AS_RESERVED if input is None else input
        tokens_out = AS_RESERVED if output is None else output
        try:
            half = SETTLEMENT.pack(number, stamped, tokens_in, tokens_out)
        except struct.error:
            half = SETTLEMENT.pack(number, stamped, _bounded(tokens_in), _bounded(tokens_out))
        CHECKED_SETTLEMENT.pack_into(self._map, settled_at(slot), half, crc32(half, checksum))

    def cancel(self, slot: int) -> None:
        """Forget a lease that was never dispatched. One that is closed is left alone."""
        if self._open.pop(slot, None) is not None:
            place = place_of(slot)
            self._map[place : place + 8] = bytes(8)

    def records(self, after: int) -> list[LeaseRecord]:
        """Return the leases that saved states do not contain, in the order of their numbers.

        :param after: the number that was saved with the states
        """
        found = [
            record
            for slot, (made, settled) in enumerate(zip(*numbers(self._map), strict=True))
            if made and (settled > after or settled <= made)
            if (record := record_at(self._map, slot)) and (record.sequence > after or not record.settled)
        ]
        let_go(self._map)  # a start reads all of it, and then it is only written, here and there
        return sorted(found, key=lambda record: record.sequence)

    def _take_over(self) -> None:
        made, settled = numbers(self._map)
        newest = array("Q", map(max, made, settled))
        while top := max(newest):
            record = record_at(self._map, newest.index(top))
            if record and record.sequence == top:
                break
            newest[newest.index(top)] = record.sequence if record else 0
        self._sequence = max(self._sequence, top)
        self._next = (made.index(max(made)) + 1) % self._slots
        for record in self.records(self._sequence):
            self._open[record.slot] = record.checksum
            self.settle(record.slot, record.stamped, None, None)

    def flush(self) -> None:
        """Ask the kernel to write the file to the disk, which alone survives a loss of power. Blocks."""
        self._map.flush()

    def close(self) -> None:
        """Unmap the file."""
        self._map.close()


def _bounded(tokens: int) -> int:
    return tokens if tokens == AS_RESERVED else min(max(tokens, 0), _MOST)
