import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from commandline import Commandline
from freellm.cli import cli
from freellm.cli.commands import COMMANDS
from freellm.cli.exits import EXIT_CODES, exit_code
from freellm.cli.reference import commands
from freellm.errors import (
    FreeLLMError,
    PluginError,
    SettingsError,
    StoreError,
    VaultError,
    WrongMasterKeyError,
)
from freellm.store import AlreadyRunningError, ServerLock, Store
from processes import environment

HEAVY = ("rich", "pydantic", "aiohttp", "cryptography", "sqlite_utils", "pluggy", "orjson", "msgspec")


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    return Commandline(tmp_path)


def imported_by(*arguments: str, path: Path | None = None) -> set[str]:
    """Return the names of the modules that a command imports."""
    script = (
        "import sys, json\n"
        "from freellm.cli import cli\n"
        f"cli({list(arguments)!r}, standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    variables = {"PYTHONPATH": str(path)} if path else {}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment(**variables),
        check=True,
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["keys", "--help"], ["keys", "add", "--help"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    loaded = imported_by(*arguments)
    assert "freellm.cli" in loaded
    assert not loaded & set(HEAVY)


def test_help_imports_no_plugin() -> None:
    assert not {
        name for name in imported_by("--help") if name.startswith(("freellm_provider", "freellm_sim"))
    }


def test_the_help_of_the_program_says_of_each_command_what_the_command_says() -> None:
    listed = CliRunner().invoke(cli, ["--help"]).output
    for name, row in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(row.help)}$", listed, re.MULTILINE)
    for words, command in commands():
        group, _, name = words.removeprefix("freellm ").rpartition(" ")
        rows = COMMANDS[group].target if group else COMMANDS
        assert not isinstance(rows, str)
        assert command.get_short_help_str(limit=200) == rows[name].help, words
        assert command.name == name


def test_every_command_has_json_and_every_option_a_help() -> None:
    found = dict(commands())
    assert {"freellm serve", "freellm stress", "freellm keys import", "freellm fallback sort"} <= found.keys()
    for words, command in found.items():
        options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        assert "as_json" in {option.name for option in options}, words
        assert all(option.help for option in options), words


def test_python_m_freellm_is_freellm(line: Commandline) -> None:
    ran = line.process("--version")
    assert re.fullmatch(r"freellm \d+\.\d+\.\d+\n", ran.stdout)
    assert line.process("--help").stdout.startswith("Usage: freellm ")


@pytest.mark.parametrize(
    ("typed", "meant"), [(["kyes"], "keys"), (["keys", "lst"], "list"), (["fallback", "mov"], "move")]
)
def test_a_typo_is_answered_by_the_nearest_command(line: Commandline, typed: list[str], meant: str) -> None:
    assert f"did you mean {meant}?" in line.run(*typed, exit_code=2).stderr


def test_a_command_that_is_like_none_is_answered_by_all(line: Commandline) -> None:
    assert "add, list, check, edit, remove, import" in line.run("keys", "xyzzy", exit_code=2).stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FreeLLMError("x"), 1),
        (VaultError("x"), 1),
        (SettingsError("x"), 2),
        (PluginError("x"), 2),
        (WrongMasterKeyError("x"), 3),
        (StoreError("x"), 4),
        (AlreadyRunningError("x"), 5),
    ],
)
def test_errors_have_exit_codes(error: FreeLLMError, code: int) -> None:
    assert exit_code(error) == code


def test_exit_codes_are_of_errors_that_exist() -> None:
    named = {
        kind.__name__
        for kind in (SettingsError, PluginError, WrongMasterKeyError, AlreadyRunningError, StoreError)
    }
    assert EXIT_CODES.keys() == named


def test_another_master_key_is_exit_3_and_changes_nothing(line: Commandline, tmp_path: Path) -> None:
    key = line.run("apikey", "show").stdout
    before = (line.data / "freellm.db").read_bytes()
    other = Commandline(tmp_path, FREELLM_MASTER_KEY="another-master-key-that-is-long-enough")
    assert "encrypted with master key" in other.refused("apikey", "show", exit_code=3)
    other.refused("keys", "list", exit_code=3)
    assert (line.data / "freellm.db").read_bytes() == before
    assert line.run("apikey", "show").stdout == key


def test_a_damaged_database_is_exit_4(line: Commandline) -> None:
    line.data.mkdir(parents=True)
    (line.data / "freellm.db").write_text("no database\n" * 500)
    assert "The file was not changed" in line.refused("apikey", "show", exit_code=4)


def test_a_second_server_is_exit_5(line: Commandline) -> None:
    with ServerLock(line.data):
        ran = line.process("serve", "--port", "0")
    assert ran.returncode == 5
    assert "already runs" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_misspelt_setting_is_exit_2(line: Commandline) -> None:
    line.data.mkdir(parents=True)
    (line.data / "config.toml").write_text("prot = 4\n")
    sentence = line.refused("keys", "list")
    assert "config.toml" in sentence
    assert "did you mean port?" in sentence


def test_a_setting_for_a_provider_that_is_not_installed_is_exit_2(line: Commandline) -> None:
    line.variables["FREELLM_GROK_BASE_URL"] = "http://127.0.0.1:1"
    assert "did you mean groq?" in line.refused("keys", "list")


def test_the_data_folder_of_the_command_line_wins(line: Commandline, tmp_path: Path) -> None:
    other = tmp_path / "other"
    line.run("apikey", "show", "--data-dir", str(other))
    assert (other / "freellm.db").exists()
    assert not line.data.exists()


def test_the_unified_key_is_printed_alone_and_stays(line: Commandline) -> None:
    first = line.run("apikey", "show")
    assert re.fullmatch(r"fl-[\w-]{43}\n", first.stdout)
    assert first.stderr == ""
    assert line.document("apikey", "show") == {"api_key": first.stdout.strip(), "source": "database"}


def test_a_rotated_unified_key_takes_the_old_ones_place_and_the_server_can_tell(line: Commandline) -> None:
    old = line.run("apikey", "show").stdout
    with Store(line.data) as store:
        before = store.data_version()
        rotated = line.run("apikey", "rotate")
        assert store.data_version() != before
    assert rotated.stdout != old
    assert "within a second" in rotated.stderr
    assert line.run("apikey", "show").stdout == rotated.stdout
    new = line.document("apikey", "rotate")
    assert new["api_key"] == line.document("apikey", "show")["api_key"] != rotated.stdout.strip()


def test_a_fixed_unified_key_is_shown_and_not_rotated(line: Commandline) -> None:
    line.variables["FREELLM_API_KEY"] = "fl-fixed-by-me"
    assert line.document("apikey", "show") == {"api_key": "fl-fixed-by-me", "source": "FREELLM_API_KEY"}
    sentence = line.refused("apikey", "rotate")
    assert "FREELLM_API_KEY fixes" in sentence
    assert "fl-fixed-by-me" not in sentence
