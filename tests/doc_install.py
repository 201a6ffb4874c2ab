"""Installing the tutorial's packages without pip: their files, and the metadata that pip would write beside them."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from doc_pages import Block


def write_files(blocks: Sequence[Block], folder: Path) -> None:
    """Write the blocks that are files."""
    for block in blocks:
        if block.file is not None:
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, "utf-8")


def write_metadata(project: Path) -> Path:
    """Write a `dist-info` into a project's source folder, as an editable installation has it; return that folder."""
    stated = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    facts, source = stated["project"], project / "src"
    packages = [
        project / package for package in stated["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ]
    assert all(package.is_dir() for package in packages)
    info = source / f"{facts['name'].replace('-', '_')}-{facts['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {facts['name']}\nVersion: {facts['version']}\n", "utf-8"
    )
    lines = []
    for group, points in facts["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    return source


@contextmanager
def importable(sources: Sequence[Path]) -> Iterator[None]:
    """Let this process import from some folders, and forget what it imported when the context ends."""
    before = set(sys.modules)
    sys.path[:0] = map(str, sources)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        del sys.path[: len(sources)]
        for name in set(sys.modules) - before:
            if name.startswith(("freellm_provider_example", "freellm_tally")):
                del sys.modules[name]
