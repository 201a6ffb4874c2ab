"""Instances of a JSON schema: values that validate.

Known: types (lists of types and Gemini's capital ones too), const, enum, nullable, properties, required,
additionalProperties, minProperties, items, prefixItems, minItems, maxItems, uniqueItems, the bounds of numbers,
multipleOf, minLength, maxLength, pattern, the usual formats, anyOf, oneOf (its first branch), allOf (merged) and
local `$ref`, recursive ones included. Unknown keywords are ignored.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from freellm_simulator.exchange import Json
from freellm_simulator.scalars import Hints, UnsatisfiableError, number, string

_DEPTH = 6
"""How deep optional members and avoidable array items are still made."""
_LIMIT = 40
"""How deep a schema may nest before it counts as endless."""
_TYPICAL_ITEMS = 2


def instance(schema: Json | bool, rng: Random, hints: Hints | None = None) -> Any:
    """Return a value that validates against a schema.

    :param schema: a JSON schema; references are resolved inside it
    :param rng: chooses where there is a choice
    :param hints: what to fill texts and numbers with
    :raises UnsatisfiableError: when none was found
    """
    root = schema if isinstance(schema, dict) else {}
    return _Maker(root, rng, hints or Hints()).make(schema, "", 0)


class _Maker:
    def __init__(self, root: Json, rng: Random, hints: Hints) -> None:
        self._root = root
        self._rng = rng
        self._hints = hints

    def make(self, schema: Json | bool, name: str, depth: int) -> Any:
        """Return a value for one part of the schema; `name` is the property it is for."""
        if not isinstance(schema, dict):
            return f"simulated {name}".strip()
        if depth > _LIMIT:
            raise UnsatisfiableError("the schema nests without end")
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._mentioned(schema["enum"])
        if branches := schema.get("anyOf") or schema.get("oneOf"):
            return self._branch(schema, branches, name, depth)
        return self._typed(schema, _type_of(schema), name, depth)

    def _typed(self, schema: Json, kind: str, name: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number":
                return number(schema, self._hints, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
        return string(schema, name, self._hints, self._rng)

    def _resolved(self, schema: Json) -> Json:
        """Follow references and merge `allOf`, until neither is left at the top."""
        for _ in range(_LIMIT):
            if "$ref" in schema:
                schema = _merged(self._target(schema["$ref"]), _without(schema, "$ref"))
            elif "allOf" in schema:
                parts, schema = schema["allOf"], _without(schema, "allOf")
                for part in parts:
                    schema = _merged(self._resolved(part), schema)
            else:
                return schema
        raise UnsatisfiableError("the schema's references form a ring")

    def _target(self, reference: str) -> Json:
        node: Any = self._root
        for step in filter(None, reference.removeprefix("#").split("/")):
            key = step.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except (KeyError, IndexError, TypeError, ValueError):
                raise UnsatisfiableError(f"nothing is at {reference}") from None
        return node if isinstance(node, dict) else {}

    def _mentioned(self, options: list[Any]) -> Any:
        text = self._hints.text.lower()
        return next((o for o in options if isinstance(o, str) and o and o.lower() in text), options[0])

    def _branch(self, schema: Json, branches: list[Json], name: str, depth: int) -> Any:
        rest = _without(schema, "anyOf", "oneOf")
        # Null comes last, except where the nesting has to end.
        for branch in sorted(
            branches, key=lambda branch: (branch.get("type") == "null") == (depth <= _DEPTH)
        ):
            try:
                return self.make(_merged(self._resolved(branch), rest), name, depth + 1)
            except UnsatisfiableError:
                continue
        raise UnsatisfiableError("no branch can be satisfied")

    def _object(self, schema: Json, depth: int) -> Json:
        properties: Json = schema.get("properties", {})
        required = [*dict.fromkeys(schema.get("required", ()))]
        extra: Json | bool = schema.get("additionalProperties") or True
        made: Json = {key: self.make(properties.get(key, extra), key, depth + 1) for key in required}
        room = schema.get("maxProperties", math.inf)
        for key, part in properties.items():
            if key not in made and depth < _DEPTH and len(made) < room:
                self._add_optional(made, key, part, depth)
        while len(made) < schema.get("minProperties", 0):
            key = next((key for key in properties if key not in made), f"extra_{len(made)}")
            made[key] = self.make(properties.get(key, extra), key, depth + 1)
        return {key: made[key] for key in sorted(made, key=[*properties, *made].index)}

    def _add_optional(self, made: Json, key: str, part: Json | bool, depth: int) -> None:
        try:
            made[key] = self.make(part, key, depth + 1)
        except UnsatisfiableError:
            made.pop(key, None)

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        parts: list[Json] = schema.get("prefixItems", [])
        items: Json | bool = schema.get("items", True)
        least = schema.get("minItems", 0)
        wanted = max(least, len(parts) or _TYPICAL_ITEMS) if depth < _DEPTH else least
        if items is False:
            wanted = min(wanted, len(parts))
        made: list[Any] = []
        for place in range(min(wanted, schema.get("maxItems", wanted))):
            part = parts[place] if place < len(parts) else items
            try:
                others = made if schema.get("uniqueItems") else []
                made.append(self._item(part, f"{name} {place + 1}".strip(), depth, others))
            except UnsatisfiableError:
                if place < least:
                    raise
                break
        return made

    def _item(self, part: Json | bool, name: str, depth: int, others: list[Any]) -> Any:
        """Return an array item that differs from the others."""
        value = self.make(part, name, depth + 1)
        if value not in others:
            return value
        resolved = self._resolved(part) if isinstance(part, dict) else {}
        if options := [option for option in resolved.get("enum", ()) if option not in others]:
            return options[0]
        if (kind := _type_of(resolved)) in ("integer", "number"):
            return number(resolved, self._hints, whole=kind == "integer", above=max(others))
        if kind == "boolean" and False not in others:
            return False
        if kind == "string" and isinstance(part, dict) and "enum" not in resolved and "const" not in resolved:
            return self._differing(resolved, name, others)
        raise UnsatisfiableError("the items cannot all differ")

    def _differing(self, schema: Json, name: str, others: list[Any]) -> str:
        for attempt in range(len(others) + 20):
            value = string(schema, f"{attempt} {name}", Hints(), self._rng)
            if value not in others:
                return value
            value = f"{attempt}{value}"[: schema.get("maxLength", 64)]
            if "pattern" not in schema and "format" not in schema and value not in others:
                return value
        raise UnsatisfiableError("the texts cannot all differ")


def _type_of(schema: Json) -> str:
    stated = schema.get("type")
    if isinstance(stated, list):
        stated = next((kind for kind in stated if kind != "null"), "null")
    if isinstance(stated, str):
        return stated.lower()
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _without(schema: Json, *names: str) -> Json:
    return {key: value for key, value in schema.items() if key not in names}


def _merged(first: Json, second: Json) -> Json:
    merged = {**first, **second}
    if "properties" in first and "properties" in second:
        merged["properties"] = {**first["properties"], **second["properties"]}
    if "required" in first and "required" in second:
        merged["required"] = [*first["required"], *second["required"]]
    return merged
