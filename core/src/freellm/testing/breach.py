"""What the kit says when something breaks the contract."""

from __future__ import annotations

from typing import Any, Final

_SHOWN: Final = 600
"""Characters of a value that a message shows at most."""


class BreachError(AssertionError):
    """A provider breaks the contract.

    :param what: what it did
    :param hook: the hook that did it; empty when it is about the plugin as a whole
    :param cure: how its author mends it
    :param example: what the hook was given when it did it
    """

    def __init__(self, what: str, *, hook: str = "", cure: str = "", example: object = None) -> None:
        super().__init__(f"{hook} {what}" if hook else what)
        self.what = what
        self.hook = hook
        self.cure = cure
        self.example = "" if example is None else shown(example)


class NotApplicableError(Exception):
    """A check has nothing to look at; the text says why."""


def require(condition: object, text: str, *value: object) -> None:
    """Insist on a condition.

    :param text: what is wrong when it does not hold
    :param value: what it is wrong about, shown after the text; formatted only when needed
    :raises AssertionError: when it does not hold
    """
    if not condition:
        raise AssertionError(f"{text}: {shown(value[0])}" if value else text)


def shown(value: Any) -> str:
    """Return a value as a message shows it: in one line, cut in the middle when it is long."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 100]} … {text[-97:]}"
