"""The charts of a stress test as SVG and HTML: each request's latency by model, and who served how many. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from freellm.measuring import Result

NOBODY: Final = "nobody: failed"

COLOURS: Final = (
    "#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#edc948", "#76b7b2", "#ff9da7", "#9c755f", "#6b6ecf", "#8ca252",
)  # fmt: skip
"""Colours of models, in the order in which they first serve; ten can be told apart, then they repeat."""

FAILED: Final = "#d62728"

_WIDTH: Final = 760
_HEIGHT: Final = 260
_LEFT: Final = 48
_RIGHT: Final = 8
_TOP: Final = 10
_BOTTOM: Final = 34
_LINES: Final = 5


def latency_chart(results: Sequence[Result], requests: int) -> str:
    """Draw each request's latency, in its model's colour.

    :param requests: how many there will be: the width of the chart
    """
    most = _round_up(max((result.ms / 1000 for result in results), default=1.0))
    colours = colours_of(results)
    parts = [
        *_horizontal_lines(most),
        *_request_numbers(requests),
        *(_dot(result, requests, most, colours) for result in results),
    ]
    return (
        f'<figure class="chart"><figcaption>Seconds, by request</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="Latency of each request">{"".join(parts)}</svg></figure>'
    )


def distribution_chart(results: Sequence[Result]) -> str:
    """Draw how many requests each model served, the busiest first; it is the other chart's legend, too."""
    counts = Counter(served(result) for result in results)
    colours = colours_of(results)
    most = max(counts.values(), default=1)
    bars = (
        f'<li><span>{escape(model)}</span><b>{count}</b><i style="width:{100 * count / most:.1f}%;'
        f'background:{colours[model]}"></i></li>'
        for model, count in counts.most_common()
    )
    return (
        f'<figure class="chart"><figcaption>Requests, by model</figcaption><ul>{"".join(bars)}</ul></figure>'
    )


def served(result: Result) -> str:
    """Return who answered a request, for a legend."""
    return result.model or "unknown" if result.succeeded else NOBODY


def colours_of(results: Sequence[Result]) -> Mapping[str, str]:
    """Return each model's colour; it stays the same while results are added."""
    models = dict.fromkeys(served(result) for result in results if result.succeeded)
    colours = {model: COLOURS[place % len(COLOURS)] for place, model in enumerate(models)}
    return {**colours, NOBODY: FAILED}


def _dot(result: Result, requests: int, most: float, colours: Mapping[str, str]) -> str:
    x, y = _x(result.number, requests), _y(result.ms / 1000, most)
    model = served(result)
    told = f"request {result.number}: {result.ms / 1000:.2f} s, {model}"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colours[model]}"><title>{escape(told)}</title></circle>'


def _horizontal_lines(most: float) -> Iterator[str]:
    for step in range(_LINES + 1):
        value = most * step / _LINES
        y = _y(value, most)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'


def _request_numbers(requests: int) -> Iterator[str]:
    every = max(1, int(_round_up(requests / 10)))
    for number in (1, *range(every, requests + 1, every)):
        yield f'<text x="{_x(number, requests):.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{number}</text>'


def _x(number: int, requests: int) -> float:
    return _LEFT + 8 + (_WIDTH - _LEFT - _RIGHT - 16) * (number - 1) / max(requests - 1, 1)


def _y(seconds: float, most: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * seconds / most


def _round_up(value: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return (
        next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
        if value > 0
        else 1.0
    )
