"""Vectors for texts: the same text has the same vector, and texts that share words have similar ones.

A vector is a bag of words and of their trigrams, hashed into its places. All providers of a model share its space, as the
real ones do: what `@cf/baai/bge-m3` and `baai/bge-m3` make can be compared. Two models' vectors have nothing in common.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

from freellm_simulator import prompts
from freellm_simulator.worlds import Facts

_WORD, _STOP_WORD, _TRIGRAM, _ITSELF = 2.0, 0.3, 0.7, 0.1
"""How much a feature says about a text."""

_NUMBERS = re.compile(r"\d+")
_PLACES = 2
"""Places of a feature in each stretch."""

_FIRST = 128
"""Places of the first stretch; each further one is as long as all before it. Every feature has places in each stretch,
so that the beginning of a vector says nearly what all of it says, as with the real models that can shorten theirs."""


def vector(seed: int, model: Facts, text: str, dimensions: int) -> list[float]:
    """Return a text's vector, of length 1.

    :param seed: the simulation's seed
    """
    space = f"{seed} {space_of(model)}"
    raw = [0.0] * dimensions
    for feature, weight in _features(text).items():
        digest = int.from_bytes(blake2b(f"{space} {feature}".encode(), digest_size=32).digest())
        for start, end in _stretches(dimensions):
            for _ in range(_PLACES):
                digest, sign = divmod(digest, 2)
                digest, place = divmod(digest, end - start)
                raw[start + place] += weight if sign else -weight
    length = math.hypot(*raw)
    return [number / length for number in raw] if length else [1.0, *raw[1:]]  # two features may cancel out


def packed(numbers: list[float]) -> str:
    """Return a vector as base64 of little-endian floats, as OpenAI's clients ask for it."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def space_of(model: Facts) -> str:
    """Return the name that a model's providers share: the last part of its id."""
    return model.id.rpartition("/")[2].partition(":")[0].lower()


def _features(text: str) -> dict[str, float]:
    """Return what stands in a text with its weight; a repetition adds less and less."""
    found = Counter[str](_NUMBERS.findall(text))
    weights = dict.fromkeys(found, _WORD)
    for word in prompts.words(text):
        stop = word in prompts.STOP_WORDS or (len(word) < 3 and word.isascii())
        weights[word] = _STOP_WORD if stop else _WORD
        found[word] += 1
        if not stop:
            for trigram in _trigrams(f" {word} "):
                weights[trigram] = _TRIGRAM
                found[trigram] += 1
    features = {feature: weights[feature] * (1 + math.log(count)) for feature, count in found.items()}
    return {**features, f"text {text}": _WORD if not found else _ITSELF}


def _trigrams(text: str) -> Iterator[str]:
    return (text[at : at + 3] for at in range(len(text) - 2))


def _stretches(dimensions: int) -> Iterator[tuple[int, int]]:
    start, end = 0, min(_FIRST, dimensions)
    while start < dimensions:
        yield start, end
        start, end = end, min(end * 2, dimensions)
