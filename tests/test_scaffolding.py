"""`freellm plugins new`: packages that are installable, tested and documented at once, and answer requests."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from commandline import Commandline, answering
from doc_install import importable, write_metadata
from freellm.testing import check_completion, check_stream
from processes import environment
from running import running_proxy
from upstreams import CountingUpstream

KINDS = ("plain", "override", "dialect")
KEYS = {"plain": "any-key", "override": "project-7:any-key", "dialect": "any-key"}


def name_of(kind: str) -> str:
    return f"example-{kind}"


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A kind, and the project that was made of it, installed as pip install -e would."""
    kind, folder = request.param, tmp_path_factory.mktemp("made")
    Commandline(folder).run("plugins", "new", name_of(kind), "--kind", kind, "--directory", str(folder))
    project = folder / f"freellm-provider-{name_of(kind)}"
    write_metadata(project)
    return kind, project


def test_its_own_tests_and_the_contract_pass(made: tuple[str, Path]) -> None:
    _, project = made
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:asyncio",
            "-p",
            "no:xdist",
            "-p",
            "no:cacheprovider",
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        cwd=project,
        env=environment(PYTHONPATH=str(project / "src")),
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "freellm-example" in ran.stdout or "passed" in ran.stdout


def test_the_check_passes_with_its_cases(made: tuple[str, Path], tmp_path: Path) -> None:
    kind, project = made
    with importable([project / "src"]):
        cases = ("--cases", str(project / "tests" / "cases"))
        told = Commandline(tmp_path).document("plugins", "check", name_of(kind), *cases)
    assert told["passed"]
    states = {row["check"]: row["status"] for row in told["checks"]}
    assert states["golden.cases"] == states["streams.cases_stream"] == "passed"


def test_it_is_a_package_as_every_other(made: tuple[str, Path]) -> None:
    kind, project = made
    stated = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert stated["project"]["name"] == f"freellm-provider-{name_of(kind)}"
    assert stated["project"]["entry-points"]["freellm.providers"].keys() == {name_of(kind)}
    assert name_of(kind) in (project / "README.md").read_text("utf-8")
    assert not [path for path in project.rglob("*") if "MODULE" in path.name or path.suffix == ".template"]
    allowed = {"freellm", f"freellm_provider_example_{kind}", *sys.stdlib_module_names}
    for path in (project / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] in allowed


def test_it_is_written_as_ruff_would(made: tuple[str, Path]) -> None:
    _, project = made
    for command in ("check", "format --check"):
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                *command.split(),
                "--isolated",
                "--no-cache",
                "--line-length",
                "110",
                ".",
            ],
            capture_output=True,
            text=True,
            cwd=project,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout


@contextmanager
def dialect_service() -> Iterator[str]:
    """A service that speaks the dialect of the template."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("x-api-key") != "any-key":
            return web.json_response({"problem": {"code": "who", "text": "unknown key"}}, status=401)
        if request.path == "/account":
            return web.json_response({"account": "a7"})
        asked = await request.json()
        text, tokens = f"You said {asked['turns'][-1]['text']}", {"in": 3, "out": 5}
        if not asked["stream"]:
            return web.json_response({"text": text, "finish": "done", "tokens": tokens})
        events = [{"piece": piece} for piece in text.split(" ", 1)] + [{"finish": "done", "tokens": tokens}]
        body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        return web.Response(text=body, content_type="text/event-stream")

    with answering(answer) as root:
        yield root


async def test_it_answers_through_the_gateway(made: tuple[str, Path], tmp_path: Path) -> None:
    kind, project = made
    name = name_of(kind)
    with importable([project / "src"]), CountingUpstream() as upstream, dialect_service() as dialect:
        base_urls = {name: dialect if kind == "dialect" else upstream.url}
        async with running_proxy(tmp_path, base_urls, keys={name: [KEYS[kind]]}) as proxy:
            whole = await proxy.chat(f"{name}/{name}-large")
            assert whole.headers["X-Routed-Via"] == f"{name}/{name}-large", await whole.text()
            check_completion(await whole.json())
            streamed = await proxy.chat(f"{name}/{name}-large", stream=True)
            report = check_stream(await streamed.read())
    assert report.finish_reason == "stop"
    assert report.text == ("You said Hello".replace(" ", "", 1) if kind == "dialect" else "Hi")


# -- what it refuses --------------------------------------------------------------------------------------------


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    line = Commandline(tmp_path)
    (tmp_path / "freellm-provider-acme").mkdir()
    told = line.refused("plugins", "new", "acme", "--directory", str(tmp_path))
    assert "exists already" in told
    assert "--directory" in told
    assert list((tmp_path / "freellm-provider-acme").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("Acme AI", "acme-ai"),
        ("7up", "up"),
        ("a--b", "a-b"),
        ("../x", "x"),
        ("acme_ai", "acme-ai"),
        ("", "letters"),
    ],
)
def test_a_name_that_is_no_id_is_refused_with_one_that_is(tmp_path: Path, name: str, cure: str) -> None:
    assert cure in Commandline(tmp_path).refused("plugins", "new", name, "--directory", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("freellm-provider")] == []


def test_a_name_that_is_installed_is_refused_with_the_package_that_has_it(tmp_path: Path) -> None:
    told = Commandline(tmp_path).refused("plugins", "new", "groq", "--directory", str(tmp_path))
    assert "pip uninstall freellm-provider-groq" in told


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_written_is_named() -> None:
    assert "cannot be written" in Commandline(Path("/tmp")).refused(
        "plugins", "new", "acme", "--directory", "/proc"
    )


def test_what_comes_next_is_told(tmp_path: Path) -> None:
    told = Commandline(tmp_path).document("plugins", "new", "acme", "--directory", str(tmp_path))
    assert told["next"] == [
        f"cd {tmp_path / 'freellm-provider-acme'}",
        "pip install -e '.[test]'",
        "pytest",
        "freellm plugins check acme",
    ]
    assert "tests/cases/plain.json" in told["files"]
    printed = Commandline(tmp_path).run("plugins", "new", "acme-two", "--directory", str(tmp_path)).stdout
    assert "freellm plugins check acme-two" in printed
