"""How many tokens a request will take: a rule of thumb by script, corrected per model by what services report.

No tokenizer is shipped: fifteen providers use a dozen of them, and a reservation has to be about right, not exact.
The weights are rules of thumb for vocabularies of 100,000 to 260,000 entries, as today's models have; they lean to
the high side, because a reservation that is too large is given back and one that is too small costs a refusal.
Nothing here was measured against a tokenizer; `Corrections` learns what the rule gets wrong.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from freellm.types import Json

LATIN: Final = 0.25
"""Tokens per character of English prose and of code: the four characters a token that vendors' guides state."""

DIGIT: Final = 0.5
"""Tokens per digit: most vocabularies group up to three digits, some take each one for itself."""

PER_MESSAGE: Final = 4
"""Tokens that role and separators of one message take; OpenAI's cookbook states 3 and 1 for the role (2023)."""

PER_REPLY: Final = 3
"""Tokens that open the assistant's turn, from the same source."""

PER_TOOL_CALL: Final = 8
"""Tokens around one earlier tool call's name and arguments; a guess."""

IMAGE: Final = 765
"""Tokens per image, and per other part that is not text: what OpenAI's vision guide states for 1024 x 1024 pixels in
high detail. Services differ from 85 to a few thousand, and the size is not known without decoding."""

_DIGITS: Final = b"0123456789"
_DIGITS_MATTER: Final = 512
"""Characters from which digits are counted; in shorter texts the difference is a few tokens."""

_SCRIPTS: Final[tuple[tuple[int, int, float], ...]] = (
    # First and last block of 256 code points, tokens per character. What is not listed takes 1: CJK ideographs,
    # kana, hangul, symbols, rare scripts, and each half of a surrogate pair, so an emoji takes 2.
    (0x00, 0x00, LATIN),
    (0x01, 0x02, 0.5),  # Latin with marks, phonetic signs
    (0x03, 0x03, 0.5),  # Greek
    (0x04, 0x04, 0.4),  # Cyrillic
    (0x05, 0x08, 0.5),  # Armenian, Hebrew, Arabic
    (0x09, 0x0E, 0.6),  # the scripts of India, Thai, Lao
    (0x1E, 0x1F, 0.5),  # Vietnamese letters, ancient Greek
    (0x20, 0x20, 0.5),  # dashes and quotation marks
)
_OTHER: Final = 1.0
_WEIGHTS: Final = (_OTHER, *sorted({weight for _, _, weight in _SCRIPTS}))


def _classes() -> bytes:
    table = bytearray(256)
    for first, last, weight in _SCRIPTS:
        for block in range(first, last + 1):
            table[block] = _WEIGHTS.index(weight)
    return bytes(table)


_CLASSES: Final = _classes()
"""The index into `_WEIGHTS` of each block of 256 code points."""


def estimate(text: str) -> float:
    """Estimate how many tokens a text takes.

    ASCII counts by length. Anything else is looked at by the upper byte of its UTF-16 form, in a few passes that
    all run in C: 100,000 characters take about half a millisecond.
    """
    length = len(text)
    if text.isascii():
        tokens = length * LATIN
    else:
        blocks = text.encode("utf-16-le", "surrogatepass")[1::2].translate(_CLASSES)
        tokens = sum([blocks.count(index) * weight for index, weight in enumerate(_WEIGHTS)])
    if length >= _DIGITS_MATTER:
        raw = text.encode("utf-8", "surrogatepass")
        tokens += (len(raw) - len(raw.translate(None, _DIGITS))) * (DIGIT - LATIN)
    return tokens


def estimate_messages(messages: Sequence[Json], tools: Sequence[Json] | None = None) -> int:
    """Estimate the input tokens of a chat.

    :param messages: OpenAI messages; images count by a flat figure, whatever their size
    :param tools: tool definitions; they count by their JSON text
    """
    tokens: float = PER_REPLY + PER_MESSAGE * len(messages)
    for message in messages:
        content = message.get("content")
        if content.__class__ is str:
            short = len(content) < _DIGITS_MATTER and content.isascii()
            tokens += len(content) * LATIN if short else estimate(content)
        elif content:
            tokens += sum(map(_part, content))
        if "tool_calls" in message and (calls := message["tool_calls"]):
            tokens += sum(map(_tool_call, calls))
    if tools:
        tokens += estimate(orjson.dumps(tools).decode())
    return math.ceil(tokens)


def _part(part: Any) -> float:
    if isinstance(part, str):
        return estimate(part)
    text = part.get("text", part.get("refusal")) if isinstance(part, Mapping) else None
    return estimate(text) if isinstance(text, str) else IMAGE


def _tool_call(call: Json) -> float:
    function = call.get("function") or {}
    name, arguments = function.get("name"), function.get("arguments")
    return PER_TOOL_CALL + sum(estimate(text) for text in (name, arguments) if isinstance(text, str))


SAMPLES: Final = 200
"""How many answers of a model its usual output is taken from."""

ENOUGH: Final = 20
"""How many answers it takes until the usual output is believed."""

UNKNOWN_OUTPUT: Final = 512
"""Tokens of output expected from a model of which too few answers are known."""

_USUAL: Final = 0.9
"""The share of a model's answers that are no longer than is expected of the next one."""

_LEAST: Final = 0.75
"""The share of them that must be no longer than what a next one gets at least, when there is no room for more."""

_PACE: Final = 0.1
"""The weight of the newest answer in the correction: about the last twenty count."""

MARGIN: Final = 2.0
"""How many times the mean error of a model's estimates is reserved on top: of errors that are distributed normally, 94 %
stay below. What was not used is given back; what was not reserved costs a refusal when the quota is nearly used up."""

WORST: Final = 4.0
"""How many times as many tokens as estimated a model is believed to take, at most."""

_BOUNDS: Final = (0.25, WORST)
"""How far a correction may go; beyond that something else is wrong than the tokenizer."""

_TELLING: Final = 32
"""Estimated tokens below which an answer's usage tells more about hidden prompts than about the tokenizer."""

_MODELS: Final = 4_096
"""How many models are remembered; the one that was met first is forgotten first."""


class _Experience:
    """What the answers of one model taught.

    `ratio` is actual to estimated input, `error` how far single answers are from it. `sizes` are the last outputs as they
    came, `order` the same ones sorted, `usual` what a next one is not expected to exceed, `least` what it has to have room for.
    """

    __slots__ = ("error", "least", "order", "ratio", "sizes", "usual")

    def __init__(self) -> None:
        self.ratio = 1.0
        self.error = 0.0
        self.sizes: deque[int] = deque()
        self.order: list[int] = []
        self.usual = self.least = UNKNOWN_OUTPUT

    def correct(self, estimated: int, actual: int) -> None:
        low, high = _BOUNDS
        off = min(max(actual / estimated, low), high) - self.ratio
        self.ratio += _PACE * off
        self.error += _PACE * (abs(off) - self.error)

    def add(self, output: int) -> None:
        if len(self.sizes) == SAMPLES:
            del self.order[bisect_left(self.order, self.sizes.popleft())]
        self.sizes.append(output)
        insort(self.order, output)
        if len(self.order) >= ENOUGH:
            self.usual = self._quantile(_USUAL)
            self.least = max(self._quantile(_LEAST), min(self.usual, UNKNOWN_OUTPUT))

    def _quantile(self, share: float) -> int:
        return self.order[math.ceil(share * len(self.order)) - 1]


class Corrections:
    """What returned usage teaches about each model: how far estimates are off, how long its answers are."""

    __slots__ = ("_models",)

    def __init__(self) -> None:
        self._models: dict[str, _Experience] = {}

    def correct(self, model_key: str, estimated: int) -> int:
        """Return an estimate corrected for a model's tokenizer.

        :param model_key: what tells models apart, such as `provider/model`
        :param estimated: what `estimate_messages` returned
        """
        known = self._models.get(model_key)
        return math.ceil(estimated * known.ratio) if known else estimated

    def reserve(self, model_key: str, estimated: int) -> int:
        """Return how many input tokens to reserve: a corrected estimate with a margin for its usual error.

        :param model_key: what tells models apart, such as `provider/model`
        :param estimated: what `estimate_messages` returned
        """
        known = self._models.get(model_key)
        return math.ceil(estimated * (known.ratio + MARGIN * known.error)) if known else estimated

    def at_least(self, model_key: str, estimated: int) -> int:
        """Return how many input tokens a request hardly takes less than: a corrected estimate without its usual error.

        :param model_key: what tells models apart, such as `provider/model`
        :param estimated: what `estimate_messages` returned
        """
        known = self._models.get(model_key)
        return math.ceil(estimated * max(known.ratio - known.error, 0.0)) if known else estimated

    def observe(self, model_key: str, estimated: int, actual: int | None, output: int | None) -> None:
        """Learn from an answer's usage.

        :param estimated: what `estimate_messages` returned, before correction
        :param actual: the input tokens that the service reports, cached ones included; None is unknown
        :param output: the output tokens that it reports; None is unknown
        """
        known = self._models.get(model_key)
        if known is None:
            if len(self._models) >= _MODELS:
                del self._models[next(iter(self._models))]
            known = self._models[model_key] = _Experience()
        if actual and estimated >= _TELLING:
            known.correct(estimated, actual)
        if output is not None:
            known.add(output)

    def expected_output(
        self, model_key: str, stated_max: int | None, model_max: int | None, *, least: bool = False
    ) -> int:
        """Return how many output tokens to reserve: the least of the three figures that are known.

        :param stated_max: the request's `max_tokens`
        :param model_max: the most that the model puts out
        :param least: whether it may be what three of four answers need, and `UNKNOWN_OUTPUT`, where nine of ten need more
        """
        known = self._models.get(model_key)
        expected = UNKNOWN_OUTPUT if known is None else known.least if least else known.usual
        if stated_max is not None and stated_max < expected:
            expected = stated_max
        if model_max is not None and model_max < expected:
            expected = model_max
        return expected
