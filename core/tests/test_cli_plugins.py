"""Broken plugins, installed as real packages: each is named with its cure, and nothing else breaks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from processes import environment

PLAIN = """
from freellm import OpenAICompatible, ProviderInfo, Catalogue, hookimpl

INFO = ProviderInfo(id={id!r}, title="T", signup_url="https://t.example", docs_url="https://t.example",
                    base_url="https://t.example")

class Plain(OpenAICompatible):
    {body}

provider = Plain(info=INFO, catalogue=Catalogue(models=()))
"""

SHELL = 'import click\n\n@click.command()\ndef shell():\n    """Hello."""\n    click.echo(\'hello from the plugin\')\n'


class Site:
    """A folder of installed packages.

    :param folder: put on the path of the processes
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def install(self, distribution: str, code: str, **points: str) -> None:
        """Install a package of one module, with entry points: group's last word = `name:attribute`."""
        module = distribution.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-1.2.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\n")
        (info / "entry_points.txt").write_text(
            "".join(
                f"[freellm.{group}]\n{name} = {module}:{attribute}\n"
                for group, point in points.items()
                for name, _, attribute in [point.partition(":")]
            )
        )

    def freellm(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as a process that sees the packages."""
        return subprocess.run(
            [sys.executable, "-m", "freellm", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            env=environment(
                PYTHONPATH=str(self.folder),
                FREELLM_DATA_DIR=str(self.data),
                FREELLM_CONFIG_DIR=str(self.folder / "config"),
                **variables,
            ),
            check=False,
        )

    def listed(self, **variables: str) -> dict[str, dict[str, Any]]:
        """Return the rows of `freellm plugins --json` by package."""
        ran = self.freellm("plugins", "--json", **variables)
        assert ran.returncode == 0, ran.stderr
        return {row["distribution"]: row for row in json.loads(ran.stdout)["plugins"]}

    def keys(self) -> list[dict[str, Any]]:
        """Return the rows of `freellm keys list --json`, without those of providers that need no key."""
        rows = json.loads(self.freellm("keys", "list", "--json").stdout)["keys"]
        return [row for row in rows if row["source"] != "keyless"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_installed_plugins_are_listed_with_package_version_and_hooks(site: Site) -> None:
    groq = site.listed()["freellm-provider-groq"]
    assert (groq["id"], groq["group"], groq["status"], groq["reason"]) == (
        "groq",
        "freellm.providers",
        "loaded",
        "",
    )
    assert {"translate_request", "check_key"} <= set(groq["hooks"])
    assert site.freellm("plugins").stdout == site.freellm("plugins", "list").stdout


PROVIDER = PLAIN.format(id="sick", body="{}")
BROKEN = {
    "import": (
        "raise RuntimeError('no such luck')",
        "quarantined",
        ["no such luck", "pip uninstall sick-one"],
    ),
    "exit": ("import sys\nsys.exit('bye')", "quarantined", ["bye", "pip uninstall sick-one"]),
    "attribute": ("", "quarantined", ["provider", "pip uninstall sick-one"]),
    "misspelt": (
        PROVIDER.format("@hookimpl\n    def translate_requests(self, request): ..."),
        "refused",
        ["no hook named translate_requests", "did you mean translate_request?"],
    ),
    "undecorated": (
        PROVIDER.format("def translate_request(self, request, model, key): ..."),
        "refused",
        ["translate_request is not a hook implementation", "put @hookimpl above it"],
    ),
    "coroutine": (
        PROVIDER.format("@hookimpl\n    async def check_key(self, key): ..."),
        "refused",
        ["check_key is a coroutine", "write it with def"],
    ),
    "unanswered": (
        "from freellm import hookimpl\nclass P:\n    @hookimpl\n    def declare_models(self): return []\nprovider = P()",
        "refused",
        ["does not answer", "translate_request", "OpenAICompatible"],
    ),
    "other id": (
        PLAIN.format(id="healthy", body="pass"),
        "refused",
        ["make the entry point's name and the id the same"],
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_provider_is_named_with_its_cure_and_the_others_are_loaded(site: Site, fault: str) -> None:
    code, status, says = BROKEN[fault]
    site.install("sick-one", code, providers="sick:provider")
    rows = site.listed()
    sick = rows["sick-one"]
    assert (sick["id"], sick["version"], sick["status"]) == ("sick", "1.2.3", status)
    for words in says:
        assert words in sick["reason"]
    assert rows["freellm-provider-groq"]["status"] == "loaded"
    assert "Traceback" not in site.freellm("plugins").stderr


def test_two_packages_with_one_name_are_both_named(site: Site) -> None:
    for package in ("twin-a", "twin-b"):
        site.install(package, PROVIDER.format("pass"), providers="sick:provider")
    rows = site.listed()
    for package in ("twin-a", "twin-b"):
        assert rows[package]["status"] == "refused"
        assert "twin-a and twin-b both provide 'sick'" in rows[package]["reason"]
        assert "pip uninstall twin-b" in rows[package]["reason"]


def test_a_broken_application_plugin_is_named_with_its_cure(site: Site) -> None:
    code = "from freellm import hookimpl\nclass P:\n    @hookimpl\n    def on_reqest(self, record): ...\nplugin = P()\n"
    site.install("sick-watcher", code, plugins="watcher:plugin")
    row = site.listed()["sick-watcher"]
    assert row["status"] == "refused"
    assert "did you mean on_request?" in row["reason"]


def test_a_plugin_is_imported_once_and_what_it_prints_stays_out_of_the_document(site: Site) -> None:
    code = f"open({str(site.folder / 'imports')!r}, 'a').write('x')\nprint('look at me')\n" + PROVIDER.format(
        "pass"
    )
    site.install("noisy", code, providers="sick:provider")
    assert site.listed()["noisy"]["status"] == "loaded"
    assert (site.folder / "imports").read_text() == "x"
    ran = site.freellm("keys", "list", "--json")
    assert json.loads(ran.stdout)["keys"] is not None
    assert "look at me" in ran.stderr


def test_plugins_are_listed_though_the_settings_are_wrong(site: Site) -> None:
    site.data.mkdir()
    (site.data / "config.toml").write_text("this is = = not toml")
    ran = site.freellm("plugins", "--json")
    assert ran.returncode == 0
    assert "config.toml" in ran.stderr
    assert json.loads(ran.stdout)["plugins"]


def test_plugins_that_are_left_out_are_listed_as_disabled(site: Site) -> None:
    rows = site.listed(FREELLM_LOAD_PLUGINS="groq")
    assert rows["freellm-provider-groq"]["status"] == "loaded"
    assert rows["freellm-provider-google"]["status"] == "disabled"


def test_a_key_of_a_broken_provider_is_orphaned_with_the_reason_and_can_be_removed(site: Site) -> None:
    site.install("sick-one", PROVIDER.format("pass"), providers="sick:provider")
    added = subprocess.run(
        [sys.executable, "-m", "freellm", "keys", "add", "sick", "--no-check", "--label", "ill"],
        input="some-secret-key",
        text=True,
        capture_output=True,
        env=environment(
            PYTHONPATH=str(site.folder),
            FREELLM_DATA_DIR=str(site.data),
            FREELLM_CONFIG_DIR=str(site.folder / "config"),
        ),
        check=False,
    )
    assert added.returncode == 0, added.stderr
    (site.folder / "sick_one.py").write_text("raise ImportError('gone')")
    (key,) = site.keys()
    assert key["state"] == "orphaned"
    assert "gone" in key["reason"]
    refused = site.freellm("keys", "add", "sick")
    assert refused.returncode == 2
    assert "gone" in refused.stderr
    assert site.freellm("keys", "remove", "ill").returncode == 0


def test_a_plugins_command_is_imported_only_when_it_is_run(site: Site) -> None:
    mark = site.folder / "imported"
    site.install("with-shell", f"open({str(mark)!r}, 'w')\n{SHELL}", commands="shell:shell")
    assert "From the plugin with-shell." in site.freellm("--help").stdout
    about = site.folder / "with_shell-1.2.3.dist-info" / "METADATA"
    about.write_text(f"{about.read_text().rstrip()}\nSummary: Opens a shell.\n")
    assert "Opens a shell (with-shell)." in site.freellm("--help").stdout
    assert site.listed()["with-shell"]["status"] == "on demand"
    assert not mark.exists()
    assert site.freellm("shell").stdout == "hello from the plugin\n"
    assert mark.exists()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise RuntimeError('no such luck')", "RuntimeError: no such luck"),
        ("shell = 5", "is of type int, not a click command"),
    ],
)
def test_a_broken_command_breaks_nothing_else_and_names_itself_and_the_cure(
    site: Site, code: str, says: str
) -> None:
    site.install("with-shell", code, commands="shell:shell")
    assert site.freellm("--help").returncode == 0
    ran = site.freellm("shell", "--whatever", "argument")
    assert ran.returncode == 2
    assert says in ran.stderr
    assert "pip uninstall with-shell" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_command_with_the_name_of_a_built_in_one_is_refused_by_name(site: Site) -> None:
    site.install("pirate", SHELL, commands="keys:shell")
    told = " ".join(site.freellm("--help").stdout.split())
    assert "the command 'keys' of pirate has the name of a built-in one" in told
    row = site.listed()["pirate"]
    assert row["status"] == "refused"
    assert "pip uninstall pirate" in row["reason"]
    assert site.keys() == []


def test_a_command_that_two_packages_offer_is_refused_by_name(site: Site) -> None:
    for package in ("shell-a", "shell-b"):
        site.install(package, SHELL, commands="shell:shell")
    ran = site.freellm("shell")
    assert ran.returncode == 2
    assert "shell-a and shell-b both offer the command 'shell'" in ran.stderr
    assert {site.listed()[package]["status"] for package in ("shell-a", "shell-b")} == {"refused"}
