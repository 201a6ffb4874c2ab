"""How leases lie in the lease file: a header, then slots of one size, each of two halves with a checksum of its own.

The reservation is written when a request is dispatched, the settlement when it is over. The settlement's checksum
goes on from the reservation's, so that what an earlier lease left in the second half is not taken for this one's.
A half that the process's death tore is not valid: a torn reservation was never acknowledged, and below a torn
settlement the reservation stands.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import sys
from array import array
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from freellm.errors import StoreError

RESERVATION: Final = struct.Struct("<QQdIIII")
"""Sequence number, route, stamped, input, output, ceiling, requests. A number of 0 says that the slot is empty."""

SETTLEMENT: Final = struct.Struct("<QdII")
"""Sequence number, stamped, input, output. A number of 0 says that the lease was stamped and is still open."""

AS_RESERVED: Final = 2**32 - 1
"""An input or output of a settlement: how much it was is not known, so the reservation stands."""

CHECKED_RESERVATION: Final = struct.Struct(f"<{RESERVATION.size}sI4x")
CHECKED_SETTLEMENT: Final = struct.Struct(f"<{SETTLEMENT.size}sI4x")
_SLOT: Final = struct.Struct(f"<{RESERVATION.size}sI4x{SETTLEMENT.size}sI4x")
_NUMBERS: Final = struct.Struct(f"<Q{CHECKED_RESERVATION.size - 8}xQ{CHECKED_SETTLEMENT.size - 8}x")

_HEADER: Final = struct.Struct("<8sIII44x")
_HEADER_BYTES: Final = _HEADER.size
_SLOT_BYTES: Final = _SLOT.size
_SETTLED_BYTES: Final = _HEADER_BYTES + CHECKED_RESERVATION.size
_MAGIC: Final = b"freellm\x00"
_VERSION: Final = 2
_CURE: Final = (
    "Stop the server, move the file away and start again: what is lost is only the quota use of the last seconds "
    "before the server last stopped."
)


class LeaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One lease as the file holds it.

    :param slot: where it is
    :param sequence: the number given to it when it was settled, else when it was made
    :param settled: whether the lease is over; what was used is then in the record, as far as it is known
    :param route: the `freellm.fingerprints.route_hash` of its route
    :param stamped: the moment it counts from, Unix seconds
    :param input: input tokens
    :param output: output tokens
    :param ceiling: the `max_tokens` that was sent; once the output is known, the same as that
    :param requests: as how many requests the service counts it
    :param checksum: the reservation's checksum, which the settlement's goes on from
    """

    slot: int
    sequence: int
    settled: bool
    route: int
    stamped: float
    input: int
    output: int
    ceiling: int
    requests: int
    checksum: int


def place_of(slot: int) -> int:
    """Return a slot's offset in the file."""
    return _HEADER_BYTES + slot * _SLOT_BYTES


def settled_at(slot: int) -> int:
    """Return the offset in the file of a slot's settlement."""
    return _SETTLED_BYTES + slot * _SLOT_BYTES


def numbers(file: mmap.mmap) -> tuple[array[int], array[int]]:
    """Return the two sequence numbers of every slot: reserved, settled.

    Fast and unchecked. Each is aligned to its eight bytes, which processors store whole, so none is ever torn.
    """
    reserved, settled = array("Q"), array("Q")
    with memoryview(file) as everything, everything[_HEADER.size :] as slots:
        for made, over in _NUMBERS.iter_unpack(slots):
            reserved.append(made)
            settled.append(over)
    return reserved, settled


def record_at(file: mmap.mmap, slot: int) -> LeaseRecord | None:
    """Return the lease in a slot; None when the slot is empty or its reservation is torn."""
    half, checksum, settled_half, settled_checksum = _SLOT.unpack_from(file, place_of(slot))
    number, route, stamped, tokens_in, tokens_out, ceiling, requests = RESERVATION.unpack(half)
    if not number or crc32(half) != checksum:
        return None
    settled = 0
    if crc32(settled_half, checksum) == settled_checksum:
        settled, stamped, *used = SETTLEMENT.unpack(settled_half)
        if settled:
            tokens_in = tokens_in if used[0] == AS_RESERVED else used[0]
            if used[1] != AS_RESERVED:
                tokens_out = ceiling = used[1]
    return LeaseRecord(
        slot=slot,
        sequence=settled or number,
        settled=bool(settled),
        route=route,
        stamped=stamped,
        input=tokens_in,
        output=tokens_out,
        ceiling=ceiling,
        requests=requests,
        checksum=checksum,
    )


def open_mapped(path: Path, slots: int) -> mmap.mmap:
    """Map a lease file into memory, and make it with mode 0600 when it does not exist.

    :raises StoreError: when it is not a lease file of this release with that many slots, or cannot be made
    """
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


def let_go(file: mmap.mmap) -> None:
    """Let the kernel take back the memory of a mapping, where it can; what was stored stays in the file."""
    if sys.platform == "linux":  # elsewhere the same advice may mean to throw stores away
        file.madvise(mmap.MADV_DONTNEED)


def _make(path: Path, slots: int) -> None:
    """Write an empty file under another name first, so that a half-made one is never found."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(_HEADER.pack(_MAGIC, _VERSION, _SLOT.size, slots))
        # Written, not left as a hole: a store into a hole of a full disk kills the process.
        for _ in range(slots):
            stream.write(bytes(_SLOT.size))
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)


def _check(path: Path, file: int, slots: int) -> None:
    facts = os.fstat(file)
    if not stat.S_ISREG(facts.st_mode):
        raise StoreError(f"{path} is not a regular file. {_CURE}")
    header = os.read(file, _HEADER.size)
    expected = _HEADER.pack(_MAGIC, _VERSION, _SLOT.size, slots)
    if header != expected or facts.st_size != place_of(slots):
        raise StoreError(f"{path} is not a lease file of this release, or it is damaged. {_CURE}")
    if stat.S_IMODE(facts.st_mode) & 0o077:
        path.chmod(0o600)
