"""The pages' types, made from the OpenAPI document: `python -m freellm_dashboard.api.typescript FILE` writes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from freellm_dashboard.api.document import document
from freellm_dashboard.api.endpoints import ENDPOINTS
from freellm_dashboard.shapes.wire import Json

_PLAIN: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def typescript(told: Json) -> str:
    """Return a TypeScript module with an interface for every schema, and `Endpoints` with every route.

    :param told: the OpenAPI document
    """
    lines = ["// Generated from the server's types; a test compares. Do not edit.", ""]
    schemas = told["components"]["schemas"]
    bodies = {
        name
        for paths in told["paths"].values()
        for operation in paths.values()
        for name in _refs(operation.get("requestBody", {}))
    }
    for name, schema in schemas.items():
        lines += [*_interface(name, schema, is_body=name in bodies or name.endswith("Query")), ""]
    return "\n".join([*lines, *_endpoints(told), ""])


def _interface(name: str, schema: Json, *, is_body: bool) -> Iterator[str]:
    if said := schema.get("description"):
        yield f"/** {said} */"
    yield f"export interface {name} {{"
    required = set(schema.get("required", ()))
    for field, kind in schema["properties"].items():
        if said := kind.get("description"):
            yield f"  /** {said} */"
        optional = "?" if is_body and field not in required else ""
        yield f"  {field}{optional}: {_type(kind)};"
    yield "}"


def _endpoints(told: Json) -> Iterator[str]:
    yield "/** Every route: what it takes and what it answers. `string` answers are no JSON. */"
    yield "export interface Endpoints {"
    for endpoint in ENDPOINTS:
        operation = told["paths"][endpoint.path][endpoint.method.lower()]
        answer = _content_type(operation["responses"]["200"])
        body = _content_type(operation["requestBody"]) if "requestBody" in operation else "undefined"
        yield f"  /** {operation['summary']} */"
        query = endpoint.query.__name__ if endpoint.query else "undefined"
        yield f'  "{endpoint.name}": {{ query: {query}; body: {body}; answer: {answer} }};'
    yield "}"


def _content_type(part: Json) -> str:
    (content,) = part["content"].values()
    return _type(content["schema"])


def _refs(part: Json) -> Iterator[str]:
    for content in part.get("content", {}).values():
        if "$ref" in content["schema"]:
            yield _type(content["schema"])


def _type(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"Array<{_type(schema['items'])}>"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"Record<string, {_type(inner) if isinstance(inner, dict) else 'unknown'}>"
    return _PLAIN.get(schema.get("type", ""), "unknown")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(typescript(document("0")), "utf-8")
