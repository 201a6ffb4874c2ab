"""With pip, in plain virtual environments: two providers and no other, removed and brought back; and the tutorial."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from doc_pages import TOP
from processes import environment
from test_tutorial import STEPS, assert_answered, follow

pytestmark = [pytest.mark.installation, pytest.mark.timeout(600)]

TWO = ("groq", "cloudflare")


class Machine:
    """A virtual environment and a data folder, used as a person would.

    :param folder: where they are
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        self.bin = folder / "venv" / "bin"

    def run(self, command: str, *arguments: str, stdin: str = "", exit_code: int = 0) -> str:
        """Run a command of the environment in an empty folder; return what it printed."""
        ran = subprocess.run(
            [str(self.bin / command), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment(),
            check=False,
        )
        assert ran.returncode == exit_code, f"{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def environment(self) -> dict[str, str]:
        return environment(
            FREELLM_DATA_DIR=str(self.folder / "data"), FREELLM_CONFIG_DIR=str(self.folder / "config")
        )

    def pip(self, *arguments: str) -> None:
        self.run("pip", "--quiet", "--disable-pip-version-check", *arguments)

    def install(self, *projects: str) -> None:
        """Install packages of this repository, with the versions it is tested with."""
        self.pip(
            "install", "--constraint", str(TOP / "constraints.txt"), *(str(TOP / name) for name in projects)
        )

    def document(self, *arguments: str) -> Any:
        return json.loads(self.run("freellm", *arguments, "--json"))

    def providers(self) -> dict[str, str]:
        """Return the status of each provider by its id."""
        return {row["id"]: row["status"] for row in self.document("plugins")["plugins"]}

    def key_states(self) -> dict[str, str]:
        return {row["provider"]: row["state"] for row in self.document("keys", "list")["keys"]}

    @contextmanager
    def serving(self) -> Iterator[set[str]]:
        """Run the server; give the providers of the models it lists."""
        server = subprocess.Popen(
            [str(self.bin / "freellm"), "serve", "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment(),
        )
        assert server.stdout is not None
        try:
            facts = json.loads(server.stdout.readline())
            key = self.run("freellm", "apikey", "show").strip()
            asked = urllib.request.Request(
                f"{facts['openai_base_url']}/models", headers={"Authorization": f"Bearer {key}"}
            )
            with urllib.request.urlopen(asked) as answer:
                listed = json.load(answer)["data"]
            yield {row["owned_by"] for row in listed} - {"freellm"}
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
            server.stdout.close()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    made = Machine(tmp_path_factory.mktemp("machine"))
    made.install("core", *(f"freellm_provider_{name}" for name in TWO))
    return made


def test_two_providers_are_two_and_one_goes_and_comes_back_with_its_keys(machine: Machine) -> None:
    assert machine.providers() == dict.fromkeys(TWO, "loaded")
    machine.run("freellm", "keys", "add", "groq", "--no-check", stdin="gsk_not-a-real-key")
    machine.run("freellm", "keys", "add", "cloudflare", "--no-check", stdin=f"{'a' * 32}:not-a-real-key")
    with machine.serving() as listed:
        assert listed == {*TWO}

    machine.pip("uninstall", "--yes", "freellm-provider-groq")
    with machine.serving() as listed:
        assert listed == {"cloudflare"}
        assert machine.providers() == {"cloudflare": "loaded"}
        assert machine.key_states() == {"groq": "orphaned", "cloudflare": "untested"}

    machine.install("freellm_provider_groq")
    with machine.serving() as listed:
        assert listed == {*TWO}
        assert machine.key_states() == {"groq": "untested", "cloudflare": "untested"}


def test_a_broken_package_is_listed_and_removed_as_the_hint_says(machine: Machine) -> None:
    (module,) = machine.folder.glob("venv/lib/*/site-packages/freellm_provider_groq/__init__.py")
    module.write_text("raise RuntimeError('half an upgrade')", "utf-8")
    (row,) = [row for row in machine.document("plugins")["plugins"] if row["id"] == "groq"]
    assert row["status"] == "quarantined"
    hint = re.search(r"pip uninstall ([\w-]+)", row["reason"])
    assert hint is not None
    with machine.serving():
        machine.pip("uninstall", "--yes", hint[1])
    assert machine.providers() == {"cloudflare": "loaded"}


def test_the_kit_says_what_is_missing_without_its_extra(machine: Machine) -> None:
    ran = subprocess.run(
        [str(machine.bin / "freellm"), "plugins", "check", "cloudflare"],
        capture_output=True,
        text=True,
        env=machine.environment(),
        check=False,
    )
    assert ran.returncode == 2
    assert "pip install 'freellm-core[testing]'" in ran.stderr


def test_the_tutorial_works_with_the_real_pip(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    printed = follow(
        tmp_path,
        STEPS,
        PATH=os.pathsep.join((str(machine.bin), os.environ["PATH"])),
        CLONE=str(TOP),
        PIP_CONSTRAINT=str(TOP / "constraints.txt"),
        PIP_QUIET="1",
    )
    assert_answered(printed)
    assert "example keeps to the contract: " in printed
