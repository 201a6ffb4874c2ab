"""OpenRouter's fields: what each may hold, and what a wrong value is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.errors import RequestError
from freellm.preferences import Filter, Preferences
from freellm.surfaces.openai.preferring import preferences_of


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, None),
        ({"models": None, "provider": None}, None),
        ({"models": [], "provider": {}}, None),
        ({"provider": {"only": None, "sort": "price", "allow_fallbacks": True, "max_price": {"prompt": 0}}}, None),
        ({"models": ["a", "b", "a"]}, Preferences(models=("a", "b"))),
        ({"provider": {"order": ["One", "two"]}}, Preferences(order=("one", "two"))),
        ({"provider": {"only": ["ONE"], "ignore": ["two"]}},
         Preferences(allowed=Filter("provider", only=("one",), ignore=("two",)))),
        ({"provider": {"data_collection": "deny"}}, Preferences(allowed=Filter("provider", private=True))),
        ({"provider": {"data_collection": "allow"}}, None),
        ({"provider": {"sort": "throughput"}}, Preferences(strategy="throughput")),
        ({"provider": {"sort": {"by": "latency", "partition": "none"}}}, Preferences(strategy="latency")),
        ({"provider": {"require_parameters": True}}, Preferences(all_parameters=True)),
        ({"provider": {"allow_fallbacks": False}}, Preferences(fallbacks=False)),
        ({"provider": {"quantizations": ["fp8"], "preferred_max_latency": 2, "zdr": False}}, None),
        ({"provider": {"max_price": 0}}, None),
        ({"provider": {"max_price": {"completion": "2.5", "image": None}}}, None),
    ],
)  # fmt: skip
def test_what_a_body_says(raw: dict[str, Any], expected: Preferences | None) -> None:
    assert preferences_of(raw) == expected


@pytest.mark.parametrize(
    ("raw", "param", "cure"),
    [
        ({"models": "a"}, "models", "a list of at most 100 names"),
        ({"models": [1]}, "models", "a list of at most 100 names"),
        ({"models": [""]}, "models", "of 1 to 200 characters"),
        ({"models": ["a"] * 101}, "models", "a list of at most 100 names"),
        ({"provider": "groq"}, "provider", "an object such as"),
        ({"provider": {"onyl": ["one"]}}, "provider.onyl", "did you mean only?"),
        ({"provider": {"zebra": 1}}, "provider.zebra", "there are order, only"),
        ({"provider": {"order": "one"}}, "provider.order", "a list"),
        ({"provider": {"only": [None]}}, "provider.only", "a list"),
        ({"provider": {"ignore": {}}}, "provider.ignore", "a list"),
        ({"provider": {"sort": "speed"}}, "provider.sort", "one of price, throughput, latency"),
        ({"provider": {"sort": []}}, "provider.sort", "one of price"),
        ({"provider": {"sort": {"by": 1}}}, "provider.sort", "one of price"),
        ({"provider": {"require_parameters": "yes"}}, "provider.require_parameters", "true or false"),
        ({"provider": {"allow_fallbacks": 0}}, "provider.allow_fallbacks", "true or false"),
        ({"provider": {"data_collection": "no"}}, "provider.data_collection", "allow or deny"),
        ({"provider": {"data_collection": ["deny"]}}, "provider.data_collection", "allow or deny"),
        ({"provider": {"max_price": -1}}, "provider.max_price", "a number of 0 or more"),
        ({"provider": {"max_price": {"prompt": "cheap"}}}, "provider.max_price", "a number of 0 or more"),
        ({"provider": {"max_price": {"tokens": 1}}}, "provider.max_price", "prompt, completion"),
        ({"provider": {"max_price": {"prompt": True}}}, "provider.max_price", "a number"),
        ({"provider": {"max_price": {"prompt": "nan"}}}, "provider.max_price", "a number"),
        ({"provider": {"zdr": True}}, "provider.zdr", "data_collection deny is near it"),
    ],
)
def test_a_wrong_value_names_its_field_and_the_cure(raw: dict[str, Any], param: str, cure: str) -> None:
    with pytest.raises(RequestError) as caught:
        preferences_of(raw)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert cure in caught.value.message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(
    [
        "order",
        "only",
        "ignore",
        "sort",
        "require_parameters",
        "data_collection",
        "allow_fallbacks",
        "max_price",
    ]
)


def outcome(raw: dict[str, Any]) -> Preferences | RequestError | None:
    try:
        return preferences_of(raw)
    except RequestError as error:
        return error


@given(st.fixed_dictionaries({"models": ANYTHING, "provider": ANYTHING | st.dictionaries(MEMBERS, ANYTHING)}))
def test_anything_is_either_understood_or_refused(raw: dict[str, Any]) -> None:
    understood = outcome(raw)
    if isinstance(understood, RequestError):
        assert understood.status == 400
        assert (understood.param or "").startswith(("models", "provider"))
    else:
        assert understood is None or hash(understood) == hash(preferences_of(raw))
