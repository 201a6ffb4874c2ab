"""Watching what code does besides computing: files, sockets, processes, threads, the clock, chance, the environment.

Files, sockets and processes are seen, and stopped, by an audit hook, which no way of calling them gets around. Clocks and
chance raise no audit event; they are seen by a profile function, which is told of every built-in function that is
called, by whatever name it was imported.
"""

from __future__ import annotations

import builtins
import datetime as dt
import gc
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

_EVENTS: Final = (
    "open", "os.", "shutil.", "tempfile.", "glob.", "pathlib.", "socket.", "ssl.", "http.client.", "urllib.", "ftplib.",
    "smtplib.", "imaplib.", "poplib.", "telnetlib.", "subprocess.", "pty.", "sqlite3.", "_thread.start_new_thread",
    "webbrowser.", "ctypes.dlopen", "mmap.", "signal.", "syslog.", "winreg.", "_winapi.",
)  # fmt: skip
"""Audit events that are input or output, by how they begin."""

_CLOCKS: Final = frozenset(
    f"{name}{suffix}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for suffix in ("", "_ns")
) | {"sleep"}
_TODAY: Final = frozenset({"now", "utcnow", "today"})
_CHANCE: Final = frozenset({"urandom", "getrandom"})
_CONSOLE: Final = frozenset({builtins.print, builtins.input})
_PURE: Final = frozenset({"fspath", "_path_normpath"})
"""What the system's module offers that only computes."""

_SYSTEM: Final = os.open.__module__
_ENVIRONMENT: Final = type(os.environ).__getitem__.__code__

_LOOKOUT: Final = threading.local()
"""What the current thread is watched for. An audit hook cannot be taken out again, so there is one for the process."""


class ForbiddenError(RuntimeError):
    """Raised inside watched code in place of the file or the socket it asked for."""


@contextmanager
def no_input_or_output(seen: list[str] | None = None) -> Iterator[None]:
    """Stop every file, socket, process and thread that code of this thread asks for.

    :param seen: takes what was asked for
    """
    if not getattr(_audit, "installed", False):
        sys.addaudithook(_audit)
        _audit.installed = True  # type: ignore[attr-defined]
    before = getattr(_LOOKOUT, "seen", None)
    _LOOKOUT.seen = [] if seen is None else seen
    try:
        yield
    finally:
        _LOOKOUT.seen = before


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    seen = getattr(_LOOKOUT, "seen", None)
    if seen is None or not event.startswith(_EVENTS) or _imports(sys._getframe(1)):  # noqa: SLF001 - no other way to the caller
        return
    what = f"{event} {arguments[0]!r}" if arguments and isinstance(arguments[0], str | bytes) else event
    seen.append(what)
    raise ForbiddenError(f"a hook does no input and no output: {what}")


def _imports(frame: FrameType | None) -> bool:
    """Tell whether a frame stands inside an import, which reads files as it must."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def calls_noted() -> Iterator[list[str]]:
    """Note what built-in functions code of this thread calls that read a clock, chance, files or the console."""
    seen: list[str] = []

    def note(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            if (what := _impure(called)) and not _imports(frame):
                seen.append(what)
        elif event == "call" and frame.f_code is _ENVIRONMENT:
            seen.append("os.environ")

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()  # its callbacks, of which hypothesis has one, are nobody's hooks
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()


def _impure(called: Any) -> str | None:
    """Return the name of a built-in function that does more than compute, None for any other."""
    name, owner = getattr(called, "__name__", ""), getattr(called, "__self__", None)
    if owner is time and name in _CLOCKS:
        return f"time.{name}"
    if name in _TODAY and isinstance(owner, type) and issubclass(owner, dt.date):
        return f"{owner.__name__}.{name}"
    if isinstance(owner, random.Random):
        return f"random.{name}"
    if getattr(called, "__module__", None) == _SYSTEM and name not in _PURE:
        return f"os.{name}" if name not in _CHANCE else "chance (os.urandom)"
    if called in _CONSOLE:
        return str(name)
    return None
