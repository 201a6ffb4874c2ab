"""A running server notices what commands change."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from commandline import Commandline
from processes import freellm_serving, models, soon


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    return Commandline(tmp_path)


@pytest.fixture
def url(line: Commandline) -> Iterator[str]:
    line.run("keys", "add", "groq", "--no-check", stdin="gsk_0123456789abcdef")
    with freellm_serving([], line.variables) as (_, facts):
        yield facts["url"]


def test_a_running_server_takes_over_models_keys_and_the_unified_key(line: Commandline, url: str) -> None:
    key = line.run("apikey", "show").stdout.strip()
    assert "openai/gpt-oss-120b" in models(url, key)
    line.run("models", "disable", "groq/openai/gpt-oss-120b")
    assert soon(lambda: "openai/gpt-oss-120b" not in models(url, key))
    line.run("keys", "add", "google", "--no-check", stdin="AIzaSyCanary-0123456789")
    assert soon(lambda: "gemini-2.5-flash" in models(url, key))
    new = line.run("apikey", "rotate").stdout.strip()
    assert soon(lambda: refuses(url, key))
    assert "gemini-2.5-flash" in models(url, new)


def refuses(url: str, key: str) -> bool:
    try:
        models(url, key)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == 401
    return False


def test_a_stress_test_finds_the_server_of_its_settings_and_its_key(line: Commandline, url: str) -> None:
    line.variables["FREELLM_PORT"] = url.rpartition(":")[2]
    ran: subprocess.CompletedProcess[str] = line.process(
        "stress", "--requests", "1", "--delay", "0", "--model", "nope", "--json"
    )
    assert ran.returncode == 1, ran.stderr
    assert json.loads(ran.stdout)["errors"].keys() == {"model_not_found"}
