"""The conformance kit finds what is planted, by the right check, and nothing in a sound provider."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from freellm.surfaces.openai.fields import CHECKS as FIELDS
from freellm.surfaces.openai.parsing import parse
from freellm.testing import examine, generating
from freellm.testing.contract import checks, result_of
from freellm.testing.requests import SAMPLES
from freellm.testing.subject import EXAMPLES, Subject
from freellm.testing.watching import ForbiddenError, calls_noted, no_input_or_output
from freellm.types import ChatRequest
from planted import FAULTS, Sound
from processes import environment

KNOWN = checks()
QUICK = [name for name in KNOWN if not name.startswith(("purity.", "generated."))]
HERE = Path(__file__).parent


def test_a_sound_provider_passes() -> None:
    results = list(examine("planted", Sound()))
    assert [result.check for result in results] == list(KNOWN)
    assert [result for result in results if result.status == "failed"] == []
    assert {r.check for r in results if r.status == "skipped"} == {"streams.a_case_streams", "golden.cases"}


def test_there_are_more_than_the_twelve_faults() -> None:
    assert len(FAULTS) >= 12
    assert {check.partition(".")[0] for _, check, _ in FAULTS.values()} == {
        name.partition(".")[0] for name in KNOWN
    } - {"golden"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_the_right_check(fault: str) -> None:
    plugin, check, hook = FAULTS[fault]
    subject = Subject.of("planted", plugin, examples=EXAMPLES)
    named = dict.fromkeys([*QUICK, check])
    failed = {
        name: result for name in named if (result := result_of(subject, name, KNOWN[name])).status == "failed"
    }
    assert check in failed
    found = failed[check]
    assert found.hook == hook
    assert found.what
    assert found.expected
    assert found.cure
    if check not in QUICK and check != "purity.no_io":  # what is stopped raises everywhere
        assert list(failed) == [check]  # nothing else is wrong with it


def test_every_check_says_what_the_contract_says() -> None:
    assert all((check.__doc__ or "").strip().endswith(".") for check in KNOWN.values())
    assert len({check.__doc__ for check in KNOWN.values()}) == len(KNOWN)


# -- what is generated ------------------------------------------------------------------------------------------


def body_of(request: ChatRequest) -> bytes:
    return orjson.dumps({"messages": request.messages, **request.parameters, "stream": request.stream})


@given(generating.chat_requests())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_generated_request_is_one_that_the_server_takes(request: ChatRequest) -> None:
    parsed = parse(body_of(request)).request
    assert parsed.messages == request.messages
    assert parsed.parameters == request.parameters


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_request_that_the_server_takes(name: str) -> None:
    parsed = parse(body_of(SAMPLES[name].request)).request
    assert parsed.messages == SAMPLES[name].request.messages


def test_every_field_of_a_request_is_generated() -> None:
    said_otherwise = {"max_completion_tokens", "functions", "tools"}
    assert set(FIELDS) - said_otherwise <= set(generating.PARAMETERS)


# -- what is watched --------------------------------------------------------------------------------------------


def test_input_and_output_are_stopped_in_this_thread_alone() -> None:
    seen: list[str] = []
    with no_input_or_output(seen):
        with pytest.raises(ForbiddenError):
            (HERE / "planted.py").open()
        with pytest.raises(ForbiddenError):
            socket.getaddrinfo("localhost", 80)
    assert [what.split()[0] for what in seen] == ["open", "socket.getaddrinfo"]
    assert (HERE / "planted.py").read_text("utf-8")


def test_another_thread_is_left_alone() -> None:
    begun, read, texts = threading.Event(), threading.Event(), []

    def other() -> None:
        begun.wait(10)
        texts.append((HERE / "planted.py").read_text("utf-8"))
        read.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_input_or_output():
        begun.set()
        assert read.wait(10)
    thread.join()
    assert texts


def test_an_import_may_read_its_file() -> None:
    sys.modules.pop("colorsys", None)
    seen: list[str] = []
    with no_input_or_output(seen):
        __import__("colorsys")
    assert seen == []


def test_computing_is_not_noted() -> None:
    with calls_noted() as seen:
        json.dumps({"a": [1, 2, 3]}, indent=1)
        sorted(str(number) for number in range(100))
        os.path.join("a", "b")  # noqa: PTH118 - it is what is tested
    assert seen == []


# -- as authors meet it -----------------------------------------------------------------------------------------


class Installed:
    """A faulty provider as an installed package, and commands that see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, code: str) -> None:
        (self.folder / "planted_one.py").write_text(dedent(code), "utf-8")
        info = self.folder / "planted_one-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: planted-one\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[freellm.providers]\nplanted = planted_one:plugin\n")

    def run(self, *arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
        """Run Python in an empty folder."""
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-X", "utf8", *(("-c", code) if code else ("-m",)), *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=100,
            cwd=empty,
            env=environment(PYTHONPATH=os.pathsep.join((str(self.folder), str(HERE)))),
            check=False,
        )

    def pytest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        plugins = ("-p", "no:asyncio", "-p", "no:cacheprovider", "-p", "no:xdist")
        return self.run("pytest", *plugins, *arguments)


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    site = Installed(tmp_path)
    site.install("from planted import FAULTS\nplugin = FAULTS['finishes twice'][0]")
    return site


def test_the_command_says_what_which_hook_and_the_cure(installed: Installed) -> None:
    ran = installed.run("freellm", "plugins", "check", "planted", "--examples", "0", "--json")
    assert ran.returncode == 1, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["provider"], told["distribution"], told["passed"]) == ("planted", "planted-one", False)
    found = {row["check"]: row for row in told["checks"] if row["status"] == "failed"}
    assert found["streams.grammar"]["hook"] == "normalize_stream"
    assert "a choice follows the finish" in found["streams.grammar"]["what"]
    assert "one finish reason" in found["streams.grammar"]["cure"]
    assert "finish_reason" in found["streams.grammar"]["example"]
    assert set(KNOWN) == {row["check"] for row in told["checks"]}


def test_the_command_prints_for_people(installed: Installed) -> None:
    ran = installed.run("freellm", "plugins", "check", "planted", "--examples", "0")
    assert ran.returncode == 1, ran.stderr
    assert "streams.grammar failed\n    found: normalize_stream makes chunks" in ran.stdout
    assert "planted breaks the contract: " in ran.stdout
    assert ran.stdout.count("failed\n    found: ") == ran.stdout.count("   failed")


def test_pytest_runs_the_contract_from_any_folder(installed: Installed) -> None:
    ran = installed.pytest(
        "--freellm-provider", "planted", "--freellm-examples", "0", "-k", "streams or hooks"
    )
    assert ran.returncode == 1, ran.stdout
    assert "freellm-planted streams.grammar" in ran.stdout
    assert "found: normalize_stream makes chunks that break OpenAI's grammar" in ran.stdout
    assert "cure: " in ran.stdout
    assert "pytest_contract.py" not in ran.stdout  # the kit's own lines help nobody


def test_pytest_runs_cases_of_a_folder(installed: Installed) -> None:
    cases = installed.folder / "cases"
    cases.mkdir()
    (cases / "wrong.json").write_text(
        json.dumps({"model": "large", "upstream": {"path": "/elsewhere"}}), "utf-8"
    )
    ran = installed.pytest("--freellm-provider", "planted", "--freellm-cases", str(cases), "-k", "golden")
    assert ran.returncode == 1
    assert "the case wrong differs" in ran.stdout
    ran = installed.run(
        "freellm", "plugins", "check", "planted", "--cases", str(cases), "--examples", "0", "--json"
    )
    (golden,) = [row for row in json.loads(ran.stdout)["checks"] if row["check"] == "golden.cases"]
    assert golden["status"] == "failed"


def test_a_plugin_that_cannot_be_asked_is_one_failure_with_its_cure(installed: Installed) -> None:
    installed.install("from planted import FAULTS\nplugin = FAULTS['misspells a hook'][0]")
    ran = installed.run("freellm", "plugins", "check", "planted", "--json")
    assert ran.returncode == 1
    (row,) = json.loads(ran.stdout)["checks"]
    assert "did you mean translate_request?" in row["what"]
    assert "1 failed" in installed.pytest("--freellm-provider", "planted").stdout


def test_a_plugin_that_is_a_file_is_checked_too(installed: Installed) -> None:
    data = installed.folder / "data"
    (data / "plugins").mkdir(parents=True, mode=0o700)
    (data / "plugins" / "lab.py").write_text(
        "from planted import Sound\nprovider = Sound(id='lab', title='Lab')\n", "utf-8"
    )
    place = ("--data-dir", str(data), "--examples", "0", "--json")
    ran = installed.run("freellm", "plugins", "check", "lab", *place)
    assert ran.returncode == 0, ran.stdout
    assert json.loads(ran.stdout)["distribution"].endswith("lab.py")
    assert "did you mean lab?" in installed.run("freellm", "plugins", "check", "lap", *place).stderr


def test_a_plugin_that_does_not_import_says_why(installed: Installed) -> None:
    installed.install("raise ImportError('no such luck')")
    ran = installed.run("freellm", "plugins", "check", "planted")
    assert ran.returncode == 2
    assert "no such luck" in ran.stderr
    assert "pip uninstall planted-one" in ran.stderr
    assert "no such luck" in installed.pytest("--freellm-provider", "planted").stdout


def test_a_name_that_is_not_installed_is_answered_by_the_nearest(installed: Installed) -> None:
    ran = installed.run("freellm", "plugins", "check", "plantd")
    assert ran.returncode == 2
    assert "did you mean planted?" in ran.stderr
    ran = installed.pytest("--freellm-provider", "plantd")
    assert ran.returncode == 4
    assert "did you mean planted?" in ran.stderr


def test_without_the_extra_the_kit_says_how_to_get_it(installed: Installed) -> None:
    absent = "import sys; sys.modules['hypothesis'] = None; "
    code = f"{absent}from freellm.cli import cli; cli(['plugins', 'check', 'planted'])"
    ran = installed.run(code=code)
    assert ran.returncode == 2
    assert "needs hypothesis" in ran.stderr
    assert "pip install 'freellm-core[testing]'" in ran.stderr
    alone = "import os; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'; "
    options = ["-p", "freellm.testing.pytest_plugin", "--freellm-provider", "planted"]
    ran = installed.run(code=f"{absent}{alone}import pytest; raise SystemExit(pytest.main({options!r}))")
    assert ran.returncode == 4
    assert "pip install 'freellm-core[testing]'" in ran.stderr


def test_a_run_without_the_option_imports_nothing_of_the_kit(installed: Installed) -> None:
    code = (
        "import sys, pytest; pytest.main(['-q', '-p', 'no:asyncio']);"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('freellm', 'msgspec', 'pydantic')))"
    )
    ran = installed.run(code=code)
    assert ran.stdout.splitlines()[-1] == str(["freellm", "freellm.testing", "freellm.testing.pytest_plugin"])
