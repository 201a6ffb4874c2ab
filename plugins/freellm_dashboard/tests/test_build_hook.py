"""Wheels of the package: with the pages, and without them where they cannot be built or are not wanted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.installation, pytest.mark.timeout(600)]

PACKAGE = Path(__file__).parents[1]
ASSETS = "freellm_dashboard/assets/"


class Workshop:
    """A copy of the package, and a pip that builds wheels of it.

    :param folder: where they are
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "package"
        self.assets = self.package / "src" / "freellm_dashboard" / "assets"
        shutil.copytree(PACKAGE, self.package, ignore=shutil.ignore_patterns("node_modules", "assets"))
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)

    def build(self, **environment: str) -> tuple[set[str], str]:
        """Build a wheel; return the names of its files and what pip said."""
        wheels = self.folder / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        pip = subprocess.run(
            [self.folder / "venv/bin/pip", "-v", "wheel", "--no-deps", "-w", wheels, self.package],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return set(archive.namelist()), pip.stdout + pip.stderr


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_wheel_has_the_pages_and_they_are_built_once(workshop: Workshop) -> None:
    files, _ = workshop.build()
    pages = {name.removeprefix(ASSETS) for name in files if name.startswith(ASSETS)}
    assert "index.html" in pages
    scripts = [name for name in pages if name.endswith((".js", ".css"))]
    assert len(scripts) > 10
    big = [name for name in scripts if (workshop.assets / name).stat().st_size > 500]
    assert {f"{name}{suffix}" for name in big for suffix in (".br", ".gz")} <= pages
    assert not any("node_modules" in name or name.endswith((".tsx", "package.json")) for name in files)

    built = (workshop.assets / "index.html").stat().st_mtime_ns
    again, _ = workshop.build(
        npm_config_registry="http://127.0.0.1:9", npm_config_cache=str(workshop.folder / "cache")
    )
    assert (again, (workshop.assets / "index.html").stat().st_mtime_ns) == (files, built)


def test_without_a_registry_the_wheel_has_no_pages_and_pip_says_why(workshop: Workshop) -> None:
    workshop.assets.mkdir()
    (workshop.assets / "index.html").write_text("of other sources")
    files, said = workshop.build(
        npm_config_registry="http://127.0.0.1:9",
        npm_config_cache=str(workshop.folder / "cache"),
        npm_config_fetch_retries="0",
    )
    assert "freellm_dashboard/plugin.py" in files
    assert not any(name.startswith(ASSETS) for name in files)
    assert "the pages could not be built; the API works without them" in said


def test_the_pages_can_be_left_out(workshop: Workshop) -> None:
    files, said = workshop.build(FREELLM_DASHBOARD_WITHOUT_PAGES="1")
    assert "freellm_dashboard/plugin.py" in files
    assert not any(name.startswith(ASSETS) for name in files)
    assert "the pages are left out, as FREELLM_DASHBOARD_WITHOUT_PAGES asks" in said
    assert "nodejs" not in said
