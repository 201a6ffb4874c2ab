"""Servers for the tests in a browser: as a user starts them, with traffic as users make it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commandline import Commandline
from processes import environment


def chat(facts: dict[str, Any], model: str = "auto", text: str = "Hello", **fields: object) -> str:
    """Send one chat request to a server; return its id, also when it was refused."""
    request = urllib.request.Request(
        f"{facts['openai_base_url']}/chat/completions",
        json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **fields}).encode(),
        {"Authorization": f"Bearer {facts['api_key']}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return str(answer.headers["X-Request-Id"])
    except urllib.error.HTTPError as refused:
        with refused:
            return str(refused.headers["X-Request-Id"])


def link(facts: dict[str, Any], folder: Path) -> str:
    """Print a one-time link, as a user who lost the first one does."""
    told = Commandline(folder).document(
        "dashboard", "link", "--data-dir", facts["data_dir"], "--url", facts["url"]
    )
    return str(told["url"])


class Services:
    """All services, simulated.

    :param told: what `freellm simulate` printed
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self._url = told["url"]
        self._variables: dict[str, dict[str, str]] = told["environment"]

    def addresses(self, *providers: str) -> dict[str, str]:
        """Return the variables that lead freellm there."""
        return {
            name: value
            for provider in providers
            for name, value in self._variables[provider].items()
            if name.startswith("FREELLM_")
        }

    def key(self, provider: str) -> str:
        """Return a key of a provider."""
        return next(v for name, v in self._variables[provider].items() if not name.startswith("FREELLM_"))

    def refuse_keys(self, provider: str) -> None:
        """Let a provider refuse every key that is checked from now on."""
        fault = {"provider": provider, "fault": "bad_key", "on": "probes", "times": None}
        self._control("POST", json.dumps(fault).encode())

    def recover(self) -> None:
        """Let everything work again."""
        self._control("DELETE")

    def _control(self, method: str, body: bytes | None = None) -> None:
        request = urllib.request.Request(f"{self._url}/sim/faults", body, method=method)
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def simulated_services() -> Iterator[Services]:
    """Run `freellm simulate`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "freellm", "simulate", "--port", "0", "--speed", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    try:
        yield Services(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
