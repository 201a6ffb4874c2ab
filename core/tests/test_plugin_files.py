"""Plugins that are one file in the data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from freellm.extensions import load_extensions
from freellm.measurements import Measured
from freellm.plugin_files import load_files
from freellm.plugins import PLUGINS, PROVIDERS, PluginRecord
from freellm.providers import load_providers
from installing import Site, site

__all__ = ["site"]

LAB = """
from freellm import Catalogue, OpenAICompatible, ProviderInfo

provider = OpenAICompatible(
    info=ProviderInfo(id="{id}", title="Lab", signup_url="https://lab.test", docs_url="https://lab.test",
                      base_url="https://lab.test/v1"),
    catalogue=Catalogue(models=()),
)
"""

COUNTER = """
from freellm import hookimpl

class Counter:
    @hookimpl
    def register_strategies(self, register):
        register("counted", lambda provider, model: 1.0)

plugin = Counter()
"""


class Folder:
    """A data folder with plugin files."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.plugins = data / "plugins"
        self.plugins.mkdir(mode=0o700)

    def put(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.plugins / name
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    def load(self, only: list[str] | None = None) -> list[PluginRecord]:
        return load_files(self.data, only)


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Folder:
    """A data folder, while nothing is installed but what a test installs."""
    (tmp_path / "data").mkdir()
    return Folder(tmp_path / "data")


def test_without_a_folder_there_is_nothing(tmp_path: Path) -> None:
    assert load_files(tmp_path) == []


def test_a_provider_is_called_what_it_calls_itself(folder: Folder) -> None:
    path = folder.put("my-lab.py", LAB.format(id="lab"))
    files = folder.load()
    (lab,), (record,) = load_providers(files=files)
    assert (lab.name, lab.info.title) == ("lab", "Lab")
    assert (record.id, record.status, record.distribution, record.version) == ("lab", "loaded", str(path), "")
    assert "translate_request" in record.hooks


def test_a_plugin_is_called_as_its_file(folder: Folder) -> None:
    folder.put("counter.py", COUNTER)
    extensions, (record,) = load_extensions(files=folder.load())
    strategies: dict[str, object] = {}
    extensions.register_strategies(strategies.__setitem__, lambda provider, model: Measured())
    assert (record.id, record.group, list(strategies)) == ("counter", PLUGINS, ["counted"])


def test_a_file_may_be_both_and_runs_once(folder: Folder) -> None:
    folder.put(
        "both.py", f"import sys\nsys.runs = getattr(sys, 'runs', 0) + 1\n{LAB.format(id='lab')}{COUNTER}"
    )
    try:
        assert [(r.id, r.group) for r in folder.load()] == [("lab", PROVIDERS), ("both", PLUGINS)]
        assert sys.runs == 1  # type: ignore[attr-defined]
    finally:
        del sys.runs  # type: ignore[attr-defined]


def test_no_compiled_copy_is_kept(folder: Folder) -> None:
    folder.put("counter.py", COUNTER)
    folder.load()
    assert [path.name for path in folder.plugins.iterdir()] == ["counter.py"]


def test_notes_and_halves_are_left_alone(folder: Folder) -> None:
    for name in ("_half.py", ".hidden.py", "readme.txt"):
        folder.put(name, "1 / 0")
    assert folder.load() == []


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("1 / 0", "quarantined", "ZeroDivisionError: division by zero; mend it, or remove it: rm "),
        ("def", "quarantined", "SyntaxError"),
        ("raise SystemExit(3)", "quarantined", "SystemExit"),
        ("x = 1", "refused", "exports nothing; call the object in it provider, or plugin"),
    ],
)
def test_a_broken_file_says_what_is_wrong_and_stops_nobody(
    folder: Folder, text: str, status: str, says: str
) -> None:
    path = folder.put("broken.py", text)
    folder.put("lab.py", LAB.format(id="lab"))
    (lab,), records = load_providers(files=folder.load())
    broken = next(record for record in records if record.id == "broken")
    assert (lab.name, broken.status) == ("lab", status)
    assert says in broken.reason
    assert str(path) in broken.reason
    assert "freellm_plugin_file_broken" not in sys.modules or status == "refused"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("provider = object()", "it does not answer"),
        (LAB.format(id="lab") + "provider = type(provider)", "is a class"),
        (COUNTER.replace("register_strategies", "register_strategy"), "did you mean register_strategies?"),
    ],
)
def test_a_file_is_refused_for_what_a_package_is_refused_for(folder: Folder, text: str, says: str) -> None:
    folder.put("odd.py", text)
    files = folder.load()
    records = [*load_providers(files=files)[1], *load_extensions(files=files)[1]]
    assert [(record.id, record.status) for record in records] == [("odd", "refused")]
    assert says in records[0].reason


@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing here")
class TestWhoMayWrite:
    @pytest.mark.parametrize(("mode", "refused"), [(0o644, False), (0o620, True), (0o602, True)])
    def test_a_file_that_others_may_write_is_not_run(self, folder: Folder, mode: int, refused: bool) -> None:
        path = folder.put("evil.py", "raise AssertionError" if refused else COUNTER, mode)
        (record,) = folder.load()
        assert record.status == ("refused" if refused else "loaded")
        assert (f"chmod go-w {path}" in record.reason) is refused

    def test_the_cure_cures(self, folder: Folder) -> None:
        path = folder.put("counter.py", COUNTER, 0o666)
        path.chmod(path.stat().st_mode & ~0o022)
        assert folder.load()[0].status == "loaded"

    def test_neither_is_one_in_a_folder_that_others_may_write(self, folder: Folder) -> None:
        folder.put("counter.py", COUNTER)
        folder.plugins.chmod(0o777)
        (record,) = folder.load()
        assert record.status == "refused"
        assert f"chmod go-w {folder.plugins}" in record.reason

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
    def test_neither_is_one_of_another_user(self, folder: Folder) -> None:
        os.chown(folder.put("counter.py", COUNTER), 12345, 12345)
        (record,) = folder.load()
        assert record.status == "refused"
        assert "belongs to another user" in record.reason


@pytest.mark.parametrize(
    ("only", "loaded"), [(None, ["a", "b"]), ([], []), (["a"], ["a"]), (["b.py"], ["b"]), (["else"], [])]
)
def test_only_what_is_named_is_run(folder: Folder, only: list[str] | None, loaded: list[str]) -> None:
    for name in ("a.py", "b.py"):
        folder.put(name, COUNTER if only is None or name[0] in loaded else "1 / 0")
    records = folder.load(only)
    assert [record.id for record in records if record.status == "loaded"] == loaded
    off = [record for record in records if record.id not in loaded]
    assert {record.reason for record in off} <= {"not named in FREELLM_LOAD_PLUGINS"}


class TestNamesakes:
    def test_a_file_and_a_package_of_one_provider_are_both_refused(self, folder: Folder, site: Site) -> None:
        site.install(
            "freellm-lab", LAB.format(id="lab"), group=PROVIDERS, points={"lab": "freellm_lab:provider"}
        )
        path = folder.put("copy.py", LAB.format(id="lab"))
        providers, records = load_providers(files=folder.load())
        assert providers == []
        assert [record.status for record in records] == ["refused", "refused"]
        for record in records:
            assert "freellm-lab" in record.reason
            assert f"both provide 'lab'; remove one of them: rm {path}" in record.reason

    def test_naming_one_of_them_settles_it(self, folder: Folder, site: Site) -> None:
        site.install(
            "freellm-lab", LAB.format(id="lab"), group=PROVIDERS, points={"lab": "freellm_lab:provider"}
        )
        folder.put("copy.py", LAB.format(id="lab"))
        for only in (["copy"], ["freellm-lab"]):
            (lab,), _ = load_providers(only, load_files(folder.data, only))
            assert lab.name == "lab"

    def test_two_files_of_one_provider_are_both_refused(self, folder: Folder) -> None:
        for name in ("one.py", "two.py"):
            folder.put(name, LAB.format(id="lab"))
        providers, records = load_providers(files=folder.load())
        assert providers == []
        assert {record.status for record in records} == {"refused"}

    def test_a_provider_and_a_plugin_may_have_one_name(self, folder: Folder) -> None:
        folder.put("lab.py", LAB.format(id="lab") + COUNTER)
        files = folder.load()
        assert [record.status for record in load_providers(files=files)[1]] == ["loaded"]
        assert [record.status for record in load_extensions(files=files)[1]] == ["loaded"]
