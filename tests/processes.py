"""freellm as a user starts it: a process of its own, told what to do by arguments and environment alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

KEPT = ("PATH", "LANG", "TMPDIR", "VIRTUAL_ENV", "HOME")
"""What a started freellm inherits: a provider key of the person who runs the tests must not join the pool."""

PATIENCE = 5.0
"""Seconds until a change that should be seen within one has certainly not been; the machine may be busy."""


def environment(**variables: str) -> dict[str, str]:
    """Return an environment without anybody's keys."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | variables


def free_port() -> int:
    """Return a port on which nobody listens at the moment."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@contextmanager
def freellm_serving(
    arguments: Sequence[str], variables: Mapping[str, str], log: IO[str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run `freellm serve` until the context ends; give the process and its first screen.

    :param log: takes what it writes to standard error
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "freellm", "serve", "--port", "0", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environment(**variables),
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"freellm serve ended with {process.wait()}"
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()


@contextmanager
def freellm_demo(providers: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Run `freellm serve --demo`.

    :param providers: names of plugins to load besides the simulator; all unless stated
    """
    variables = {"FREELLM_LOAD_PLUGINS": ",".join(("simulator", *providers))} if providers else {}
    with freellm_serving(["--demo"], variables) as (_, facts):
        yield facts


def models(url: str, key: str) -> set[str]:
    """Return the ids that a server lists; raise when it refuses the key."""
    request = urllib.request.Request(f"{url}/v1/models", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        rows: list[dict[str, Any]] = json.load(answer)["data"]
    return {row["id"] for row in rows}


def soon(true: Callable[[], bool]) -> bool:
    """Wait until something is true; return whether it became so in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False
