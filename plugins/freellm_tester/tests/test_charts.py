import re
import xml.etree.ElementTree as ET

import pytest

from freellm.measuring import Result
from freellm_tester.charts import FAILED, NOBODY, colours_of, distribution_chart, latency_chart

RESULTS = [
    Result(number=1, status=200, model="a/<m>", ms=400.0),
    Result(number=2, status=200, model="b/m", ms=1_800.0),
    Result(number=3, status=200, model="a/<m>", ms=0.0),
    Result(number=4, status=502, error="upstream_error", ms=900.0),
]


def svg(drawn: str) -> ET.Element:
    found = re.search(r"<svg.*</svg>", drawn)
    assert found
    return ET.fromstring(found[0])


def test_each_request_is_a_dot_in_its_models_colour_at_its_latency() -> None:
    dots = svg(latency_chart(RESULTS, 100)).findall("circle")
    colours = colours_of(RESULTS)
    assert [dot.get("fill") for dot in dots] == [
        colours["a/<m>"],
        colours["b/m"],
        colours["a/<m>"],
        FAILED,
    ]
    x = [float(dot.get("cx", "nan")) for dot in dots]
    y = [float(dot.get("cy", "nan")) for dot in dots]
    assert x == sorted(set(x))
    assert y[1] < y[3] < y[0] < y[2]
    assert (y[2] - y[0]) / (y[2] - y[1]) == pytest.approx(400 / 1800, abs=0.01)
    assert dots[0].findtext("title") == "request 1: 0.40 s, a/<m>"


@pytest.mark.parametrize("requests", [1, 2, 7, 100, 1_000])
@pytest.mark.parametrize("ms", [0.01, 1.0, 999.0, 123_456.0])
def test_a_chart_holds_whatever_comes(requests: int, ms: float) -> None:
    results = [Result(number=n, status=200, model="a/m", ms=ms) for n in range(1, requests + 1)]
    drawn = svg(latency_chart(results, requests))
    _, _, width, height = map(float, drawn.get("viewBox", "").split())
    for dot in drawn.findall("circle"):
        assert 0 < float(dot.get("cx", "nan")) < width
        assert 0 < float(dot.get("cy", "nan")) < height
    numbers = [text.text for text in drawn.findall("text") if text.get("text-anchor") == "middle"]
    assert numbers[0] == "1"
    assert len(numbers) <= 12


def test_colours_stay_while_results_are_added() -> None:
    for count in range(1, len(RESULTS)):
        assert colours_of(RESULTS[:count]).items() <= colours_of(RESULTS).items()


def test_the_bars_are_the_counts_the_busiest_first() -> None:
    drawn = distribution_chart(RESULTS)
    assert re.findall(r"<span>([^<]*)</span><b>(\d+)</b><i style=\"width:([\d.]+)%", drawn) == [
        ("a/&lt;m&gt;", "2", "100.0"),
        ("b/m", "1", "50.0"),
        (NOBODY, "1", "50.0"),
    ]


def test_charts_of_nothing_are_empty() -> None:
    assert svg(latency_chart([], 100)).findall("circle") == []
    assert "<li>" not in distribution_chart([])
