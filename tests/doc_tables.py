"""The parts of the documentation that are made from the code.

A part stands between `<!-- NAME: generated … -->` and `<!-- end -->`. `python tests/doc_tables.py --write` makes all of
them anew, `--write docs/hooks.md` those of one page; `tests/test_docs.py` fails when one is not what it would make.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import doc_models
import doc_reference
from doc_pages import PAGES, TOP

PARTS: Mapping[str, Callable[[], str]] = {
    "providers": doc_models.summary,
    "overview": doc_models.brief,
    "models": doc_models.details,
    "settings": doc_reference.settings,
    "failures": doc_reference.failures,
    "vocabulary": doc_reference.vocabulary,
}

_PART = re.compile(r"(<!-- (\w+): generated[^\n]* -->\n).*?(<!-- end -->)", re.DOTALL)


def parts() -> Iterator[tuple[Path, str]]:
    """Iterate over the pages and the names of the parts in them."""
    for page in PAGES:
        yield from ((page, match[2]) for match in _PART.finditer(page.read_text("utf-8")))


def made(page: Path) -> str:
    """Return a page with its parts made anew."""
    return _PART.sub(lambda match: f"{match[1]}{PARTS[match[2]]()}\n{match[3]}", page.read_text("utf-8"))


def write(pages: Sequence[Path]) -> None:
    """Write the pages whose parts have changed; no pages are all of them."""
    for page in dict.fromkeys(page for page, _ in parts()):
        text = made(page)
        if (not pages or page in pages) and text != page.read_text("utf-8"):
            page.write_text(text, "utf-8")
            print(f"wrote {page.relative_to(TOP)}")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--write"]:
        sys.exit(__doc__)
    write([Path(name).absolute() for name in sys.argv[2:]])
