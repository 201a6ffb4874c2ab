"""The documentation's code blocks run: against a demo, on their own, or installed as the packages they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from doc_install import importable, write_files, write_metadata
from doc_pages import TOP, Block, blocks
from doc_source import hooks
from freellm.extensions import Extensions
from freellm.hookspecs import ProviderSpec
from freellm.providers import Provider
from processes import environment, freellm_demo
from running import running_proxy
from upstreams import CountingUpstream

PYTHON = [block for block in blocks("python") if block.file is None]
TUTORIAL = [
    block
    for block in blocks("python", "toml", "json")
    if block.file is not None and block.page == "docs/write-a-provider.md"
]
HOOKS = "docs/hooks.md"
ASKING = ("README.md", "docs/quickstart.md")
"""Pages whose blocks ask a server."""

ALONE = sorted({block.page for block in PYTHON} - {HOOKS, *ASKING})


def run(code: str, **variables: str) -> str:
    """Run Python code in a process of its own; return what it printed."""
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env=environment(**variables),
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def code_of(page: str) -> str:
    """Return a page's blocks as one program, as a reader would type them one after the other."""
    return "\n".join(block.text for block in PYTHON if block.page == page)


@pytest.fixture(scope="module")
def printed() -> Iterator[Mapping[str, Future[str]]]:
    """What the pages that ask a server print, asked all at once: the demo takes as long as real services do."""
    with freellm_demo() as facts, ThreadPoolExecutor() as threads:
        variables = {"OPENAI_BASE_URL": facts["openai_base_url"], "OPENAI_API_KEY": facts["api_key"]}
        yield {page: threads.submit(run, code_of(page), **variables) for page in ASKING}


@pytest.mark.parametrize("page", ASKING)
def test_a_page_runs_against_the_demo(printed: Mapping[str, Future[str]], page: str) -> None:
    assert "simulated" in printed[page].result()


@pytest.mark.parametrize("page", ALONE)
def test_a_page_runs_on_its_own(page: str) -> None:
    run(code_of(page))


EXAMPLES = [block for block in PYTHON if block.page == HOOKS]


@pytest.mark.parametrize(
    ("heading", "block"),
    list(zip(hooks(), EXAMPLES[1:], strict=True)),
    ids=lambda value: str(value).split("(")[0],
)
def test_a_hooks_example_runs_and_is_a_plugin_that_answers_it(heading: str, block: Block) -> None:
    hook = hooks()[heading].__name__
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(EXAMPLES[0].text, f"{EXAMPLES[0]}", "exec"), names)
    exec(compile(block.text, f"{block}", "exec"), names)
    plugin = names["plugin"]
    if hasattr(ProviderSpec, hook):
        assert hook in vars(type(plugin))
        assert hook in Provider("example", plugin).hooks
    else:
        assert Extensions([("example", plugin)]).hooks_of(plugin) == (hook,)


async def test_the_tutorials_packages_answer_requests(tmp_path: Path) -> None:
    write_files(TUTORIAL, tmp_path)
    sources = [write_metadata(tmp_path), write_metadata(tmp_path / "plugin")]
    with importable(sources), CountingUpstream() as upstream:
        async with running_proxy(tmp_path, {"example": upstream.url}, keys={"example": ["any-key"]}) as proxy:
            answer = await proxy.chat("example-large")
            assert answer.headers["X-Routed-Via"] == "example/example-large"
            assert upstream.count == 1
            gone = await (await proxy.chat("example-old")).json()
            assert "example-large took its place" in gone["error"]["message"]
            async with proxy.session.get(f"{proxy.url}/tally", headers=proxy.headers) as tally:
                assert await tally.json() == {"example/example-large": 2}
            async with proxy.session.get(f"{proxy.url}/tally") as refused:
                assert refused.status == 401


def test_the_tutorials_own_tests_pass_and_the_command_line_knows_its_plugins(tmp_path: Path) -> None:
    write_files(TUTORIAL, tmp_path)
    sources = [write_metadata(tmp_path), write_metadata(tmp_path / "plugin")]
    variables = {
        "PYTHONPATH": os.pathsep.join(map(str, sources)),
        "FREELLM_DATA_DIR": str(tmp_path / "data"),
        "FREELLM_CONFIG_DIR": str(tmp_path / "config"),
    }
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist", str(tmp_path / "tests")]
    with ThreadPoolExecutor() as threads:
        tested = threads.submit(
            run, f"import pytest; raise SystemExit(pytest.main({options!r}))", **variables
        )
        listed = threads.submit(run, "import freellm.cli as f; f.cli(['plugins', '--json'])", **variables)
    assert "1 passed" in tested.result()
    assert '"example"' in listed.result()
    assert '"tally"' in listed.result()


def test_every_file_of_the_tutorial_stands_in_the_tree_it_shows() -> None:
    tree = (
        (TOP / "docs" / "write-a-provider.md").read_text("utf-8").partition("```text")[2].partition("```")[0]
    )
    assert not [
        block.file
        for block in TUTORIAL
        if block.file and Path(block.file).name not in tree and "plugin" not in block.file
    ]
