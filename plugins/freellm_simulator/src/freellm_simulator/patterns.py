"""Texts that match a regular expression: the common ground of ECMA and Python syntax, no look-arounds.

A pattern beyond that ground yields None; the caller then answers with a text that may not match.
"""

from __future__ import annotations

import re
import string
from random import Random

_DIGITS, _WORD, _SPACE = string.digits, string.ascii_lowercase + string.digits + "_", " "
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_PRINTABLE = "".join(map(chr, range(32, 127)))
_REPEAT = re.compile(r"\*|\+|\?|\{(\d+)(,?)(\d*)\}")
_UNBOUNDED = 3
"""How many times `*`, `+` and `{n,}` repeat at most beyond what they must."""


class _UnknownSyntaxError(ValueError):
    """The pattern uses something this module does not know."""


def matching(pattern: str, rng: Random) -> str | None:
    """Return a text that `re.search` finds the pattern in, or None when none was found."""
    reader = _Reader(pattern, rng)
    try:
        text = reader.alternatives()
        return text if reader.done and re.search(pattern, text) else None
    except (_UnknownSyntaxError, IndexError, re.error):
        return None


class _Reader:
    """Reads a pattern from left to right and makes up a matching text on the way."""

    def __init__(self, pattern: str, rng: Random) -> None:
        self._pattern = pattern
        self._at = 0
        self._rng = rng

    @property
    def done(self) -> bool:
        """Whether the whole pattern has been read."""
        return self._at == len(self._pattern)

    def alternatives(self) -> str:
        """Read to the end or to a closing bracket; return a text for one of the branches."""
        branches = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence())
        return self._rng.choice(branches)

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._pattern[self._at]
        self._at += 1
        return char

    def _sequence(self) -> str:
        text = ""
        while self._peek() not in ("", "|", ")"):
            start = self._at
            self._atom()
            times = self._times()
            end = self._at
            for _ in range(times):
                self._at = start
                text += self._atom()
            self._at = end
        return text

    def _times(self) -> int:
        match = _REPEAT.match(self._pattern, self._at)
        if not match:
            return 1
        self._at = match.end()
        if self._peek() == "?":
            self._at += 1
        if match[0] in "*+?":
            least, most = {"*": (0, _UNBOUNDED), "+": (1, 1 + _UNBOUNDED), "?": (0, 1)}[match[0]]
        else:
            least = int(match[1])
            most = int(match[3]) if match[3] else least + (_UNBOUNDED if match[2] else 0)
        return self._rng.randint(least, most)

    def _atom(self) -> str:
        char = self._take()
        if char in "^$":
            return ""
        if char == "(":
            return self._group()
        if char == "[":
            return self._rng.choice(self._set())
        if char == "\\":
            return self._rng.choice(self._escape()) if self._peek() not in "bB" else self._boundary()
        return self._rng.choice(string.ascii_lowercase) if char == "." else char

    def _boundary(self) -> str:
        self._at += 1
        return ""

    def _group(self) -> str:
        if self._peek() == "?":
            if self._pattern[self._at : self._at + 2] != "?:":
                raise _UnknownSyntaxError(self._pattern)
            self._at += 2
        text = self.alternatives()
        if self._take() != ")":
            raise _UnknownSyntaxError(self._pattern)
        return text

    def _escape(self) -> str:
        """Return the characters that an escape stands for."""
        char = self._take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char.lower() in _CLASSES:
            return "".join(c for c in _PRINTABLE if not re.match(rf"\{char.lower()}", c))
        if char.isalnum() and char not in _CONTROLS:
            raise _UnknownSyntaxError(self._pattern)
        return _CONTROLS.get(char, char)

    def _set(self) -> str:
        """Return the characters of a set, whose opening bracket has been read."""
        negated = self._peek() == "^"
        self._at += negated
        members = ""
        while self._peek() != "]" or not members:
            first = self._escape() if (char := self._take()) == "\\" else char
            if self._peek() == "-" and self._pattern[self._at + 1] != "]" and len(first) == 1:
                self._at += 1
                last = self._escape() if (char := self._take()) == "\\" else char
                first = "".join(map(chr, range(ord(first), ord(last) + 1)))
            members += first
        self._at += 1
        return "".join(c for c in _PRINTABLE if c not in members) if negated else members
