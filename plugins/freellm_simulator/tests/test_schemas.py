import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freellm_simulator.exchange import dice
from freellm_simulator.patterns import matching
from freellm_simulator.scalars import Hints, UnsatisfiableError
from freellm_simulator.schemas import instance

KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def problem(value: Any, schema: Any, root: Any) -> str | None:
    """Validate as JSON Schema 2020-12 says, for the keywords that the tests use."""
    if isinstance(schema, bool):
        return None if schema else "nothing is allowed here"
    if "$ref" in schema:
        node = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        return problem(value, node, root)
    checks = [
        ("const" not in schema or value == schema["const"], "const"),
        ("enum" not in schema or value in schema["enum"], "enum"),
        ("anyOf" not in schema or any(not problem(value, s, root) for s in schema["anyOf"]), "anyOf"),
        (all(not problem(value, s, root) for s in schema.get("allOf", ())), "allOf"),
        ("type" not in schema or any(_is(value, kind) for kind in _listed(schema["type"])), "type"),
    ]
    checks += _checks_by_type(value, schema, root)
    return next((f"{value!r} breaks {name} of {schema!r}" for fine, name in checks if not fine), None)


def _checks_by_type(value: Any, schema: Any, root: Any) -> list[tuple[Any, str]]:
    if isinstance(value, str):
        return [
            (len(value) >= schema.get("minLength", 0), "minLength"),
            (len(value) <= schema.get("maxLength", math.inf), "maxLength"),
            ("pattern" not in schema or re.search(schema["pattern"], value), "pattern"),
        ]
    if isinstance(value, int | float) and not isinstance(value, bool):
        step = schema.get("multipleOf")
        return [
            (schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf), "bounds"),
            (value > schema.get("exclusiveMinimum", -math.inf), "exclusiveMinimum"),
            (value < schema.get("exclusiveMaximum", math.inf), "exclusiveMaximum"),
            (not step or value % step == 0, "multipleOf"),
        ]
    if isinstance(value, list):
        prefix = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        parts = [(v, prefix[at] if at < len(prefix) else rest) for at, v in enumerate(value)]
        return [
            (schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf), "length"),
            (
                not schema.get("uniqueItems") or all(v not in value[:at] for at, v in enumerate(value)),
                "unique",
            ),
            (all(not problem(v, part, root) for v, part in parts), "items"),
        ]
    if isinstance(value, dict):
        known, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
        return [
            (all(name in value for name in schema.get("required", ())), "required"),
            (len(value) >= schema.get("minProperties", 0), "minProperties"),
            (all(not problem(v, known.get(name, extra), root) for name, v in value.items()), "properties"),
        ]
    return []


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]


def _listed(kind: Any) -> list[str]:
    return kind if isinstance(kind, list) else [kind]


def _bounded(draw: Any, low: str, high: str, most: int) -> dict[str, int]:
    least = draw(st.none() | st.integers(0, most))
    room = draw(st.none() | st.integers(least or 0, most + 3))
    return {name: value for name, value in ((low, least), (high, room)) if value is not None}


@st.composite
def strings(draw: Any) -> Any:
    return {"type": "string", **_bounded(draw, "minLength", "maxLength", 30)}


@st.composite
def integers(draw: Any) -> Any:
    low = draw(st.integers(-50, 50))
    schema: dict[str, Any] = {"type": draw(st.sampled_from(["integer", "number"]))}
    schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + draw(st.integers(14, 60))
    if draw(st.booleans()):
        schema["multipleOf"] = draw(st.sampled_from([1, 2, 5, 7]))
    return schema


LEAVES = st.one_of(
    strings(),
    integers(),
    st.just({"type": "boolean"}),
    st.just({"type": ["string", "null"]}),
    st.just({"enum": ["red", "green", 3, None]}),
    st.just({"const": {"fixed": [1]}}),
    st.just({"$ref": "#/$defs/node"}),
    st.sampled_from(["^[A-Z]{3}-\\d{2,4}$", "^(?:a|bc)+$", "^\\w+@\\w+\\.com$", "[^a-z]x?"]).map(
        lambda pattern: {"type": "string", "pattern": pattern}
    ),
)


@st.composite
def arrays(draw: Any, items: Any) -> Any:
    schema = {"type": "array", "items": draw(items), **_bounded(draw, "minItems", "maxItems", 4)}
    if draw(st.booleans()):
        schema["prefixItems"] = [draw(items), draw(items)]
    return schema


@st.composite
def objects(draw: Any, parts: Any) -> Any:
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=5))
    schema: dict[str, Any] = {"type": "object", "properties": {name: draw(parts) for name in names}}
    if names:
        schema["required"] = draw(st.lists(st.sampled_from(names), unique=True))
    if draw(st.booleans()):
        schema["additionalProperties"] = False
    return schema


SCHEMAS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        arrays(parts),
        objects(parts),
        st.lists(parts, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        objects(parts).map(lambda part: {"allOf": [part, {"type": "object", "required": ["also"]}]}),
    ),
    max_leaves=8,
)
NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
    },
    "required": ["name", "next", "children"],
}


@given(schema=SCHEMAS, seed=st.integers(0, 1000))
def test_an_instance_validates_against_its_schema(schema: Any, seed: int) -> None:
    root = {**schema, "$defs": {"node": NODE}}
    try:
        value = instance(root, dice(seed), Hints("Is it red in Rome?", ("Rome",), (7.0,)))
    except UnsatisfiableError:
        # allOf may ask for a member that additionalProperties forbids, and for nothing else here.
        assert "allOf" in str(schema)
        return
    forbidden = "allOf" in str(schema) and "'additionalProperties': False" in str(schema)
    assert forbidden or problem(value, root, root) is None


def test_unique_items_differ() -> None:
    for items in ({"type": "integer", "minimum": 5}, {"type": "string"}, {"enum": ["a", "b", "c"]}):
        schema = {"type": "array", "items": items, "minItems": 3, "uniqueItems": True}
        assert problem(instance(schema, dice(1)), schema, schema) is None


def test_what_cannot_be_satisfied_is_said_to_be_so() -> None:
    endless = {
        "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}}
    }
    for schema in (
        {**endless, "$ref": "#/$defs/a"},
        {"$ref": "#/nowhere"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": True},
    ):
        with pytest.raises(UnsatisfiableError):
            instance(schema, dice(0))


def test_values_come_from_the_prompt_where_they_fit() -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "maximum": 10},
            "query": {"type": "string"},
        },
    }
    hints = Hints("Rome in Fahrenheit for 3 days", ("Rome",), (3.0,))
    value = instance(schema, dice(0), hints)
    assert value == {"city": "Rome", "unit": "fahrenheit", "days": 3, "query": hints.text}


def test_gemini_s_capital_types_are_types() -> None:
    assert instance({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}, dice(0)) == {"n": 1}


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{4}-\d{2}-\d{2}$",
        r"^[a-zA-Z_][\w.-]{0,5}$",
        r"^(foo|ba[rz]){2,3}\s\S+$",
        r"a?b*c+\.",
        r"[\d\-x]+",
        r"^$",
    ],
)
def test_a_text_matches_its_pattern(pattern: str) -> None:
    for seed in range(20):
        text = matching(pattern, dice(seed))
        assert text is not None
        assert re.search(pattern, text)


@pytest.mark.parametrize("pattern", [r"(?=x)y", r"(a)\1", r"[", r"(", r"\p{L}", r"a)b"])
def test_a_pattern_beyond_reach_yields_nothing(pattern: str) -> None:
    assert matching(pattern, dice(0)) is None
