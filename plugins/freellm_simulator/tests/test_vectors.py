"""Simulated vectors: similar for similar texts, the same at every provider of a model, and apart for two models."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freellm_simulator.vectors import space_of, vector
from freellm_simulator.worlds import Facts

BGE = Facts(provider="cloudflare", id="@cf/baai/bge-m3", dimensions=(1024,))
SAME = Facts(provider="nvidia", id="baai/bge-m3", dimensions=(1024,))
OTHER = Facts(provider="cloudflare", id="@cf/qwen/qwen3-embedding-0.6b", dimensions=(1024,))

CORPUS = {
    "cats": "Cats purr when they are content, and sometimes when they are in pain.",
    "bread": "Sourdough bread needs a starter of wild yeast, flour and water.",
    "orbit": "A satellite in geostationary orbit turns with the Earth once a day.",
    "jazz": "Jazz began in New Orleans, where brass bands played at parades.",
}


def similarity(one: list[float], other: list[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths


@pytest.mark.parametrize("cut", [1024, 256, 128])
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Why do cats purr?", "cats"),
        ("How do I bake sourdough?", "bread"),
        ("What is a geostationary satellite?", "orbit"),
        ("Where did jazz begin?", "jazz"),
    ],
)
def test_a_question_is_nearest_to_the_text_that_answers_it(question: str, answer: str, cut: int) -> None:
    asked = vector(0, BGE, question, 1024)[:cut]
    found = {name: similarity(asked, vector(0, BGE, text, 1024)[:cut]) for name, text in CORPUS.items()}
    assert max(found, key=lambda name: found[name]) == answer


def test_one_model_has_one_space_at_all_its_providers_and_two_models_have_two() -> None:
    text = CORPUS["cats"]
    assert space_of(BGE) == space_of(SAME) == "bge-m3"
    assert vector(0, BGE, text, 1024) == vector(0, SAME, text, 1024)
    assert abs(similarity(vector(0, BGE, text, 1024), vector(0, OTHER, text, 1024))) < 0.2
    assert vector(0, BGE, text, 1024) != vector(1, BGE, text, 1024)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80), st.integers(1, 300))
def test_every_text_has_a_vector_of_length_one(text: str, dimensions: int) -> None:
    made = vector(0, BGE, text, dimensions)
    assert len(made) == dimensions
    assert math.hypot(*made) == pytest.approx(1)
    assert made == vector(0, BGE, text, dimensions)


def test_the_beginning_of_a_vector_is_the_shorter_one_but_for_its_length() -> None:
    text = CORPUS["bread"]
    assert similarity(vector(0, BGE, text, 1024)[:256], vector(0, BGE, text, 256)) == pytest.approx(1)
