"""Vectors for texts: the same text has the same vector, whoever asks for it and when."""

from __future__ import annotations

import base64
import math
import struct

from freellm_simulator.exchange import dice
from freellm_simulator.worlds import Facts


def vector(seed: int, model: Facts, text: str, dimensions: int) -> list[float]:
    """Return a text's vector, of length 1.

    :param seed: the simulation's seed
    """
    rng = dice(seed, model.label, text, "vector")
    raw = [rng.gauss(0, 1) for _ in range(dimensions)]
    length = math.hypot(*raw)
    return [number / length for number in raw]


def packed(numbers: list[float]) -> str:
    """Return a vector as base64 of little-endian floats, as OpenAI's clients ask for it."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
