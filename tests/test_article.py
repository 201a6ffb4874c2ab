"""The walk that introduced the original system: its snippets unchanged but for the key, and its stress test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commandline import Commandline
from processes import freellm_demo

SNIPPETS = {
    "chat": """
response = client.chat.completions.create(
    model="auto",  # let FreeLLMAPI pick the best available
    messages=[
        {"role": "user", "content": "Explain how neural networks learn in simple terms."}
    ]
)

print(response.choices[0].message.content)
print(response._routed_via)  # shows which provider served this request
""",
    "pinned": """
response = client.chat.completions.create(
    model="gemini-2.5-flash",  # pin to this specific model
    messages=[{"role": "user", "content": "Hello"}]
)
print(response.choices[0].message.content)
assert response._routed_via["model"] == "gemini-2.5-flash"
""",
    "streaming": """
stream = client.chat.completions.create(
    model="auto",
    messages=[{"role": "user", "content": "Write a short story about a robot."}],
    stream=True
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
""",
    "compare": """
models_to_test = [
    "gemini-2.5-flash",
    "llama-3.3-70b-versatile",
    "openai/gpt-oss-120b"
]

prompt = "Explain the difference between supervised and unsupervised learning in two sentences."

for model in models_to_test:
    response = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": prompt}]
    )
    print(f"\\n--- {model} ---")
    print(response.choices[0].message.content)
""",
}


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, str]]:
    with freellm_demo() as facts:
        yield facts


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_snippet_runs(demo: dict[str, str], name: str) -> None:
    head = (
        "from openai import OpenAI\n"
        f"client = OpenAI(base_url={demo['openai_base_url']!r}, api_key={demo['api_key']!r})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", head + SNIPPETS[name]], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "simulated" in ran.stdout


def test_freellm_compare_does_the_same_and_picks_models_of_several_families(
    demo: dict[str, str], tmp_path: Path
) -> None:
    line = Commandline(tmp_path, FREELLM_API_KEY=demo["api_key"])
    named = ("gemini-2.5-flash", "llama-3.3-70b-versatile", "openai/gpt-oss-120b")
    told = line.document("compare", "Hello", *(f"-m{model}" for model in named), "--url", demo["url"])
    assert [answer["asked"] for answer in told["answers"]] == list(named)
    for answer in told["answers"]:
        assert answer["text"].startswith(f"[simulated by {answer['model']}]")
        assert answer["model"].endswith(answer["asked"])
        assert 0 < answer["first_delta_ms"] <= answer["ms"]
        assert answer["tokens_in"] > 0
        assert answer["tokens_out"] > 0
        assert answer["attempts"] == 0
    picked = line.document("compare", "Hello", "--url", demo["url"])["answers"]
    assert len({answer["model"] for answer in picked}) == 3


def test_the_stress_test_succeeds_without_a_429_the_client_could_see(tmp_path: Path) -> None:
    """Groq and Google alone, with their real per-minute limits."""
    with freellm_demo(providers=("groq", "google")) as facts:
        ran = subprocess.run(
            [
                sys.executable, "-m", "freellm", "stress", "--requests", "100", "--delay", "0.2", "--model", "auto",
                "--url", facts["url"], "--json",
            ],
            capture_output=True,
            text=True,
            timeout=110,
            env={**os.environ, "FREELLM_API_KEY": facts["api_key"], "FREELLM_DATA_DIR": str(tmp_path)},
            check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)
    assert figures["succeeded"] == 100
    assert figures["client_429s"] == 0
    assert figures["upstream_429s"] <= 1
    assert len(figures["models"]) >= 2
