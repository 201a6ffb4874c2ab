"""What the code says that the documentation must say too, read from its syntax trees."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import freellm
from doc_pages import TOP
from freellm.gateway.consequences import RULES
from freellm.hookspecs import ApplicationSpec, ProviderSpec

CORE = TOP / "core" / "src" / "freellm"
CODE = [
    *sorted(CORE.rglob("*.py")),
    *sorted(TOP.glob("freellm_provider_*/src/**/*.py")),
    *sorted(TOP.glob("plugins/*/src/**/*.py")),
]

_HEADER = re.compile(r"(?i)(?:x-(?!gzip)[a-z]|retry-after|api-key)[a-z-]*")
_NOT_FROM_CLIENTS = ("openai_compatible", "testing", "upstream")
"""Packages whose header names are those of providers' answers."""


@cache
def _nodes() -> list[tuple[str, ast.AST]]:
    return [
        (str(path.relative_to(CORE)), node)
        for path in sorted(CORE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    ]


def header_names() -> set[str]:
    """Return the headers that core reads from clients or sends to them, in lower case."""
    return {
        node.value.lower()
        for path, node in _nodes()
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _HEADER.fullmatch(node.value)
        and not path.startswith(_NOT_FROM_CLIENTS)
    }


def error_codes() -> set[str]:
    """Return every `error.code` that core can answer with, but for the kinds that in-band errors carry."""
    return set(_literal_codes()) | {rule.code for rule in RULES.values()}


def _literal_codes() -> Iterator[str]:
    for _, node in _nodes():
        if not isinstance(node, ast.Call):
            continue
        given: list[ast.expr] = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if isinstance(node.func, ast.Name) and node.func.id == "Rule":
            given += node.args[3:4]
        yield from (
            value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)
        )


def pages_named_in_code() -> set[str]:
    """Return every `docs/….md` that a comment, a docstring or a message of the code names."""
    return {
        name for path in CODE for name in re.findall(r"(?<![\w./-])docs/[\w/-]+\.md", path.read_text("utf-8"))
    }


def hooks() -> dict[str, Any]:
    """Return the hook specifications, directed ones first, by the heading that documents them."""
    return {
        _heading(function): function
        for spec in (ProviderSpec, ApplicationSpec)
        for name, function in vars(spec).items()
        if not name.startswith("_")
    }


def _heading(function: Any) -> str:
    signature = inspect.signature(function)
    taken = ", ".join(
        f"{name}: {parameter.annotation}"
        for name, parameter in signature.parameters.items()
        if name != "self"
    )
    prefix = "async " if inspect.iscoroutinefunction(function) else ""
    return f"`{prefix}{function.__name__}({taken}) -> {signature.return_annotation}`"


def docstring(name: str) -> str:
    """Return what documents a public name: its docstring, or for an alias the text below its assignment."""
    value = getattr(freellm, name)
    home = value.__module__ if inspect.isclass(value) or inspect.isfunction(value) else None
    if home and home.startswith("freellm"):
        return inspect.getdoc(value) or ""
    return _below_assignment(name) or inspect.getdoc(type(value)) or ""


@cache
def _below_assignment(name: str) -> str | None:
    for path in (CORE / "types.py", CORE / "declarations.py"):
        body = ast.parse(path.read_text("utf-8")).body
        for statement, following in pairwise(body):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and statement.target.id == name
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                return inspect.cleandoc(str(following.value.value))
    return None
