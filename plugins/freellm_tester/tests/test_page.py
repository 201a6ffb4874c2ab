"""The page as it is used: `freellm tester` as a process beside a demo, asked through Gradio's own client and by plain HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from processes import environment, freellm_demo

WITHOUT = find_spec("gradio") is None or not entry_points(group="freellm.commands", name="tester")
with_gradio = pytest.mark.skipif(
    WITHOUT, reason="the tester is not installed here: pip install ./plugins/freellm_tester"
)


@pytest.mark.skipif(find_spec("gradio") is not None, reason="Gradio is installed here")
def test_without_gradio_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    from freellm_tester.command import tester

    ran = CliRunner(env={"FREELLM_DATA_DIR": str(tmp_path)}).invoke(tester, [])
    assert ran.exit_code == 1
    assert "pip install" in ran.stderr
    assert "gradio" in ran.stderr


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A demo, and the page beside it."""
    with freellm_demo(providers=("groq", "google")) as demo:
        variables = {
            "FREELLM_API_KEY": demo["api_key"],
            "FREELLM_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "freellm", "tester", "--port", "0", "--url", demo["url"], "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**variables),
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield {**json.loads(line), "api_key": demo["api_key"], "pid": process.pid}
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
            assert demo["api_key"] not in said


@pytest.fixture(scope="module")
def client(running: dict[str, Any]) -> Iterator[Any]:
    gradio_client = pytest.importorskip("gradio_client")
    made = gradio_client.Client(running["url"], verbose=False, analytics_enabled=False)
    yield made
    made.close()


@with_gradio
def test_the_models_are_those_of_the_proxy(client: Any) -> None:
    state, one, many, several = client.predict([], api_name="/models")
    assert "of 2 providers" in state
    names = [name for _, name in one["choices"]]
    assert names[0] == "auto"
    assert "openai/gpt-oss-120b" in names
    assert many["choices"] == several["choices"] == one["choices"]
    assert len(several["value"]) == 3


@with_gradio
def test_a_prompt_is_answered_with_its_headers(client: Any) -> None:
    facts, answer, head = client.predict("openai/gpt-oss-120b", "Hello", "", None, api_name="/ask")
    assert answer.startswith("[simulated by groq/openai/gpt-oss-120b]")
    assert "X-Routed-Via: groq/openai/gpt-oss-120b" in head.splitlines()
    assert "<b>groq/openai/gpt-oss-120b</b>" in facts


@with_gradio
def test_a_stress_test_is_figures_charts_and_phases(client: Any) -> None:
    job = client.submit("auto", 13, 0, "Hello", api_name="/stress")
    facts, latency, shares, phases = job.result(timeout=60)
    assert len(job.outputs()) > 1, "the chart is live"
    assert "<b>13 of 13</b>" in facts
    assert "<b>100.0%</b>" in facts
    assert latency.count("<circle") == 13
    assert shares.count("<li>") == len(phases["data"]) == 2
    assert [row[0] for row in phases["data"]] == ["Phase 1", "Phase 2"]
    assert "requests per minute are used" in phases["data"][1][3]


@with_gradio
def test_models_stand_side_by_side_and_one_that_fails_fails_no_other(client: Any) -> None:
    models = ["llama-3.3-70b-versatile", "missing"]
    table, answers = client.predict(models, "Hello", "", None, api_name="/compare")
    assert [row[:2] for row in table["data"]] == [
        ["llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"],
        ["missing", "failed"],
    ]
    assert "[simulated by groq/llama-3.3-70b-versatile]" in answers
    assert "failed: model_not_found (status 404)" in answers


@with_gradio
def test_the_key_is_in_no_page_and_nobody_else_is_answered(running: dict[str, Any]) -> None:
    with httpx.Client(base_url=running["url"], trust_env=False) as browser:
        page = browser.get("/")
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        for text in (page.text, browser.get("/config").text, browser.get("/gradio_api/info").text):
            assert running["api_key"] not in text
            assert "fonts.googleapis" not in text
        config = browser.get("/config").json()
        assert config["analytics_enabled"] is False
        assert browser.get("/", headers={"Host": "evil.example"}).status_code == 403
        refused = browser.post("/gradio_api/queue/join", json={}, headers={"Origin": "http://evil.example"})
        assert refused.status_code == 403


@with_gradio
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc here")
def test_the_key_is_no_argument(running: dict[str, Any]) -> None:
    arguments = Path(f"/proc/{running['pid']}/cmdline").read_bytes().split(b"\0")
    assert os.fsencode(running["api_key"]) not in arguments
