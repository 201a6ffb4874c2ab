"""Processes under test: started on their core, timed to their first answer, weighed, and always ended."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.client import Target

TESTS: Final = Path(__file__).parent.parent
START_LIMIT: Final = 20.0
"""Seconds a process may take to its first answer before the run fails."""


class BenchmarkError(Exception):
    """The run cannot go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where things run; None leaves the choice to the system.

    :param proxy: the core of the process under test
    :param load: the core of the upstream and of the load generator
    """

    proxy: int | None
    load: int | None

    @classmethod
    def available(cls) -> Cores:
        """Return two different cores, or none where there are not two or they cannot be chosen."""
        if not hasattr(os, "sched_getaffinity"):
            return cls(None, None)
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[0], cores[1]) if len(cores) > 1 else cls(None, None)


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Keep this process on one core while the context lasts."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def busy_and_stolen() -> tuple[float, float]:
    """Return the machine's processor seconds that were used, and those that its host gave to others."""
    times = psutil.cpu_times()
    stolen: float = getattr(times, "steal", 0.0)
    return times.user + times.system + stolen, stolen


class Running:
    """A started process.

    :param process: the process
    :param started: `time.perf_counter()` just before it was started
    :param log: where its output goes
    """

    def __init__(self, process: subprocess.Popen[bytes], started: float, log: Path) -> None:
        self.started = started
        self._process = process
        self._watched = psutil.Process(process.pid)
        self._log = log

    def cpu_seconds(self) -> float:
        """Return the processor time used so far by the process and its children."""
        return sum(used.user + used.system for used in (one.cpu_times() for one in self._family()))

    def resident_megabytes(self) -> float:
        """Return the resident memory of the process and its children."""
        resident = sum(one.memory_info().rss for one in self._family())
        return resident / (1 << 20)

    def _family(self) -> list[psutil.Process]:
        return [self._watched, *self._watched.children(recursive=True)]

    def check_alive(self, refusal: str) -> None:
        """Fail when the process has ended or has had its time.

        :param refusal: what it gave instead of the answer waited for
        :raises BenchmarkError: with the end of its output
        """
        if self._process.poll() is None and time.perf_counter() - self.started < START_LIMIT:
            return
        output = self._log.read_text(errors="replace")[-2000:]
        raise BenchmarkError(
            f"no good answer from {self._process.args!r} but {refusal}; its output ends: {output}"
        )


@contextmanager
def running(
    arguments: Sequence[str], core: int | None, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run `python ARGUMENTS` while the context lasts, then end it, by force after five seconds.

    :param arguments: what follows the interpreter
    :param core: where it is pinned
    :param log: a file for its output
    :param environment: its whole environment; None passes ours on
    """
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=TESTS, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            yield Running(process, started, log)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def first_answer(process: Running, target: Target) -> float:
    """Ask until the first 200 comes, and return the seconds from the start of the process to it.

    :raises BenchmarkError: when the process ends, or gives none in `START_LIMIT` seconds
    """
    while (refusal := _refusal(target)) is not None:
        process.check_alive(refusal)
        time.sleep(0.002)
    return time.perf_counter() - process.started


def _refusal(target: Target) -> str | None:
    """Ask once; return what came instead of a 200, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=5)
    headers = {"Authorization": "Bearer fl-bench", "Content-Type": "application/json"}
    try:
        connection.request("POST", target.path, target.body, headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return None if answer.status == 200 else f"{answer.status} {text[:500]}"
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
