"""Token estimates and what usage teaches about them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.tokens import IMAGE, PER_MESSAGE, PER_REPLY, Corrections, estimate, estimate_messages


@pytest.mark.parametrize(
    ("text", "per_character"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 9, (0.2, 0.3)),
        ("def add(a, b):\n    return a + b\n" * 9, (0.2, 0.3)),
        ("3.14159,2.71828,1.41421\n" * 40, (0.33, 0.55)),
        ("Größe, café, señor, naïve: déjà vu à l'œuvre. ", (0.25, 0.3)),
        ("Быстрая коричневая лиса прыгает через ленивую собаку. ", (0.33, 0.45)),
        ("Γρήγορη καφέ αλεπού πηδάει πάνω από το σκυλί. ", (0.35, 0.5)),
        ("الثعلب البني السريع يقفز فوق الكلب الكسول. ", (0.35, 0.5)),
        ("तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है। ", (0.45, 0.65)),
        ("敏捷的棕色狐狸跳过了懒狗。", (0.9, 1.2)),
        ("すばやい茶色の狐はのろまな犬を飛び越える。", (0.9, 1.2)),
        ("빠른갈색여우가게으른개를뛰어넘는다", (0.9, 1.2)),
        ("😀🎉🚀", (1.5, 2.5)),
    ],
)
def test_a_text_is_estimated_by_its_script(text: str, per_character: tuple[float, float]) -> None:
    low, high = per_character
    assert low <= estimate(text) / len(text) <= high


@given(st.text(st.characters()), st.text(st.characters()))
def test_an_estimate_is_the_sum_of_its_parts_and_bounded(one: str, other: str) -> None:
    both = estimate(one + other)
    assert both == pytest.approx(estimate(one) + estimate(other), abs=0.26 * max(1, len(one + other)))
    assert len(one + other) * 0.25 <= both <= len(one + other) * 2


def test_half_a_surrogate_pair_is_estimated_like_any_other_text() -> None:
    assert estimate("ok \ud83d") > 0
    assert estimate("\ud83d" * 600) > 0


def test_an_empty_text_takes_nothing() -> None:
    assert estimate("") == 0


@pytest.mark.parametrize(
    ("message", "tokens"),
    [
        ({"role": "user", "content": "x" * 40}, 10),
        ({"role": "user", "content": None}, 0),
        ({"role": "user"}, 0),
        ({"role": "user", "content": [{"type": "text", "text": "x" * 40}]}, 10),
        ({"role": "assistant", "content": [{"type": "refusal", "refusal": "x" * 40}]}, 10),
        (
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "data:" + "A" * 90_000}}],
            },
            IMAGE,
        ),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "A" * 90_000}}]},
            IMAGE,
        ),
        (
            {
                "role": "assistant",
                "tool_calls": [{"id": "1", "function": {"name": "f" * 8, "arguments": "x" * 32}}],
            },
            18,
        ),
    ],
)
def test_a_message_takes_its_text_a_flat_figure_for_images_and_an_overhead(
    message: dict[str, Any], tokens: int
) -> None:
    assert estimate_messages([message]) == PER_REPLY + PER_MESSAGE + tokens


def test_tool_definitions_take_what_their_json_takes() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "d" * 400}}]
    more = estimate_messages([], tools) - estimate_messages([])
    assert 100 <= more <= 130


@pytest.mark.parametrize("text", ["x" * 100_000, "狐" * 33_333, "лиса" * 12_500, "1,2;" * 25_000])
def test_a_hundred_kilobytes_are_estimated_in_a_few_milliseconds_at_most(text: str) -> None:
    """The budget is a millisecond; the test allows for a busy machine."""
    messages = [{"role": "user", "content": text}]
    best = min(_seconds(messages) for _ in range(5))
    assert best < 0.005


def _seconds(messages: list[dict[str, Any]]) -> float:
    start = time.process_time()
    estimate_messages(messages)
    return time.process_time() - start


def test_an_estimate_follows_what_a_model_reports() -> None:
    corrections = Corrections()
    for _ in range(100):
        corrections.observe("m", 100, 150, None)
    assert corrections.correct("m", 1_000) == pytest.approx(1_500, rel=0.01)
    assert corrections.correct("other", 1_000) == 1_000


def test_as_much_more_is_reserved_as_estimates_are_usually_off() -> None:
    steady, unsteady = Corrections(), Corrections()
    for number in range(200):
        steady.observe("a", 1_000, 700, None)
        unsteady.observe("a", 1_000, 600 + 200 * (number % 2), None)
    assert steady.correct("a", 1_000) == pytest.approx(steady.reserve("a", 1_000), abs=1) == 701
    assert unsteady.correct("a", 1_000) == pytest.approx(700, abs=11)
    assert unsteady.reserve("a", 1_000) == pytest.approx(900, abs=20)
    assert unsteady.at_least("a", 1_000) == pytest.approx(600, abs=20)
    assert steady.at_least("a", 1_000) == pytest.approx(700, abs=1)
    assert steady.reserve("unknown", 1_000) == steady.at_least("unknown", 1_000) == 1_000


def test_one_odd_answer_moves_a_correction_little_and_none_moves_it_out_of_bounds() -> None:
    corrections = Corrections()
    corrections.observe("m", 100, 1_000_000, None)
    assert corrections.correct("m", 1_000) <= 1_301
    for _ in range(200):
        corrections.observe("m", 100, 1_000_000, None)
    assert corrections.correct("m", 1_000) <= 4_000
    for _ in range(200):
        corrections.observe("m", 1_000, 1, None)
    assert corrections.correct("m", 1_000) >= 250


def test_tiny_prompts_and_missing_usage_teach_nothing() -> None:
    corrections = Corrections()
    corrections.observe("m", 10, 90, None)
    corrections.observe("m", 100, None, None)
    corrections.observe("m", 100, 0, None)
    assert corrections.correct("m", 1_000) == 1_000


@pytest.mark.parametrize(
    ("stated_max", "model_max", "expected"),
    [(None, None, 512), (100, None, 100), (4_000, 256, 256), (4_000, 8_000, 512), (0, None, 0)],
)
def test_512_tokens_of_output_are_expected_of_an_unknown_model(
    stated_max: int | None, model_max: int | None, expected: int
) -> None:
    corrections = Corrections()
    for _ in range(19):
        corrections.observe("m", 100, 100, 7)
    assert corrections.expected_output("m", stated_max, model_max) == expected
    assert corrections.expected_output("never met", stated_max, model_max) == expected


def test_twenty_answers_tell_the_usual_output() -> None:
    corrections = Corrections()
    for output in range(1, 21):
        corrections.observe("m", 100, 100, output * 100)
    assert corrections.expected_output("m", None, None) == 1_800
    assert corrections.expected_output("m", None, None, least=True) == 1_500
    assert corrections.expected_output("m", 300, None) == 300
    assert corrections.expected_output("m", None, 1_000) == 1_000


@pytest.mark.parametrize(("outputs", "least"), [([10], 10), ([600] * 5 + [10] * 15, 512), ([600], 600)])
def test_the_least_room_is_that_of_three_in_four_answers_and_512_tokens(
    outputs: list[int], least: int
) -> None:
    corrections = Corrections()
    for output in outputs * 20:
        corrections.observe("m", 100, 100, output)
    assert corrections.expected_output("m", None, None, least=True) == least


def test_only_the_last_two_hundred_answers_count() -> None:
    corrections = Corrections()
    for output in [5_000] * 200 + [10] * 200:
        corrections.observe("m", 100, 100, output)
    assert corrections.expected_output("m", None, None) == 10


@given(st.lists(st.integers(0, 10_000), min_size=20, max_size=450))
def test_the_usual_output_is_the_ninth_decile_of_the_last_answers(outputs: list[int]) -> None:
    corrections = Corrections()
    for output in outputs:
        corrections.observe("m", 100, 100, output)
    last = sorted(outputs[-200:])
    expected = corrections.expected_output("m", None, None)
    assert sum(output <= expected for output in last) >= 0.9 * len(last)
    assert sum(output < expected for output in last) < 0.9 * len(last)


def test_models_that_come_and_go_do_not_fill_the_memory() -> None:
    corrections = Corrections()
    for number in range(5_000):
        corrections.observe(f"m{number}", 100, 350, 10)
    assert corrections.correct("m0", 100) == 100
    assert corrections.correct("m4999", 100) == 125
