"""The OpenAPI document and the pages' types say what there is, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dashboards import Browser, routes_of
from freellm_dashboard.api.document import document
from freellm_dashboard.api.endpoints import ENDPOINTS
from freellm_dashboard.api.typescript import typescript

TYPES = Path(__file__).parents[1] / "web" / "src" / "api" / "types.ts"


async def test_every_route_of_the_api_is_in_the_document_and_there_is_no_other(browser: Browser) -> None:
    served = {
        f"{method} {path}"
        for method, path, _ in routes_of(browser.proxy)
        if path.startswith("/api/") and method not in ("HEAD", "*")
    }
    told = (await browser.get("/api/openapi.json")).json
    described = {f"{method.upper()} {path}" for path, methods in told["paths"].items() for method in methods}
    assert served == described == {endpoint.name for endpoint in ENDPOINTS}
    assert len(ENDPOINTS) == len(described)


async def test_only_what_says_so_answers_who_is_not_signed_in(browser: Browser) -> None:
    levels = {f"{method} {path}": level for method, path, level in routes_of(browser.proxy)}
    for endpoint in ENDPOINTS:
        assert levels[endpoint.name] == ("public" if endpoint.public else "session"), endpoint.name


def test_the_document_holds_together() -> None:
    told = document("1")
    text = json.dumps(told)
    references = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert references <= told["components"]["schemas"].keys()
    for name, schema in told["components"]["schemas"].items():
        assert schema["description"], f"{name} says nothing of itself"
        assert ":param" not in schema["description"]
        for field, kind in schema["properties"].items():
            assert field == "type" or kind.get("description"), f"{name}.{field} is not explained"


def test_bodies_take_no_field_that_is_not_theirs() -> None:
    told = document("1")
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            schema: dict[str, Any] = (
                operation.get("requestBody", {})
                .get("content", {})
                .get("application/json", {})
                .get("schema", {})
            )
            if name := schema.get("$ref", "").rpartition("/")[2]:
                assert told["components"]["schemas"][name]["additionalProperties"] is False, (method, path)


def test_the_pages_types_are_those_of_the_server() -> None:
    fresh = typescript(document("0"))
    renew = "renew web/src/api/types.ts: python -m freellm_dashboard.api.typescript FILE"
    assert TYPES.read_text("utf-8") == fresh, renew
