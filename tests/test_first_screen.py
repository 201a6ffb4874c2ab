"""The first screen of `freellm serve`: what it says can be pasted where the reader is."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from freellm.cli.banner import banner, program
from running import running_proxy

NOWHERE = "http://127.0.0.1:9"


async def screen(
    folder: Path, *names: str, keys: Mapping[str, list[str]] | None = None, demo: bool = False
) -> str:
    """Return the first screen with some providers.

    :param keys: keys in their one-line form, by provider; one for each unless stated
    """
    async with running_proxy(folder, dict.fromkeys(names, NOWHERE), keys=keys) as proxy:
        return banner(proxy.server, demo=demo, as_json=False)


async def test_a_long_list_of_providers_is_broken_between_them(tmp_path: Path) -> None:
    names = ("cerebras", "cloudflare", "cohere", "google", "groq", "mistral", "nvidia", "sambanova")
    lines = (await screen(tmp_path, *names, demo=True)).splitlines()
    listed = [line for line in lines if line.rstrip(",").endswith(names)]
    assert len(listed) > 1
    assert max(map(len, listed)) <= 100
    assert all(name in " ".join(listed) for name in names)


async def test_without_a_key_the_commands_stand_apart_from_the_addresses(tmp_path: Path) -> None:
    told = await screen(tmp_path, "groq", "cerebras", "github", keys={})
    (line,) = [line for line in told.splitlines() if "keys add groq" in line]
    command, _, url = line.strip().partition("   ")
    assert shlex.split(command)[-4:] == ["add", "groq", "--data-dir", str(tmp_path / "data")]
    assert url.strip() == "https://console.groq.com/keys"
    assert "serve --demo" in told
    assert "github" not in told


@pytest.mark.parametrize(("keys", "named"), [({}, True), ({"groq": ["gsk_test"]}, False)])
async def test_only_while_no_key_is_there_it_says_where_others_are(
    tmp_path: Path, keys: dict[str, list[str]], named: bool
) -> None:
    told = await screen(tmp_path, "kilo", "groq", keys=keys)
    assert ("keys list" in told) is named


def test_a_virtual_environment_is_named_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = tmp_path / "a folder" / "bin"
    scripts.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(scripts.parent))
    monkeypatch.setattr(sys, "argv", [str(scripts / "freellm"), "serve"])
    monkeypatch.setenv("PATH", str(scripts))
    assert shlex.split(program()) == [str(scripts / "freellm")]


@pytest.mark.parametrize("script", ["/usr/bin/freellm", "/x/freellm/__main__.py"])
def test_any_other_freellm_is_named_by_its_name(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [script, "serve"])
    assert program() == "freellm"


def test_a_freellm_that_every_terminal_finds_is_named_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts, everywhere = tmp_path / "venv" / "bin", tmp_path / "bin"
    for folder in (scripts, everywhere):
        folder.mkdir(parents=True)
        (folder / "freellm").touch(mode=0o755)
    monkeypatch.setattr(sys, "prefix", str(scripts.parent))
    monkeypatch.setattr(sys, "argv", [str(scripts / "freellm"), "serve"])
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (scripts, everywhere))))
    assert program() == "freellm"
