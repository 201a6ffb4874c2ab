"""Logging: one line per event on standard error, secrets removed whatever the way they got there."""

from __future__ import annotations

import logging
import sys

from freellm.redaction import without_keys


class _OneLine(logging.Formatter):
    """Write a record without anything that looks like a key and without line breaks a message brought along."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if not record.exc_info:
            text = text.replace("\r", "\\r").replace("\n", "\\n").replace("\x1b", "\\x1b")
        return without_keys(text)


def configure(level: str) -> None:
    """Send the log of freellm and its libraries to standard error.

    :param level: `debug`, `info`, `warning` or `error`
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("freellm").setLevel(level.upper())
    logging.captureWarnings(True)
