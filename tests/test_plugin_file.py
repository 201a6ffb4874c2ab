"""A provider that is one file, from the folder to an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from commandline import Commandline
from running import running_proxy
from upstreams import CountingUpstream

LAB = """
from freellm import Catalogue, Model, OpenAICompatible, ProviderInfo

provider = OpenAICompatible(
    info=ProviderInfo(id="lab", title="My lab", signup_url="https://lab.test", docs_url="https://lab.test",
                      base_url="https://lab.test/v1", environment=("LAB_API_KEY",)),
    catalogue=Catalogue(models=(Model(id="m", family="m", source="me", checked="2026-11-25"),)),
)
"""


@pytest.fixture
def upstream() -> Iterator[CountingUpstream]:
    with CountingUpstream() as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that holds the file."""
    plugins = tmp_path / "data" / "plugins"
    plugins.mkdir(mode=0o700, parents=True)
    (plugins / "lab.py").write_text(LAB, "utf-8")
    (plugins / "lab.py").chmod(0o600)
    return tmp_path / "data"


async def test_a_file_answers_requests(data: Path, upstream: CountingUpstream) -> None:
    async with running_proxy(data.parent, {"lab": upstream.url}) as proxy:
        answer = await proxy.chat("lab/m")
        assert answer.status == 200
        assert answer.headers["X-Routed-Via"] == "lab/m"
    assert upstream.count == 1


def test_commands_know_a_file(data: Path, tmp_path: Path) -> None:
    line = Commandline(tmp_path, FREELLM_LOAD_PLUGINS="lab")
    rows = {row["id"]: row for row in line.document("plugins")["plugins"]}
    assert (rows["lab"]["status"], rows["lab"]["distribution"]) == (
        "loaded",
        str(data / "plugins" / "lab.py"),
    )
    added = line.document("keys", "add", "lab", "--no-check", stdin="a-key-of-the-lab")
    assert added["models"] == ["m"]
    (data / "plugins" / "lab.py").chmod(0o666)
    rows = {row["id"]: row for row in line.document("plugins")["plugins"]}
    assert rows["lab"]["status"] == "refused"
    assert "chmod go-w" in line.refused("keys", "add", "lab", stdin="another-key")
    (key,) = line.document("keys", "list")["keys"]
    assert key["state"] == "orphaned"


def test_the_settings_may_leave_a_file_out(data: Path, tmp_path: Path) -> None:
    line = Commandline(tmp_path, FREELLM_LOAD_PLUGINS="groq")
    rows = {row["id"]: row["status"] for row in line.document("plugins")["plugins"]}
    assert (rows["lab"], rows["groq"]) == ("disabled", "loaded")
