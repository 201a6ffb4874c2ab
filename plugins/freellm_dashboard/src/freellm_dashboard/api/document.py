"""The OpenAPI document, made from the routes and their types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from freellm_dashboard.api.endpoints import BESIDE, ENDPOINTS, Endpoint
from freellm_dashboard.shapes.wire import Json

_REF: Final = "#/components/schemas/"
_PARAM: Final = re.compile(r":param (\w+): (.*?)(?=\n\s*:param |\Z)", re.DOTALL)


def document(version: str) -> Json:
    """Return the OpenAPI 3.1 document.

    :param version: freellm's version
    """
    types = list(_types(ENDPOINTS))
    schemas, components = msgspec.json.schema_components(types, ref_template=f"{_REF}{{name}}")
    known = dict(zip(map(id, types), schemas, strict=True))
    for schema in components.values():
        _describe(schema)
    paths: dict[str, Json] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, known, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "freellm dashboard", "version": version},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "freellm_session"}},
        },
        "security": [{"session": []}],
    }


def _types(endpoints: Iterable[Endpoint]) -> Iterator[Any]:
    seen = set()
    for kind in (*BESIDE, *(k for e in endpoints for k in (e.answer, e.body, e.query))):
        if kind is not None and not isinstance(kind, str) and id(kind) not in seen:
            seen.add(id(kind))
            yield kind


def _describe(schema: Json) -> None:
    """Move what a docstring says of each parameter to the property."""
    text = schema.get("description", "")
    for name, said in _PARAM.findall(text):
        if name in schema["properties"]:
            schema["properties"][name]["description"] = _plain(said)
    if text:
        schema["description"] = _plain(text.split(":param")[0])


def _operation(endpoint: Endpoint, known: dict[int, Json], components: Json) -> Json:
    told: Json = {
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint.path), *_query_parameters(endpoint, known, components)],
        "responses": {
            "200": {"description": "Done.", "content": _content(endpoint.answer, known)},
            "default": {
                "description": "Refused: what is wrong, and the cure.",
                "content": {"application/json": {"schema": {"$ref": f"{_REF}Refusal"}}},
            },
        },
    }
    if endpoint.body is not None:
        told["requestBody"] = {"required": True, "content": _content(endpoint.body, known)}
    if endpoint.public:
        told["security"] = []
    return told


def _content(kind: Any, known: dict[int, Json]) -> Json:
    if isinstance(kind, str):
        return {kind: {"schema": {"type": "string"}}}
    return {"application/json": {"schema": known[id(kind)]}}


def _path_parameters(path: str) -> Iterator[Json]:
    for name in re.findall(r"\{(\w+)\}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(endpoint: Endpoint, known: dict[int, Json], components: Json) -> Iterator[Json]:
    if endpoint.query is None:
        return
    schema = components[known[id(endpoint.query)]["$ref"].removeprefix(_REF)]
    for name, kind in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": kind}


def _plain(text: str) -> str:
    """Return a piece of a docstring as it is read by who knows no Python."""
    return re.sub(r"\bNone\b", "null", " ".join(text.split()))
