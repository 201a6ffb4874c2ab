import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freellm_provider_google.schemas import clean

ALLOWED = {
    "type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems", "minLength",
    "maxLength", "pattern", "minProperties", "maxProperties", "properties", "propertyOrdering", "required", "minimum",
    "maximum", "anyOf", "default", "example",
}  # fmt: skip
TYPES = {"string", "number", "integer", "boolean", "array", "object"}
FORMATS = {"string": {"enum", "date-time"}, "number": {"float", "double"}, "integer": {"int32", "int64"}}

names = st.sampled_from(["a", "b", "c", "type", "$ref", ""])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-5, 5)
    | st.sampled_from(["", "x", "date-time"])
)
references = st.sampled_from(
    [
        "#",
        "#/$defs/a",
        "#/$defs/b",
        "#/definitions/a",
        "#/nowhere",
        "https://example.com/x",
        "#/$defs/a/properties/b",
    ]
)
type_names = st.sampled_from([*sorted(TYPES), "null", "STRING", "any"])
plain_keywords = {
    "type": type_names | st.lists(type_names, max_size=3) | scalars,
    "$ref": references,
    "enum": st.lists(scalars | st.lists(scalars, max_size=1), max_size=4),
    "const": scalars,
    "default": scalars,
    "format": st.sampled_from(["date-time", "uri", "int32", "double", "enum"]) | scalars,
    "required": st.lists(names, max_size=3) | st.booleans(),
    "propertyOrdering": st.lists(names, max_size=3),
    "title": scalars,
    "description": scalars,
    "nullable": scalars,
    **dict.fromkeys(
        ("minimum", "maxLength", "minItems", "maxProperties", "pattern", "exclusiveMinimum"), scalars
    ),
    **dict.fromkeys(
        ("additionalProperties", "uniqueItems", "deprecated", "x-note", "$comment", "$schema"), scalars
    ),
}


def _schema_of(keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of a few of the keywords: an optional field for each of them all would take a second to draw."""
    members = [st.tuples(st.just(name), values) for name, values in keywords.items()]
    return st.lists(st.one_of(members), max_size=5).map(dict)


def _nest(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists, maps = st.lists(children, max_size=3), st.dictionaries(names, children, max_size=3)
    nested = {
        **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), lists),
        **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions"), maps),
        **dict.fromkeys(("not", "if", "then", "contains"), children),
        "items": children | lists,
    }
    return _schema_of(plain_keywords) | _schema_of({**plain_keywords, **nested}) | _schema_of(nested)


schemas = st.recursive(st.booleans() | _schema_of(plain_keywords), _nest, max_leaves=10)
maps = st.dictionaries(names, schemas, max_size=3)
roots = st.builds(
    lambda own, properties, definitions: {**own, "properties": properties, "$defs": definitions},
    _schema_of({"$ref": references, **dict.fromkeys(("anyOf", "allOf"), st.lists(schemas, max_size=3))}),
    maps,
    maps,
)


def check_node(node: dict[str, Any]) -> None:
    """Assert what the service asks of every schema in the OpenAPI subset."""
    assert node.keys() <= ALLOWED
    assert ("anyOf" in node) != ("type" in node)
    assert len(node.get("anyOf", ["", ""])) > 1
    type_ = node.get("type", "anyOf")
    assert type_ == "anyOf" or type_ in TYPES
    assert all(isinstance(member, str) and member for member in node.get("enum", ()))
    assert node.get("enum") != []
    assert "format" not in node or node["format"] in FORMATS[type_]
    assert ("items" in node) == (type_ == "array")
    assert type_ == "object" or "properties" not in node
    assert node.get("properties") != {}
    assert set(node.get("required", ())) <= node.get("properties", {}).keys()
    children = [*node.get("anyOf", ()), *node.get("properties", {}).values()]
    for child in [*children, *([node["items"]] if "items" in node else [])]:
        check_node(child)


@given(roots)
@settings(max_examples=100, deadline=None)
def test_any_schema_becomes_one_that_the_service_takes(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    cleaned = clean(schema)
    check_node(cleaned)
    assert json.dumps(schema) == before


@given(roots)
@settings(max_examples=100, deadline=None)
def test_cleaning_twice_is_cleaning_once(schema: dict[str, Any]) -> None:
    cleaned = clean(schema)
    assert clean(cleaned) == cleaned


def test_definitions_that_contain_themselves_end() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"$ref": "#/$defs/n"} for name in "abcdefgh"},
    }
    cleaned = clean({"$ref": "#/$defs/n", "$defs": {"n": node}})
    check_node(cleaned)
    assert cleaned["properties"]["a"]["properties"]["a"] == {"type": "object"}
    assert clean({"$ref": "#"}) == {"type": "object"}


def test_definitions_that_double_with_every_level_stay_small() -> None:
    levels: dict[str, Any] = {
        f"l{i}": {
            "type": "object",
            "properties": {"x": {"$ref": f"#/$defs/l{i + 1}"}, "y": {"$ref": f"#/$defs/l{i + 1}"}},
        }
        for i in range(20)
    }
    cleaned = clean({"$ref": "#/$defs/l0", "$defs": {**levels, "l20": {"type": "string"}}})
    check_node(cleaned)
    assert len(json.dumps(cleaned)) < 200_000
    merging: dict[str, Any] = {
        f"l{i}": {"allOf": [{"$ref": f"#/$defs/l{i + 1}"}, {"$ref": f"#/$defs/l{i + 1}"}]} for i in range(30)
    }
    check_node(clean({"$ref": "#/$defs/l0", "$defs": merging}))


@pytest.mark.parametrize("keyword", ["items", "anyOf", "allOf", "not"])
def test_a_schema_nested_as_deep_as_json_goes_is_cut(keyword: str) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(900):
        schema = {keyword: [schema] if keyword in ("anyOf", "allOf") else schema}
    check_node(clean({"type": "object", "properties": {"deep": schema}}))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "uri"}, {"type": "string"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": ["integer", "null"]}, {"type": "integer", "nullable": True}),
        ({"type": ["string", "number"], "maxLength": 3, "minimum": 1}, {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "number", "minimum": 1}]}),
        ({"type": "INTEGER"}, {"type": "integer"}),
        ({"type": "null"}, {"type": "string", "nullable": True}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"const": True}, {"type": "boolean"}),
        ({"enum": [1, 2.5, None, "", "x", "x"]}, {"type": "string", "enum": ["1", "2.5", "x"], "nullable": True}),
        ({"type": "boolean", "enum": [True]}, {"type": "boolean"}),
        ({"enum": [""]}, {"type": "string"}),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        ({"prefixItems": [{"type": "number"}, {"type": "number"}]}, {"type": "array", "items": {"type": "number"}}),
        ({"items": [{"type": "number"}, {"type": "string"}]}, {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "string"}]}}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}], "description": "d"}, {"type": "string", "nullable": True, "description": "d"}),
        ({"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}]}, {"type": "object", "properties": {"a": {"type": "string"}}}),
        ({"type": "string", "oneOf": [{"pattern": "a"}, {"pattern": "b"}]}, {"anyOf": [{"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}]}),
        ({"allOf": [{"properties": {"a": {"type": "number"}}}, {"required": ["a"], "title": "T"}]}, {"type": "object", "title": "T", "properties": {"a": {"type": "number"}}, "required": ["a"]}),
        ({"properties": {"a": True, "b": False}, "required": ["a", "b", "c"]}, {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
        ({"type": "integer", "default": 3, "example": "no", "minimum": 0, "exclusiveMinimum": 0, "multipleOf": 2}, {"type": "integer", "default": 3, "minimum": 0}),
        ({"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "boolean"}}, "description": "own"}, {"type": "boolean", "description": "own"}),
        ({"$ref": "https://example.com/schema.json"}, {"type": "object"}),
        ({"type": "object", "additionalProperties": {"type": "string"}, "x-note": 1, "$comment": "c"}, {"type": "object"}),
        ({"type": "string", "minLength": -1, "maxLength": True, "pattern": ""}, {"type": "string"}),
    ],
)  # fmt: skip
def test_keywords_translate_by_this_table(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert clean(schema) == expected
