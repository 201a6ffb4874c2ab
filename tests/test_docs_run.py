"""The documentation's code blocks run: against a demo or on their own. Those of the tutorial: test_tutorial.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from doc_pages import Block, blocks
from doc_source import hooks
from freellm.extensions import Extensions
from freellm.hookspecs import ProviderSpec
from freellm.providers import Provider
from processes import environment, freellm_demo

PYTHON = [block for block in blocks("python") if block.file is None]
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
