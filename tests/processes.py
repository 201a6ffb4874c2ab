"""freellm as a user starts it: a process of its own, told what to do by arguments and environment alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

KEPT = ("PATH", "LANG", "TMPDIR", "VIRTUAL_ENV", "HOME")
"""What a started freellm inherits: a provider key of the person who runs the tests must not join the pool."""


def environment(**variables: str) -> dict[str, str]:
    """Return an environment without anybody's keys."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | variables


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
