"""Opaque state comes back to the route that gave it, for a while."""

from __future__ import annotations

from freellm.gateway.kept import MOST, TTL, Kept

NOW = 1_800_000_000.0


def test_state_comes_back_for_the_tool_calls_that_are_asked_for() -> None:
    kept = Kept()
    kept.keep("lab/m", {"call_1": "one", "call_2": {"two": 2}}, NOW)
    assert kept.find("lab/m", ["call_2", "call_1", "call_3"], NOW) == {"call_1": "one", "call_2": {"two": 2}}
    assert kept.find("lab/m", [], NOW) == {}


def test_another_model_and_another_provider_get_nothing() -> None:
    kept = Kept()
    kept.keep("lab/m", {"call_1": "one"}, NOW)
    assert kept.find("lab/n", ["call_1"], NOW) == kept.find("law/m", ["call_1"], NOW) == {}


def test_state_is_kept_for_half_an_hour_after_it_was_given_last() -> None:
    kept = Kept()
    kept.keep("lab/m", {"call_1": "old"}, NOW)
    assert kept.find("lab/m", ["call_1"], NOW + TTL - 1) == {"call_1": "old"}
    assert kept.find("lab/m", ["call_1"], NOW + TTL) == {}
    kept.keep("lab/m", {"call_1": "new"}, NOW + TTL)
    assert kept.find("lab/m", ["call_1"], NOW + 2 * TTL - 1) == {"call_1": "new"}
    assert TTL == 1_800


def test_the_oldest_state_goes_first_when_there_is_too_much() -> None:
    kept = Kept()
    kept.keep("lab/m", {f"call_{number}": number for number in range(MOST)}, NOW)
    kept.keep("lab/m", {"call_0": "again"}, NOW)
    kept.keep("lab/n", {"call_new": "new"}, NOW)
    assert kept.find("lab/m", ["call_0", "call_1", "call_2"], NOW) == {"call_0": "again", "call_2": 2}
    assert kept.find("lab/n", ["call_new"], NOW) == {"call_new": "new"}
    assert MOST == 10_000
