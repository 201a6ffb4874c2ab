import re

from freellm.measuring import Hop, Passed, Result
from freellm_tester import showing
from freellm_tester.proxy import Exchange

STRANGE = "<script>alert('x')</script>"


def ended(asked: str = "m", text: str = "", **fields: object) -> Exchange:
    exchange = Exchange(asked)
    exchange.ended, exchange.head, exchange.reading.text = True, "HTTP/1.1 200 OK", text
    for name, value in fields.items():
        setattr(exchange.reading.result, name, value)
    return exchange


def facts_of(drawn: str) -> dict[str, str]:
    """Return the names and values of cards."""
    return dict(re.findall(r"<span>([^<]*)</span><b>([^<]*)</b>", drawn))


def test_the_cards_of_an_answer_say_who_and_how_fast() -> None:
    exchange = ended(model="groq/m", attempts=2, ms=2_000.0)
    exchange.reading.first_delta_ms, exchange.reading.tokens_in, exchange.reading.tokens_out = (
        512.0,
        12,
        1_234,
    )
    assert facts_of(showing.answer_cards(exchange)) == {
        "X-Routed-Via": "groq/m",
        "X-Fallback-Attempts": "2",
        "first piece": "0.51 s",
        "whole answer": "2.00 s",
        "tokens in / out": "12 / 1,234",
        "tokens/s": "617.0",
    }


def test_of_an_answer_that_has_not_come_nothing_is_said() -> None:
    assert set(facts_of(showing.answer_cards(Exchange("auto"))).values()) == {"—", "— / —"}


def test_an_answer_is_its_text_or_why_there_is_none() -> None:
    assert showing.answer_text(ended(text="Hello")) == "Hello"
    assert showing.answer_text(ended()) == "(no text)"
    failed = ended(text="Hel", error="network", message="the stream was cut", status=200)
    assert showing.answer_text(failed) == "Hel\n\nfailed: network: the stream was cut"
    refused = ended(error="model_not_found", message="no such model", status=404)
    assert showing.answer_text(refused) == "failed: model_not_found (status 404): no such model"
    thinking = ended()
    thinking.reading.reasoning = "hm"
    assert showing.answer_text(thinking) == "(no text, but reasoning:)\n\nhm"
    assert showing.answer_text(Exchange("m")) == ""


def test_the_cards_of_a_stress_test_are_its_figures() -> None:
    results = [
        Result(number=1, status=200, model="a/m", ms=100.0),
        Result(number=2, status=200, model="b/m", ms=300.0, attempts=1, trail=[Hop("a/m", "rate_limited")]),
        Result(number=3, status=429, error="all_routes_exhausted"),
    ]
    drawn = showing.stress_cards(results, 10)
    assert facts_of(drawn) == {
        "requests": "3 of 10",
        "success rate": "66.7%",
        "client-facing 429s": "1",
        "upstream 429s": "1",
        "without fallback": "2 of 3",
        "latency, median": "0.10 s",
        "latency, 95 %": "0.30 s",
    }
    assert 'class="card bad"><span>success rate' in drawn
    assert facts_of(showing.stress_cards([], 10))["success rate"] == "—"


def test_the_phases_are_those_of_the_stress_test() -> None:
    second = Result(number=3, status=200, model="b/m", passed_over=[Passed("a/m", "quota", "all used")])
    results = [*(Result(number=n, status=200, model="a/m") for n in (1, 2)), second]
    assert showing.phase_rows(results) == [
        ["Phase 1", "1-2", "a/m", "first choice"],
        ["Phase 2", "3", "b/m", "a/m: all used"],
    ]


def test_models_side_by_side_are_rows_and_columns() -> None:
    exchanges = [
        ended("a", "first", model="p/a", ms=1000.0),
        ended("b", error="x", message="y"),
        Exchange("c"),
    ]
    rows = showing.compared_rows(exchanges)
    assert [row[:4] for row in rows] == [
        ["a", "p/a", "—", "1.00 s"],
        ["b", "failed", "—", "0.00 s"],
        ["c", "—", "—", "—"],
    ]
    assert all(len(row) == len(showing.COMPARED) for row in rows)
    drawn = showing.answers_abreast(exchanges)
    assert re.findall(r'<article class="([^"]*)"><h3>(\w)</h3>', drawn) == [
        ("", "a"),
        ("bad", "b"),
        (" waiting", "c"),
    ]


def test_what_others_said_is_no_markup() -> None:
    exchange = ended(STRANGE, STRANGE, model=STRANGE)
    for drawn in (
        showing.answer_cards(exchange),
        showing.answers_abreast([exchange]),
        showing.notice(STRANGE),
        showing.cards([(STRANGE, STRANGE)]),
    ):
        assert "<script" not in drawn
        assert "&lt;script&gt;" in drawn


def test_models_that_do_not_chat_are_not_offered() -> None:
    rows = [{"id": "a", "x_freellm": {"task": "chat"}}, {"id": "b", "x_freellm": {"task": "embeddings"}}]
    assert showing.chatting(rows) == rows[:1]


def test_a_closed_model_says_why() -> None:
    rows = [
        {"id": "a", "owned_by": "p", "x_freellm": {"available": True, "reason": None}},
        {"id": "b", "owned_by": "q", "x_freellm": {"available": False, "reason": "all used"}},
        {"id": "c", "owned_by": "q", "x_freellm": {"available": False, "reason": None}},
        {"id": "auto", "owned_by": "freellm", "x_freellm": {"available": True, "reason": None}},
    ]
    assert showing.choices(rows)[:3] == [
        ("a", "a"),
        ("b (closed: all used)", "b"),
        ("c (closed: no route is open)", "c"),
    ]
    assert "http://x: 3 models of 2 providers, 1 of them open at the moment" in showing.state_of(
        "http://x", rows
    )
    assert "freellm keys add PROVIDER" in showing.state_of("http://x", [])
