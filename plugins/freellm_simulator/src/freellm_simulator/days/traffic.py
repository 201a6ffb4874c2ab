"""A realistic day of requests: busy hours, bursts, short chats, long documents, tools, JSON, Chinese and Japanese."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from freellm_simulator.exchange import Json

HOUR, DAY = 3_600.0, 86_400.0

BURST_EVERY, BURST_LASTS, BURST_FACTOR = 900.0, 30.0, 8.0
"""Seconds between two bursts on average and of each one, and how much more is asked during it."""

_BUSY: Final = 0.6
"""How much more than the average is asked in the busiest hour, and how much less in the quietest."""

_PEAK: Final = 14 * HOUR
"""Seconds after the day's start at which most is asked."""

_PROSE: Final = """
the of a model request answer provider quota minute table train travel coast market river window letter number analysis
summary important therefore between according development small large question reason example function returns value
error retry limit capacity schedule planner budget harbour museum kitchen garden
"""
_WORDS: Final = tuple(_PROSE.split())
_WIDE: Final = "这个请求需要一个简短的回答因为时间有限我们想知道如何学习新的语言和文化ありがとうございます東京の天気について教えてください"
_TOOLS: Final[list[Json]] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Look up the {subject} of a place on a day.",
            "parameters": {
                "type": "object",
                "properties": {"place": {"type": "string"}, "day": {"type": "string"}},
                "required": ["place"],
            },
        },
    }
    for name, subject in (("get_weather", "weather"), ("get_trains", "trains"), ("get_events", "events"))
]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request.

    :param name: what reports call it
    :param share: its part of all requests
    :param words: words of the last message, median and spread (the sigma of a log-normal distribution)
    :param wide: whether it is written in ideographs and kana
    :param fields: members of the body
    :param turns: earlier turns of the conversation, at most
    """

    name: str
    share: float
    words: tuple[int, float]
    wide: bool = False
    fields: tuple[tuple[str, object], ...] = ()
    turns: int = 0


KINDS: Final = (
    Kind("chat", 0.55, (40, 0.8), turns=4),
    Kind("long", 0.12, (1_500, 0.7)),
    Kind("tools", 0.15, (60, 0.6), fields=(("tools", _TOOLS), ("tool_choice", "auto")), turns=2),
    Kind("cjk", 0.10, (120, 0.8), wide=True),
    Kind("json", 0.05, (80, 0.6), fields=(("response_format", {"type": "json_object"}),)),
    Kind("bounded", 0.03, (60, 0.6), fields=(("max_tokens", 200),)),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request.

    :param at: seconds after the start
    :param kind: the name of its kind
    :param messages: OpenAI messages
    :param fields: the other members of its body
    """

    at: float
    kind: str
    messages: Sequence[Json]
    fields: Json


def arrivals(seed: int, days: float, per_minute: float) -> Iterator[Arrival]:
    """Yield a seeded day, or several, in the order of time.

    :param per_minute: requests a minute on average, bursts on top
    """
    rng = Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing
    texts = _Texts(rng)
    most = per_minute / 60 * (1 + _BUSY) * BURST_FACTOR
    at, burst_ends, burst_begins = 0.0, 0.0, rng.expovariate(1 / BURST_EVERY)
    while True:
        at += rng.expovariate(most)  # thinning: a candidate is kept as often as its hour says
        if at >= days * DAY:
            return
        if at >= burst_begins:
            burst_ends = burst_begins + BURST_LASTS
            burst_begins = burst_ends + rng.expovariate(1 / BURST_EVERY)
        factor = (1 + _BUSY * math.cos((at - _PEAK) * 2 * math.pi / DAY)) * (
            BURST_FACTOR if at < burst_ends else 1.0
        )
        if rng.random() * (1 + _BUSY) * BURST_FACTOR < factor:
            yield _arrival(at, rng, texts)


def _arrival(at: float, rng: Random, texts: _Texts) -> Arrival:
    (kind,) = rng.choices(KINDS, [kind.share for kind in KINDS])
    # What makes a request unlike all others is short, so that the rest of its tokens need not be counted again.
    messages: list[Json] = [
        {"role": "system", "content": f"Case {rng.getrandbits(32):x}. {texts.system(rng)}"}
    ]
    for _ in range(rng.randint(0, kind.turns)):
        messages.append({"role": "user", "content": texts.text(rng, kind)})
        messages.append({"role": "assistant", "content": texts.text(rng, kind)})
    messages.append({"role": "user", "content": texts.text(rng, kind)})
    return Arrival(at, kind.name, messages, dict(kind.fields))


class _Texts:
    """A stock of texts of each kind: the same ones come again, so that counting their tokens is done once."""

    STOCK = 200

    def __init__(self, rng: Random) -> None:
        self._systems = [_prose(rng, 25) for _ in range(20)]
        self._texts = {kind.name: [_written(rng, kind) for _ in range(self.STOCK)] for kind in KINDS}

    def system(self, rng: Random) -> str:
        return rng.choice(self._systems)

    def text(self, rng: Random, kind: Kind) -> str:
        return rng.choice(self._texts[kind.name])


def _written(rng: Random, kind: Kind) -> str:
    median, spread = kind.words
    length = max(3, min(int(rng.lognormvariate(math.log(median), spread)), 20 * median))
    return "".join(rng.choices(_WIDE, k=length)) if kind.wide else _prose(rng, length)


def _prose(rng: Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words)) + "."
