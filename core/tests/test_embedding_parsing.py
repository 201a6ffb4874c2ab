"""What an embeddings request may be, and what is said about one that is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm.errors import RequestError
from freellm.surfaces.openai.embedding_parsing import MOST_INPUTS, parse_embeddings
from freellm.surfaces.openai.embeddings import sizes_of


def parsed(**body: Any) -> Any:
    return parse_embeddings(json.dumps(body).encode())


def refused(**body: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parsed(**body)
    return caught.value


@pytest.mark.parametrize(
    ("given_", "inputs"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [[1, 2]]),
        ([[1, 2], [3]], [[1, 2], [3]]),
        (" ", [" "]),
        (["a"] * MOST_INPUTS, ["a"] * MOST_INPUTS),
        ([7] * (MOST_INPUTS + 1), [[7] * (MOST_INPUTS + 1)]),
    ],
)
def test_all_four_forms_of_input_are_lists_of_inputs(given_: Any, inputs: Any) -> None:
    assert parsed(input=given_).request.inputs == inputs


def test_what_core_reads_itself_is_no_parameter_and_nulls_count_as_left_out() -> None:
    found = parsed(
        model="m", input="a", dimensions=8, encoding_format="base64", user="u", input_type="query", seed=None
    )
    assert (found.model, found.request.dimensions, found.encoding) == ("m", 8, "base64")
    assert found.request.parameters == {"user": "u", "input_type": "query"}
    plain = parsed(input="a", model=None, dimensions=None, encoding_format=None)
    assert (plain.model, plain.request.dimensions, plain.encoding) == ("auto", None, "float")


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({}, "input", "a string, a list of strings"),
        ({"input": None}, "input", "a string, a list of strings"),
        ({"input": 7}, "input", "a string, a list of strings"),
        ({"input": {"text": "a"}}, "input", "a string, a list of strings"),
        ({"input": ""}, "input", "is empty"),
        ({"input": []}, "input", "is empty"),
        ({"input": ["a", ""]}, "input[1]", "is empty"),
        ({"input": ["a", 1]}, "input[1]", "a string"),
        ({"input": [1, "a"]}, "input[1]", "a token id"),
        ({"input": [1, -1]}, "input[1]", "a token id"),
        ({"input": [True]}, "input[0]", "a string or a list of token ids"),
        ({"input": [1, True]}, "input[1]", "a token id"),
        ({"input": [1.5]}, "input[0]", "a string or a list of token ids"),
        ({"input": [[1], []]}, "input[1]", "is empty"),
        ({"input": [[1], "a"]}, "input[1]", "a string or a list of token ids"),
        ({"input": [[1, "a"]]}, "input[0][1]", "a token id"),
        ({"input": [None]}, "input[0]", "a string or a list of token ids"),
        ({"input": ["a"] * (MOST_INPUTS + 1)}, "input", "at most 2048"),
        ({"input": "a", "dimensions": 0}, "dimensions", "a whole number"),
        ({"input": "a", "dimensions": "8"}, "dimensions", "a whole number"),
        ({"input": "a", "dimensions": True}, "dimensions", "a whole number"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "float, base64"),
        ({"input": "a", "user": 7}, "user", "a string"),
        ({"input": "a", "model": 7}, "model", "a model's name"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_expected(body: Any, param: str, words: str) -> None:
    error = refused(**body)
    assert (error.status, error.param) == (400, param)
    assert words in error.message


def attempt(**body: Any) -> Any:
    try:
        return parsed(**body)
    except RequestError as error:
        return error


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=12,
)


@given(JSON, JSON)
def test_whatever_the_input_is_it_is_read_or_refused(given_: Any, dimensions: Any) -> None:
    found = attempt(input=given_, dimensions=dimensions)
    if isinstance(found, RequestError):
        assert found.status == 400
        assert (found.param or "").startswith(("input", "dimensions"))
    else:
        assert len(found.request.inputs) == len(sizes_of(found.request)) >= 1
        assert all(size >= 1 for size in sizes_of(found.request))
