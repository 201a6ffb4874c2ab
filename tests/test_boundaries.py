"""Who may import whom, what core must not know, and how large anything may get: the layout as tests."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import freellm

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core" / "src" / "freellm"
PROVIDER_PACKAGES = sorted(ROOT.glob("freellm_provider_*")) + sorted(ROOT.glob("plugins/freellm_provider_*"))
PACKAGES = [
    ROOT / "core",
    *PROVIDER_PACKAGES,
    *(p for p in sorted(ROOT.glob("plugins/*")) if p not in PROVIDER_PACKAGES),
]

# A module imports from lower floors, and from modules named earlier on its own floor.
FLOORS: tuple[tuple[str, ...], ...] = (
    # what crosses borders: data, declarations, errors, time
    (
        "version",
        "errors",
        "secret",
        "types",
        "declarations",
        "base_urls",
        "catalogue_file",
        "clock",
        "access",
        "fingerprints",
        "panels",
    ),
    # the contract: hooks, discovery, one relay per provider, the broadcast relay
    (
        "redaction",
        "hookspecs",
        "plugins",
        "plugin_files",
        "openai_compatible",
        "wholeness",
        "providers",
        "extensions",
    ),
    # pure decisions: no await, no clock of their own
    (
        "tokens",
        "delays",
        "measurements",
        "ledger",
        "health",
        "sessions",
        "listings",
        "offers",
        "signed_catalogue",
        "instances",
        "limits",
        "catalogue",
        "ceilings",
        "reasons",
        "closures",
        "gauge",
        "profiles",
        "preferences",
        "strategies",
        "forecasts",
        "capacity",
        "orders",
        "guessing",
        "handoff",
        "routing",
        "naming",
        "selection",
        "parameters",
        "explanations",
        "clearing",
    ),
    # the edges: files, sockets, SQLite, secrets
    (
        "settings",
        "logs",
        "heads",
        "turns",
        "sse",
        "upstream",
        "store",
        "roster",
        "vault",
        "keyring",
        "lease_slots",
        "leases",
        "journal",
        "auto_family",
        "checking",
        "keychain",
        "sync",
    ),
    # the attempt loop
    ("gateway",),
    # the faces
    ("surfaces", "administration", "proxy", "built_in", "runtime", "server", "measuring", "cli", "__main__"),
)
ASIDE = {"testing": 2}
"""Modules beside the floors, and the floor below which they may import."""

CUSTOMERS = {"testing": {"cli.plugins.checking"}}
"""Who may import a module that stands aside: commands, when they are run."""

KIT_ONLY = ("hypothesis", "pytest")
"""Libraries that come with an extra, for plugin authors."""

FACADE = "__init__"
SEATS = {name: (floor, seat) for floor, names in enumerate(FLOORS) for seat, name in enumerate(names)}

AIOHTTP = {"upstream", "surfaces", "server", "cli.client"}
"""Where sockets are: the one client, the one server, and the client that commands are of a running proxy."""

PLUGGY = {"hookspecs", "plugins"}

MODULE_LINES, FUNCTION_LINES = 300, 50
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}


def sources(package: Path) -> list[Path]:
    return sorted(package.glob("src/**/*.py"))


def module_of(path: Path) -> str:
    """Return a core module's dotted name without `freellm.`; a package is its `__init__`."""
    parts = list(path.relative_to(CORE).with_suffix("").parts)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def walked(node: ast.AST, *, types_too: bool = False) -> Iterator[ast.AST]:
    """Iterate over a tree, without what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if types_too or not is_type_checking(child):
            yield child
            yield from walked(child, types_too=types_too)


def imports(path: Path, *, types_too: bool = False) -> Iterator[tuple[str, str | None]]:
    """Iterate over what a module imports: a module, and the name from it if one is named."""
    for node in walked(parsed(path), types_too=types_too):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


def core_imports(path: Path) -> Iterator[str]:
    """Iterate over the core modules that a core module imports while it runs, by their first name."""
    for module, name in imports(path):
        if module == "freellm" and name is not None:
            yield name
        elif module.startswith("freellm."):
            yield module.split(".")[1]


def users_of(library: str) -> set[str]:
    """Return the core modules that import a library while they run."""
    return {
        module_of(path)
        for path in sources(ROOT / "core")
        if any(module.split(".")[0] == library for module, _ in imports(path))
    }


def test_every_module_of_core_has_its_place() -> None:
    here = {module_of(path).split(".")[0] for path in sources(ROOT / "core")}
    assert here == set(SEATS) | set(ASIDE) | {FACADE}


@pytest.mark.parametrize("path", sources(ROOT / "core"), ids=module_of)
def test_core_imports_downward_only(path: Path) -> None:
    own = module_of(path).split(".")[0]
    for other in core_imports(path):
        if other == own or module_of(path) in CUSTOMERS.get(other, ()):
            continue
        assert other in SEATS, f"{module_of(path)} imports {other}, which is beside the floors or no module"
        if own in ASIDE:
            assert SEATS[other][0] < ASIDE[own]
        elif own != FACADE:
            assert SEATS[other] < SEATS[own], f"{module_of(path)} imports upward, from {other}"


def test_the_facade_offers_what_is_on_the_two_lowest_floors() -> None:
    homes = {
        module.split(".")[1] for module, _ in imports(CORE / "__init__.py", types_too=True) if "." in module
    }
    assert {SEATS[home][0] for home in homes} == {0, 1}


def test_only_the_edges_touch_sockets() -> None:
    for user in users_of("aiohttp"):
        assert any(user == place or user.startswith(f"{place}.") for place in AIOHTTP), (
            f"{user} imports aiohttp"
        )


@pytest.mark.parametrize("library", KIT_ONLY)
def test_only_the_kit_uses_what_comes_with_its_extra(library: str) -> None:
    assert {user.split(".")[0] for user in users_of(library)} == {"testing"}


def test_who_uses_the_kit_imports_it_when_it_is_needed_and_not_before() -> None:
    for module in CUSTOMERS["testing"]:
        path = CORE / f"{module.replace('.', '/')}.py"
        at_once = [node for node in parsed(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not [node for node in at_once if "testing" in ast.dump(node)]


def test_only_the_contract_knows_pluggy() -> None:
    assert users_of("pluggy") == PLUGGY


@pytest.mark.parametrize("name", FLOORS[2])
def test_decisions_are_pure(name: str) -> None:
    """No module of the second floor awaits, sleeps, asks for the time or for chance."""
    for path in sources(ROOT / "core"):
        if module_of(path).split(".")[0] != name:
            continue
        assert not {module for module, _ in imports(path)} & {
            "time",
            "asyncio",
            "random",
            "socket",
            "sqlite3",
            "os",
        }
        assert not [
            node for node in ast.walk(parsed(path)) if isinstance(node, ast.Await | ast.AsyncFunctionDef)
        ]


def test_core_names_no_provider() -> None:
    ids = [point.name for point in entry_points(group="freellm.providers")]
    assert len(ids) >= 3
    named = re.compile(rf"\b({'|'.join(map(re.escape, ids))})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(CORE)}:{number}: {line.strip()}"
        for path in sources(ROOT / "core")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("package", PROVIDER_PACKAGES, ids=lambda path: path.name)
def test_a_provider_imports_the_vocabulary_and_the_standard_library(package: Path) -> None:
    for path in sources(package):
        for module, name in imports(path, types_too=True):
            top = module.split(".")[0]
            if top == "freellm":
                assert module == "freellm", (
                    f"{path.name} imports {module}; plugins import from freellm itself"
                )
                assert name in freellm.__all__, f"{path.name} imports {name}, which is not for plugins"
            else:
                assert top == package.name or top in sys.stdlib_module_names, f"{path.name} imports {module}"


@pytest.mark.parametrize("package", PROVIDER_PACKAGES, ids=lambda path: path.name)
def test_a_provider_does_no_input_and_no_output(package: Path) -> None:
    edges = {"asyncio", "http", "io", "os", "pathlib", "random", "selectors", "shutil", "socket", "sqlite3", "ssl",
             "subprocess", "tempfile", "threading", "time", "urllib.request"}  # fmt: skip
    for path in sources(package):
        assert not {module for module, _ in imports(path)} & edges, path.name
        calls = {
            node.func.id
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"open", "print", "input", "exec", "eval"}, path.name
        assert not [
            node for node in ast.walk(parsed(path)) if isinstance(node, ast.Await | ast.AsyncFunctionDef)
        ]


def test_core_is_no_customer_of_its_plugins() -> None:
    others = {path.name for package in PACKAGES[1:] for path in package.glob("src/*")}
    for path in sources(ROOT / "core"):
        assert not {module.split(".")[0] for module, _ in imports(path, types_too=True)} & others


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_has_what_every_package_has(package: Path) -> None:
    for name in ("pyproject.toml", "README.md", "src", "tests"):
        assert (package / name).exists(), f"{package.name} lacks {name}"
    (imported,) = [
        path for path in (package / "src").iterdir() if path.is_dir() and (path / "__init__.py").exists()
    ]
    assert imported.name == ("freellm" if package.name == "core" else package.name)
    assert list(package.glob("tests/test_*.py"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_nothing_gets_too_large(package: Path) -> None:
    too_large = []
    for path in sources(package):
        lines = path.read_text("utf-8").count("\n")
        if lines > MODULE_LINES:
            too_large.append(f"{path.name}: {lines} lines")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES:
                    too_large.append(f"{path.name}: {node.name} has {length} lines")
    assert too_large == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_module_is_named_after_what_is_in_it(package: Path) -> None:
    names = {part for path in sources(package) for part in path.relative_to(package).with_suffix("").parts}
    assert not names & EMPTY_NAMES


def test_only_commands_print() -> None:
    for package in PACKAGES:
        for path in sources(package):
            printed = [
                node.lineno
                for node in ast.walk(parsed(path))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            ]
            assert not printed or "cli" in path.parts, f"{path.name} prints at line {printed[0]}"
