"""The proxies under test: how each is prepared and started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import orjson

from benchmarks.processes import TESTS, BenchmarkError, Cores, Running, running
from benchmarks.wire import free_port

CHAT_PATH: Final = "/v1/chat/completions"
UPSTREAM_CHAT_PATH: Final = "/groq/openai/v1/chat/completions"
KEPT_ENVIRONMENT: Final = ("PATH", "LANG", "TMPDIR", "VIRTUAL_ENV")
"""All that freellm inherits: a provider key in the caller's environment must not join the pool."""


class Contestant(Protocol):
    """A proxy that can be started again and again."""

    name: str

    @contextmanager
    def start(self) -> Iterator[tuple[Running, int]]:
        """Run it while the context lasts; give the process and its port."""


class Bare:
    """The bare aiohttp JSON proxy.

    :param upstream_port: the mock upstream
    :param folder: where its output goes
    :param cores: where it runs
    """

    name = "bare"

    def __init__(self, upstream_port: int, folder: Path, cores: Cores) -> None:
        self._url = f"http://127.0.0.1:{upstream_port}{UPSTREAM_CHAT_PATH}"
        self._log = folder / "bare.log"
        self._core = cores.proxy

    @contextmanager
    def start(self) -> Iterator[tuple[Running, int]]:
        """Run it on a fresh port."""
        port = free_port()
        arguments = ["-m", "benchmarks.bare", str(port), self._url]
        with running(arguments, self._core, self._log) as process:
            yield process, port


class Freellm:
    """freellm with all three reference providers and everything on.

    Its keys are added once, by the command line, to a data folder that every start then uses.

    :param upstream_port: the mock upstream
    :param folder: an empty folder for its data and its output
    :param cores: where it runs
    :param keys_each: how many keys each provider gets
    """

    name = "freellm"

    def __init__(self, upstream_port: int, folder: Path, cores: Cores, keys_each: int) -> None:
        self._data = folder / "data"
        self._log = folder / "freellm.log"
        self._core = cores.proxy
        base = f"http://127.0.0.1:{upstream_port}"
        self._environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ} | {
            "HOME": str(folder),
            "FREELLM_DATA_DIR": str(self._data),
            "FREELLM_API_KEY": "fl-bench",
            "FREELLM_GROQ_BASE_URL": f"{base}/groq/openai/v1",
            "FREELLM_GOOGLE_BASE_URL": f"{base}/google/v1beta",
            "FREELLM_CLOUDFLARE_BASE_URL": f"{base}/cloudflare/client/v4",
        }
        for number in range(1, keys_each + 1):
            self._add_key("groq", number, f"gsk_bench{number}")
            self._add_key("google", number, f"AIzabench{number}")
            self._add_key("cloudflare", number, f"{number:032x}:token{number}")

    def _add_key(self, provider: str, number: int, key: str) -> None:
        label = f"bench{number}"
        self._command(["keys", "add", provider, "--label", label, "--unlimited"], key + "\n")

    def link_token(self, port: int) -> str:
        """Return the secret of a new link, by which a page of the dashboard signs in."""
        told = self._command(["dashboard", "link", "--url", f"http://127.0.0.1:{port}", "--json"])
        return str(orjson.loads(told)["url"]).partition("token=")[2]

    def _command(self, arguments: list[str], typed: str = "") -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "freellm", *arguments],
            input=typed.encode(),
            capture_output=True,
            cwd=TESTS,
            env=self._environment,
            timeout=30,
            check=False,
        )
        if done.returncode:
            output = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
            raise BenchmarkError(f"freellm {' '.join(arguments)} ended with {done.returncode}: {output}")
        return done.stdout

    def help_seconds(self) -> float:
        """Return how long `freellm --help` takes, interpreter included."""
        started = time.perf_counter()
        self._command(["--help"])
        return time.perf_counter() - started

    @contextmanager
    def start(self) -> Iterator[tuple[Running, int]]:
        """Run `freellm serve` on a fresh port."""
        port = free_port()
        arguments = ["-m", "freellm", "serve", "--port", str(port), "--data-dir", str(self._data)]
        with running(arguments, self._core, self._log, self._environment) as process:
            yield process, port
