"""Waiting for a key while something is shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def keys() -> Iterator[Callable[[float], str]]:
        """Give a function that waits some seconds for a key and returns it, or nothing."""

        def wait(seconds: float) -> str:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if msvcrt.kbhit():
                    return msvcrt.getwch()
                time.sleep(0.05)
            return ""

        yield wait

else:
    import select
    import termios
    import tty

    @contextmanager
    def keys() -> Iterator[Callable[[float], str]]:
        """Give a function that waits some seconds for a key and returns it, or nothing."""
        if not sys.stdin.isatty():
            yield _no_key
            return
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)  # keys come one by one; Ctrl-C goes on to interrupt

        def wait(seconds: float) -> str:
            ready, _, _ = select.select([descriptor], [], [], seconds)
            return sys.stdin.read(1) if ready else ""

        try:
            yield wait
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def _no_key(seconds: float) -> str:
        time.sleep(seconds)
        return ""
