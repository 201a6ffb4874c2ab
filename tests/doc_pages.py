"""The documentation as data: pages, code blocks, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parent.parent
DOCS = TOP / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), TOP / "README.md", TOP / "CONTRIBUTING.md"]

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: file=(?P<file>\S+))?[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) +(.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block of code.

    :param page: its page, relative to the top folder
    :param line: where it begins
    :param language: the first word after the fence
    :param file: the file it is the content of, when it says so (`file=NAME` after the language)
    """

    page: str
    line: int
    language: str
    file: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def text_of(page: str) -> str:
    """Return a page of `docs/`, by its name."""
    return (DOCS / page).read_text("utf-8")


@cache
def blocks(*languages: str) -> list[Block]:
    """Return the code blocks of all pages that are in one of some languages, in their order."""
    return [block for page in PAGES for block in _blocks(page) if block.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 2
        indent = len(match["indent"])
        content = "".join(row[indent:] for row in match["text"].splitlines(keepends=True))
        yield Block(str(page.relative_to(TOP)), line, match["language"], match["file"], content)


def prose(text: str) -> str:
    """Return a text without its code blocks."""
    return _FENCE.sub("", text)


def headings(text: str) -> list[tuple[int, str]]:
    """Return the headings of a text as (level, words)."""
    return [(len(marks), words.strip()) for marks, words in _HEADING.findall(prose(text))]


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, until the next one of any level."""
    _, _, rest = text.partition(f" {heading}\n")
    inside, lines = False, []
    for line in rest.splitlines(keepends=True):
        inside ^= line.startswith("```")
        if line.startswith("#") and not inside:
            break
        lines.append(line)
    return "".join(lines)


def rows(text: str) -> list[list[str]]:
    """Return the cells of every table row of a text; the heads and rules of tables are left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    tables = [
        line
        for number, line in enumerate(lines)
        if not {"|---"} & {line[:4], *(n[:4] for n in lines[number + 1 : number + 2])}
    ]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in tables]


def links(page: Path) -> list[str]:
    """Return the targets of a page's links that are not addresses."""
    found = _LINK.findall(prose(page.read_text("utf-8")))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    made = set()
    for _, words in headings(page.read_text("utf-8")):
        plain = re.sub(r"[^\w\- ]", "", words.replace("`", "").lower())
        made.add(plain.replace(" ", "-"))
    return made
