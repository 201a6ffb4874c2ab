import re
from pathlib import Path

import pytest

from freellm.cli.exits import EXIT_CODES
from freellm.cli.reference import commands, rendered, renewed

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text("utf-8")


def test_the_generated_parts_are_as_the_commands_are(text: str) -> None:
    assert renewed(text) == text, "renew them: python -m freellm.cli.reference docs/cli.md"


def test_every_command_has_a_heading_and_its_options_under_it(text: str) -> None:
    sections = dict(re.findall(r"^### (freellm [^\n]+)\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE))
    assert sections.keys() == dict(commands()).keys()
    for words, command in commands():
        assert rendered(words, command) in sections[words]
        prose = re.sub(r"<!-- options.*<!-- end -->", "", sections[words], flags=re.DOTALL)
        assert len(prose.split()) > 10, f"{words}: say what it does and prints"


def test_every_exit_code_is_explained(text: str) -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert explained == {0, 1, 130, *EXIT_CODES.values()}


def test_a_block_of_a_command_that_is_gone_says_so() -> None:
    made = renewed("<!-- options: freellm dance -->\nold\n<!-- end -->")
    assert made == "<!-- options: freellm dance -->\nThere is no such command.\n<!-- end -->"
