"""No secret leaves in a text that came from outside."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from freellm.redaction import MOST, redact, without_keys
from freellm.secret import Secret

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
SECRETS = st.lists(st.text(LETTERS, min_size=4, max_size=60), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: sk-proj-abc123DEF456.", "Incorrect API key provided: ***."),
        ("gsk_0123456789abcdefghij is invalid", "*** is invalid"),
        ("header was 'Authorization: Bearer abcdef123456'", "header was 'Authorization: ***'"),
        ("basic dXNlcjpwYXNzd29yZA== refused", "*** refused"),
        ("API key not valid: AIzaSyA0123456789abcdefghijklmno", "API key not valid: ***"),
        ("https://host/v1?alt=sse&key=abc123&x=1", "https://host/v1?alt=sse&key=***&x=1"),
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl expired", "token *** expired"),
        ("fl-AbCdEf123456 is the unified key", "*** is the unified key"),
        ("hf_AbCdEfGhIj nvapi-AbCdEfGh xai-AbCdEfGh csk-AbCdEfGh", "*** *** *** ***"),
        ("ghp_AbCdEfGh github_pat_11AAAA22", "*** ***"),
    ],
)
def test_what_looks_like_a_key_is_taken_out(text: str, shown: str) -> None:
    assert redact(text) == without_keys(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "the task-runner asked for risk-averse models",
        "model 'llama-3.3-70b-versatile' does not exist",
        "Rate limit reached for gpt-oss-120b: Limit 8000, Used 7900, Requested 512. Try again in 3.09s.",
        "maximum context length is 131072 tokens",
        "basic plan required",
        "the bearer of bad news",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@given(SECRETS, st.data())
def test_no_secret_that_was_sent_is_in_the_text(values: list[str], data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.one_of(st.sampled_from(values), st.text(max_size=10)), max_size=12))
    shown = redact(data.draw(st.sampled_from([" ", "", ": "])).join(pieces), map(Secret, values))
    assert not any(value in shown for value in values)


def test_a_secret_that_is_part_of_another_does_not_give_the_rest_away() -> None:
    for order in (("abcd", "abcdefgh"), ("abcdefgh", "abcd")):
        assert redact("got abcdefgh and abcd", map(Secret, order)) == "got *** and ***"


def test_a_secret_longer_than_what_is_shown_is_taken_out_before_the_text_is_cut() -> None:
    secret = "S3cret" * 400
    assert redact(f"{'x ' * 140}{secret} wrong", [Secret(secret)]).endswith("x *** wrong")


def test_secrets_too_short_to_be_secrets_are_left_alone() -> None:
    assert redact("a model", [Secret("a"), Secret(""), Secret("ode")]) == "a model"


@given(st.text(max_size=2_000))
def test_a_text_becomes_one_line_of_at_most_300_characters(text: str) -> None:
    shown = redact(text)
    assert len(shown) <= MOST == 300
    assert shown == " ".join(shown.split())


@given(st.text(max_size=2_000))
def test_a_text_without_keys_has_none_the_second_time(text: str) -> None:
    assume("***" not in text)
    assert without_keys(without_keys(text)) == without_keys(text)


def test_a_text_that_was_cut_says_so() -> None:
    assert redact("word " * 100).endswith("…")
    assert not redact("word " * 60).endswith("…")
