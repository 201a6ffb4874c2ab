"""How long a model took to begin to answer lately, for whoever asks what is slow. Pure."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

REMEMBERED: Final = 32
"""Answers that count."""

FEWEST: Final = 8
"""Answers from which the slow tenth of them can be told from the rest."""


class Delays:
    """The seconds to the first deltas of the newest streams, and those to the newest whole answers."""

    __slots__ = ("_streams", "_whole")

    def __init__(self) -> None:
        self._streams: deque[float] = deque(maxlen=REMEMBERED)
        self._whole: deque[float] = deque(maxlen=REMEMBERED)

    def note(self, seconds: float, *, stream: bool) -> None:
        """Remember an answer.

        :param seconds: until a stream's first delta, or until the whole answer was there
        """
        (self._streams if stream else self._whole).append(seconds)

    def slow(self, *, stream: bool) -> float | None:
        """Return the seconds within which nine answers in ten begin; None when too few are known."""
        known = sorted(self._streams if stream else self._whole)
        return known[math.ceil(len(known) * 0.9) - 1] if len(known) >= FEWEST else None
