"""Whatever the conversation, what is sent keeps to the rules by which Mistral refuses."""

from __future__ import annotations

import re
from copy import deepcopy
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from freellm_provider_mistral.messages import short_id, strict_messages

IDS = st.sampled_from(["call_1", "call_0123456789abcdef", "D681PevKs", "toolu-2", ""])
CALLS = st.lists(
    st.builds(lambda id_: {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}}, IDS),
    max_size=3,
    unique_by=lambda call: call["id"],
)
MESSAGES = st.lists(
    st.one_of(
        st.builds(
            lambda role, text: {"role": role, "content": text},
            st.sampled_from(["system", "user"]),
            st.text(max_size=3),
        ),
        st.builds(
            lambda text, calls: {
                "role": "assistant",
                "content": text,
                **({"tool_calls": calls} if calls else {}),
            },
            st.text(max_size=3),
            CALLS,
        ),
        st.builds(lambda id_: {"role": "tool", "tool_call_id": id_, "content": "1"}, IDS),
    ),
    min_size=1,
    max_size=8,
)

# What may follow what, the stricter one of Mistral's two rules: mistral-common and reports of 2025-08 to 2026-08.
FOLLOWS = {
    None: {"system", "user", "assistant"},
    "system": {"system", "user", "assistant"},
    "user": {"system", "user", "assistant"},
    "assistant": {"user", "assistant", "tool"},
    "tool": {"tool", "assistant"},
}


@given(MESSAGES)
def test_roles_are_in_order_and_calls_have_their_results(messages: list[dict[str, Any]]) -> None:
    before = deepcopy(messages)
    sent = strict_messages(messages)
    assert messages == before
    for first, second in pairwise([{"role": None}, *sent]):
        assert second["role"] in FOLLOWS[first["role"]]
    for place, message in enumerate(sent):
        if message["role"] == "assistant":
            assert message.get("content") or message.get("tool_calls")
            assert ("prefix" in message) == (place == len(sent) - 1)
        results = []
        for later in sent[place + 1 :]:
            if later["role"] != "tool":
                break
            results.append(later["tool_call_id"])
        if message["role"] != "tool":
            assert sorted(results) == sorted(call["id"] for call in message.get("tool_calls", ()))
    if sent and any(message["role"] == "user" for message in messages):
        assert sent[-1]["role"] != "system"


@given(st.text())
def test_an_id_is_nine_letters_and_digits_and_the_same_each_time(identifier: str) -> None:
    short = short_id(identifier)
    assert re.fullmatch(r"[A-Za-z0-9]{9}", short)
    assert short_id(identifier) == short == short_id(short)


def test_ids_differ() -> None:
    assert len({short_id(f"call_{number}") for number in range(10_000)}) == 10_000
