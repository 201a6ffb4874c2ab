"""A provider that is uninstalled is gone at the next start, its keys are kept, and come back with it."""

from __future__ import annotations

import importlib
import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from commandline import Commandline
from running import running_proxy
from upstreams import CountingUpstream

NAMES = ("example-one", "example-two")
SOURCE = """
    from freellm import Catalogue, Model, OpenAICompatible, ProviderInfo

    provider = OpenAICompatible(
        info=ProviderInfo(
            id="{name}", title="{name}", signup_url="https://example.com", docs_url="https://example.com",
            base_url="https://api.example.com/v1",
        ),
        catalogue=Catalogue(
            models=(Model(id="{name}-large", family="{name}-large", source="https://example.com", checked="2026-11-24"),)
        ),
    )
"""


class Packages:
    """A folder of installed providers, seen by this process.

    :param folder: where they are put
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, code: str | None = None) -> None:
        module = f"freellm_provider_{name.replace('-', '_')}"
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{module}.py").write_text(code or dedent(SOURCE.format(name=name)), "utf-8")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: freellm-provider-{name}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[freellm.providers]\n{name} = {module}:provider\n")
        self.forget()

    def uninstall(self, name: str) -> None:
        module = f"freellm_provider_{name.replace('-', '_')}"
        (self.folder / f"{module}.py").unlink()
        shutil.rmtree(self.folder / f"{module}-1.0.dist-info")
        self.forget()

    def forget(self) -> None:
        """Be a process that has just been started."""
        for module in [module for module in sys.modules if module.startswith("freellm_provider_example")]:
            del sys.modules[module]
        importlib.invalidate_caches()


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    site = Packages(folder)
    for name in NAMES:
        site.install(name)
    yield site
    site.forget()


async def models_of(
    folder: Path, upstream: CountingUpstream, *pinned: str
) -> tuple[set[str], dict[str, int]]:
    """Start a proxy; return the providers of its models, and the status of a request pinned to each of some."""
    async with running_proxy(
        folder, dict.fromkeys(installed_names(), upstream.url), keys={}, load_plugins=list(NAMES)
    ) as proxy:
        async with proxy.session.get(f"{proxy.url}/v1/models", headers=proxy.headers) as response:
            listed = {row["id"].partition("-large")[0] for row in (await response.json())["data"]}
        answers = {name: await proxy.chat(f"{name}-large") for name in pinned}
        auto = await proxy.chat()
        assert auto.status == 200
        return listed & {*NAMES}, {name: answer.status for name, answer in answers.items()}


def installed_names() -> list[str]:
    points = importlib.metadata.entry_points(group="freellm.providers")
    return sorted({point.name for point in points} & {*NAMES})


async def test_uninstalled_means_gone_and_installed_again_means_back(
    packages: Packages, tmp_path: Path
) -> None:
    line = Commandline(tmp_path, FREELLM_LOAD_PLUGINS=",".join(NAMES))
    for name in NAMES:
        line.run("keys", "add", name, "--no-check", "--label", f"my {name}", stdin="a-secret-key")
    with CountingUpstream() as upstream:
        assert await models_of(tmp_path, upstream, *NAMES) == ({*NAMES}, dict.fromkeys(NAMES, 200))
        before = line.document("keys", "list")["keys"]

        packages.uninstall("example-two")
        assert await models_of(tmp_path, upstream, *NAMES) == (
            {"example-one"},
            {"example-one": 200, "example-two": 404},
        )
        rows = {row["provider"]: row for row in line.document("keys", "list")["keys"]}
        assert rows["example-two"]["state"] == "orphaned"
        assert "example-two" in rows["example-two"]["reason"]
        assert rows["example-one"]["state"] == "valid"  # it has answered
        assert "orphaned" in line.run("keys", "list").stdout
        assert "example-two" not in {row["id"] for row in line.document("plugins")["plugins"]}

        packages.install("example-two")
        after = line.document("keys", "list")["keys"]
        assert [(row["id"], row["label"], row["state"]) for row in after] == [
            (row["id"], row["label"], row["state"]) for row in before
        ]
        assert await models_of(tmp_path, upstream, *NAMES) == ({*NAMES}, dict.fromkeys(NAMES, 200))


async def test_a_broken_package_stops_neither_the_listing_nor_the_others(
    packages: Packages, tmp_path: Path
) -> None:
    line = Commandline(tmp_path, FREELLM_LOAD_PLUGINS=",".join(NAMES))
    line.run("keys", "add", "example-one", "--no-check", stdin="a-secret-key")
    line.run("keys", "add", "example-two", "--no-check", stdin="a-secret-key")
    packages.install("example-two", "raise RuntimeError('half an upgrade')")
    (row,) = [row for row in line.document("plugins")["plugins"] if row["id"] == "example-two"]
    assert row["status"] == "quarantined"
    assert "pip uninstall freellm-provider-example-two" in row["reason"]
    with CountingUpstream() as upstream:
        listed, _ = await models_of(tmp_path, upstream)
    assert listed == {"example-one"}
    packages.uninstall("example-two")  # as the hint says; the keys stay
    states = {row["provider"]: row["state"] for row in line.document("keys", "list")["keys"]}
    assert states == {"example-one": "valid", "example-two": "orphaned"}
