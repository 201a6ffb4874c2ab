"""JSON Schema becomes the OpenAPI subset that the Gemini API's older schema fields take.

Anything else in them refuses the whole request, so this is a list of what is kept, not of what is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from freellm import Json

_TYPES: Final = ("string", "number", "integer", "boolean", "array", "object")
_FORMATS: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"enum", "date-time"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
_DEPTH: Final = 24
"""Levels of nesting kept; deeper ones become an object without a shape."""
_REPEATS: Final = 2
"""How often a definition may contain itself before it is cut."""
_NODES: Final = 2_000
"""Schemas written in all: definitions that use each other several times double with every level."""


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


_SIZES: Final = dict.fromkeys(("minLength", "maxLength"), _is_size)
_BOUNDS: Final = dict.fromkeys(("minimum", "maximum"), _is_number)
_KEPT: Final[Mapping[str, Mapping[str, Callable[[Any], bool]]]] = {
    "string": {**_SIZES, "pattern": _is_text},
    "number": _BOUNDS,
    "integer": _BOUNDS,
    "boolean": {},
    "array": dict.fromkeys(("minItems", "maxItems"), _is_size),
    "object": dict.fromkeys(("minProperties", "maxProperties"), _is_size),
}
_NATIVE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and isinstance(value, int),
    "boolean": lambda value: isinstance(value, bool),
}
_SIGNS: Final = (
    ("object", ("properties", "required", "additionalProperties", "minProperties", "maxProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems")),
    ("number", ("minimum", "maximum", "multipleOf")),
)
"""What tells the type of a schema that does not state it; otherwise it is a string."""


def clean(schema: Mapping[str, Any]) -> Json:
    """Return a schema's counterpart in the OpenAPI subset. Cleaning it again changes nothing.

    Local references are written out, `oneOf` becomes `anyOf`, `const` an `enum`, a list of types `anyOf` and
    `nullable`; `allOf` is merged; enums of numbers become enums of strings.
    """
    return _Cleaner(schema).clean(schema, 0, ())


class _Cleaner:
    """One schema's cleaning: its root for references, and how much has been written.

    :param root: the whole schema
    """

    __slots__ = ("_left", "_root")

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _NODES

    def clean(self, schema: Any, depth: int, path: tuple[str, ...]) -> Json:
        """Return one schema's counterpart.

        :param depth: how deep it is nested
        :param path: the references followed to get here
        """
        self._left -= 1
        if not isinstance(schema, Mapping):
            schema = {}
        elif depth >= _DEPTH or self._left < 0:
            return {"type": "object"}
        schema, path = self._flatten(schema, depth, path)
        types = _types_of(schema)
        cleaned = {key: schema[key] for key in ("title", "description") if _is_text(schema.get(key))}
        if schema.get("nullable") is True or "null" in types or None in _choices(schema):
            cleaned["nullable"] = True
        types = [each for each in types if each != "null"]
        if options := _options_of(schema, types):
            return self._any_of(options, cleaned, depth, path)
        return self._typed(schema, types[0] if types else _guess_type(schema), cleaned, depth, path)

    def _flatten(
        self, schema: Mapping[str, Any], depth: int, path: tuple[str, ...]
    ) -> tuple[Json, tuple[str, ...]]:
        """Follow a schema's reference and merge what it is composed of."""
        own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
        merged: Json = {}
        sources = list(schema["allOf"]) if isinstance(schema.get("allOf"), list) else []
        if isinstance(reference := schema.get("$ref"), str):
            found = _resolve(self._root, reference) if path.count(reference) < _REPEATS else None
            sources.insert(0, {"type": "object"} if found is None else found)
            path = (*path, reference)
        for source in sources:
            self._left -= 1
            if isinstance(source, Mapping) and depth < _DEPTH and self._left > 0:
                part, path = self._flatten(source, depth + 1, path)
                _merge(merged, part)
        _merge(merged, own)
        return merged, path

    def _any_of(self, options: list[Any], cleaned: Json, depth: int, path: tuple[str, ...]) -> Json:
        variants: list[Json] = []
        for option in options:
            if isinstance(option, Mapping) and option.get("type") == "null":
                cleaned["nullable"] = True
            elif (variant := self.clean(option, depth + 1, path)) not in variants:
                variants.append(variant)
        if len(variants) == 1:
            return {**variants[0], **cleaned}
        return {**cleaned, "anyOf": variants} if variants else {**cleaned, "type": "string"}

    def _typed(self, schema: Json, type_: str, cleaned: Json, depth: int, path: tuple[str, ...]) -> Json:
        if choices := _texts(_choices(schema)):
            type_, cleaned["enum"] = "string", choices
        cleaned["type"] = type_
        if schema.get("format") in _FORMATS.get(type_, ()):
            cleaned["format"] = schema["format"]
        cleaned |= {key: schema[key] for key, fits in _KEPT[type_].items() if fits(schema.get(key))}
        if type_ == "object":
            self._object(schema, cleaned, depth, path)
        elif type_ == "array":
            cleaned["items"] = self.clean(_items_of(schema), depth + 1, path)
        fits_type = _NATIVE.get(type_)
        if fits_type is not None:
            cleaned |= {key: schema[key] for key in ("default", "example") if fits_type(schema.get(key))}
        return cleaned

    def _object(self, schema: Json, cleaned: Json, depth: int, path: tuple[str, ...]) -> None:
        stated = schema.get("properties")
        stated = stated if isinstance(stated, Mapping) else {}
        properties = {
            name: self.clean(each, depth + 1, path) for name, each in stated.items() if each is not False
        }
        if not properties:
            return
        cleaned["properties"] = properties
        for key in ("required", "propertyOrdering"):
            listed = schema.get(key)
            names = _texts(listed) if isinstance(listed, list) else []
            if known := [name for name in names if name in properties]:
                cleaned[key] = known


def _types_of(schema: Json) -> list[str]:
    stated = schema.get("type")
    stated = stated if isinstance(stated, list) else [stated]
    lowered = (each.lower() for each in stated if isinstance(each, str))
    return list(dict.fromkeys(each for each in lowered if each in (*_TYPES, "null")))


def _guess_type(schema: Json) -> str:
    members = [choice for choice in _choices(schema) if choice is not None]
    if members and all(isinstance(member, bool) for member in members):
        return "boolean"
    return next((type_ for type_, keys in _SIGNS if any(key in schema for key in keys)), "string")


def _choices(schema: Json) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    return schema["enum"] if isinstance(schema.get("enum"), list) else []


def _texts(choices: Iterable[Any]) -> list[str]:
    """Return an enum's members as the strings they have to be; none when they are just true and false."""
    members = [choice for choice in choices if choice is not None]
    if all(isinstance(member, bool) for member in members):
        return []
    texts = (member if isinstance(member, str) else json.dumps(member, default=str) for member in members)
    return list(dict.fromkeys(text for text in texts if text))


def _options_of(schema: Json, types: list[str]) -> list[Any]:
    """Return the alternatives a schema offers, or nothing when it has one shape of its own."""
    if _texts(_choices(schema)):
        return []
    if len(types) > 1:
        apart = ("type", "nullable", "title", "description")
        rest = {key: value for key, value in schema.items() if key not in apart}
        return [{**rest, "type": type_} for type_ in types]
    if schema.get("properties") or schema.get("items"):
        return []
    return [
        {"type": types[0], **option} if types and isinstance(option, Mapping) and _is_bare(option) else option
        for key in ("anyOf", "oneOf")
        if isinstance(schema.get(key), list)
        for option in schema[key]
    ]


def _is_bare(option: Mapping[str, Any]) -> bool:
    return not any(key in option for key in ("type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"))


def _items_of(schema: Json) -> Any:
    for key in ("items", "prefixItems"):
        items = schema.get(key)
        if isinstance(items, list) and items:
            return {"anyOf": items}
        if isinstance(items, Mapping):
            return items
    return {}


def _resolve(root: Mapping[str, Any], reference: str) -> Any:
    """Return what a local reference points at; None when it points elsewhere or nowhere."""
    if not reference.startswith("#"):
        return None
    found: Any = root
    for step in reference[1:].strip("/").split("/") if len(reference) > 1 else ():
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _merge(into: Json, part: Mapping[str, Any]) -> None:
    """Add a part of an `allOf` to a schema: properties and requirements add up, else the later one counts."""
    for key, value in part.items():
        old = into.get(key)
        if key == "properties" and isinstance(old, Mapping) and isinstance(value, Mapping):
            into[key] = {**old, **value}
        elif key == "required" and isinstance(old, list) and isinstance(value, list):
            into[key] = [*old, *value]
        else:
            into[key] = value
