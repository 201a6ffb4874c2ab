"""The command line as a test uses it: in this process on a data folder of its own, or as a process; and a web server
beside it, in a thread, because commands run their own event loop."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from aiohttp import web
from click.testing import CliRunner, Result

from freellm.cli import cli
from freellm.plugins import PLUGINS
from freellm.providers import load_providers
from processes import environment

WANTING_A_KEY = ",".join(
    [
        *(provider.name for provider in load_providers()[0] if not provider.info.keyless),
        *(point.name for point in entry_points(group=PLUGINS)),
    ]
)
"""All plugins but the providers that answer without a key: with these, nobody is ever without one."""


class Commandline:
    """Runs `freellm` on one data folder, without anybody's keys in the environment.

    Providers that need no key are left out.

    :param folder: where the data and the master key are put
    :param variables: the environment variables besides these
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.data = folder / "data"
        self.variables = {
            "FREELLM_DATA_DIR": str(self.data),
            "FREELLM_CONFIG_DIR": str(folder / "config"),
            "FREELLM_LOAD_PLUGINS": WANTING_A_KEY,
            **variables,
        }

    def run(self, *arguments: str, stdin: str = "", exit_code: int = 0) -> Result:
        """Run a command in this process and insist on its exit code."""
        result = CliRunner(env=self._environment()).invoke(cli, arguments, input=stdin, prog_name="freellm")
        assert result.exit_code == exit_code, f"{result.output}\n{result.exception!r}"
        assert "Traceback" not in result.output
        return result

    def document(self, *arguments: str, stdin: str = "", exit_code: int = 0) -> Any:
        """Run a command with `--json` and return the document, which must be all of stdout."""
        return json.loads(self.run(*arguments, "--json", stdin=stdin, exit_code=exit_code).stdout)

    def refused(self, *arguments: str, stdin: str = "", exit_code: int = 2) -> str:
        """Run a command that must fail with one sentence on stderr, and return the sentence."""
        result = self.run(*arguments, stdin=stdin, exit_code=exit_code)
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    def process(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as a process."""
        return subprocess.run(
            [sys.executable, "-m", "freellm", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(**self.variables),
            check=False,
        )

    def _environment(self) -> Mapping[str, str | None]:
        """Return what the runner changes in this process's environment: None takes a variable out."""
        kept = environment(**self.variables)
        return {**dict.fromkeys(os.environ.keys() - kept.keys()), **kept}


@contextmanager
def answering(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> Iterator[str]:
    """Run a web server in a thread that answers every request with a handler; give its root."""
    loop = asyncio.new_event_loop()
    root: list[str] = []
    ready, stopped = threading.Event(), asyncio.Event()

    async def serve() -> None:
        server = web.Server(handler, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        root.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()
        await stopped.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield root[0]
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)
        loop.close()
