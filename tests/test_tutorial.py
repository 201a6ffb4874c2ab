"""Following the tutorial literally, in an empty folder, yields a working provider, and its plugin works too."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commandline import Commandline
from doc_install import importable, write_metadata
from doc_pages import TOP, Block, blocks, text_of
from processes import environment, free_port
from running import running_proxy
from upstreams import CountingUpstream

PAGE = "docs/write-a-provider.md"
STEPS = [
    block
    for block in blocks("sh", "python", "toml", "json")
    if block.page == PAGE and (block.language == "sh" or block.file)
]
PACKAGE = "freellm-provider-example"

PIP = f"""#!/bin/sh
# What pip install -e does, without the package index.
[ "$2" = "-e" ] || exit 0
exec "{sys.executable}" -c 'from commandline import Commandline
from doc_install import write_metadata; from pathlib import Path; write_metadata(Path("."))'
"""


def script(steps: list[Block]) -> str:
    """Return the tutorial as a shell script: its commands, and each file written where a reader would write it."""
    lines = ["set -eu", "trap 'kill $(jobs -p)' EXIT"]
    for step in steps:
        if step.file is None:
            lines.append(step.text)
        else:
            lines.append(
                f"mkdir -p $(dirname {step.file})\ncat > {step.file} <<'END OF FILE'\n{step.text}END OF FILE"
            )
    return "\n".join(lines)


def follow(folder: Path, steps: list[Block], **variables: str) -> str:
    """Follow the tutorial and return what it printed.

    :param variables: environment variables that differ
    """
    text = script(steps)
    for port in ("8099", "3001"):
        text = text.replace(port, str(free_port()))
    ran = subprocess.run(
        ["bash", "-c", text],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        cwd=folder,
        env=environment(
            PYTEST_ADDOPTS="-p no:asyncio -p no:xdist -p no:cacheprovider",
            FREELLM_CONFIG_DIR=str(folder / "config"),
            **variables,
        ),
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def stand_in(folder: Path) -> dict[str, str]:
    """Return the variables with which pip is a stand-in, and what it installs is found."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "pip").write_text(PIP)
    (tools / "pip").chmod(0o755)
    return {
        "CLONE": str(TOP),
        "PATH": os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": os.pathsep.join((str(folder / PACKAGE / "src"), str(Path(__file__).parent))),
    }


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the tutorial was followed, and what that printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    return folder / PACKAGE, follow(folder, STEPS, **stand_in(folder))


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial asks with curl")
def test_following_it_yields_a_provider_that_answers(followed: tuple[Path, str]) -> None:
    assert_answered(followed[1])


def assert_answered(printed: str) -> None:
    """Insist that the tutorial's request was answered by the tutorial's provider."""
    (line,) = re.findall(r'^\{.*"choices".*\}', printed, re.MULTILINE)
    answer = json.loads(line)
    assert answer["choices"][0]["message"]["content"] == "You said 'Hello'."
    assert answer["_routed_via"] == {"platform": "example", "model": "example-large"}


def test_its_tests_pass_before_and_after_and_the_check_finds_nothing(followed: tuple[Path, str]) -> None:
    assert len(re.findall(r"\d+ passed", followed[1])) == 2
    assert " failed in" not in followed[1]
    assert "example keeps to the contract: " in followed[1]


def test_the_tree_it_shows_is_what_there_is(tmp_path: Path) -> None:
    Commandline(tmp_path).run("plugins", "new", "example", "--directory", str(tmp_path))
    made = {
        path.name
        for path in (tmp_path / PACKAGE).rglob("*")
        if not re.search(r"dist-info|pycache", str(path))
    }
    tree = text_of("write-a-provider.md").partition("```text")[2].partition("```")[0]
    assert made <= set(re.findall(r"[\w.-]+", tree))


async def test_its_packages_answer_requests(followed: tuple[Path, str], tmp_path: Path) -> None:
    project = followed[0]
    if not list((project / "plugin" / "src").glob("*.dist-info")):
        write_metadata(project / "plugin")
    sources = [project / "src", project / "plugin" / "src"]
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
