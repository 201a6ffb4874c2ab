"""Distributions as if installed: a module and its metadata in a folder, found by the real importlib.metadata."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

LOADS = "loads.txt"
"""The file to which an installed module adds one character whenever it is imported."""


class Site:
    """A folder of installed distributions, and nothing else that is installed.

    :param folder: where they go
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules: list[str] = []

    def install(
        self,
        distribution: str,
        source: str = "",
        *,
        group: str,
        points: Mapping[str, str] | None = None,
        version: str = "1.0",
    ) -> None:
        """Install a distribution of one module.

        :param source: the module's code; importing it leaves a trace, see `loads`
        :param points: entry points, from name to `module:object`; one, named like the module's `plugin`, unless stated
        """
        module = distribution.replace("-", "_")
        self._modules.append(module)
        trace = f"import pathlib\nwith (pathlib.Path(__file__).parent / '{module}.{LOADS}').open('a') as f: f.write('x')\n"
        (self.folder / f"{module}.py").write_text(trace + dedent(source), "utf-8")
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = [f"{name} = {value}" for name, value in (points or {module: f"{module}:plugin"}).items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        files = [
            f"{module}.py",
            *(f"{info.name}/{name}" for name in ("METADATA", "entry_points.txt", "RECORD")),
        ]
        (info / "RECORD").write_text("".join(f"{name},,\n" for name in files))
        importlib.invalidate_caches()

    def loads(self, distribution: str) -> int:
        """Return how often a distribution's module was imported."""
        trace = self.folder / f"{distribution.replace('-', '_')}.{LOADS}"
        return len(trace.read_text()) if trace.exists() else 0

    def forget(self) -> None:
        """Take the installed modules out of the interpreter."""
        for module in self._modules:
            sys.modules.pop(module, None)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty site in place of the installed packages' metadata; their modules stay importable."""
    installed = Site(tmp_path / "site")
    installed.folder.mkdir()
    others = [entry for entry in sys.path if not entry.endswith("site-packages")]
    monkeypatch.setattr(sys, "path", [str(installed.folder), *others])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield installed
    installed.forget()
