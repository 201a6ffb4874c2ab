"""Histograms of milliseconds as whole numbers: adding two of them is adding two numbers.

A number is a row of lanes of 32 bits, one for each bucket; a bucket is 5 % wide, so that a percentile is right within
3 %. Merging thousands of them is thus work for the processor and not for Python.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

BUCKETS: Final = 320
"""The last bucket begins at 6 million ms, which is longer than any request is let live."""

_LANE: Final = 32
_WIDTH: Final = 0.05
"""Of a bucket, as a logarithm."""

_LONGEST: Final = math.expm1((BUCKETS - 1) * _WIDTH)


def of(milliseconds: float) -> int:
    """Return the histogram of one value."""
    bucket = int(math.log1p(min(max(milliseconds, 0.0), _LONGEST)) / _WIDTH)
    return 1 << (bucket * _LANE)


def pack(histogram: int) -> bytes:
    """Return a histogram as it is stored: the number of its first lane that is not empty, and the lanes from there on."""
    if not histogram:
        return b""
    first = ((histogram & -histogram).bit_length() - 1) // _LANE
    lanes = histogram >> (first * _LANE)
    return first.to_bytes(2, "little") + lanes.to_bytes((lanes.bit_length() + 7) // 8, "little")


def unpack(stored: bytes) -> int:
    """Return a histogram that was stored."""
    if not stored:
        return 0
    return int.from_bytes(stored[2:], "little") << (int.from_bytes(stored[:2], "little") * _LANE)


def counts(histogram: int) -> array[int]:
    """Return how many values are in each bucket, up to the last one that has any."""
    lanes = (histogram.bit_length() + _LANE - 1) // _LANE
    return array("I", histogram.to_bytes(lanes * _LANE // 8, "little"))


def percentiles(histogram: int, shares: tuple[float, ...], longest: float) -> list[float]:
    """Return percentiles by nearest rank, in milliseconds.

    :param histogram: of one value at least
    :param shares: such as 0.95, in rising order
    :param longest: the largest value, which no percentile exceeds
    """
    lanes = counts(histogram)
    total, below, bucket = sum(lanes), 0, 0
    found = []
    for share in shares:
        rank = max(1, math.ceil(share * total))
        while below + lanes[bucket] < rank:
            below += lanes[bucket]
            bucket += 1
        # Within a bucket the values are taken to lie evenly.
        inside = (rank - below - 0.5) / lanes[bucket]
        found.append(min(math.expm1((bucket + inside) * _WIDTH), longest))
    return found
