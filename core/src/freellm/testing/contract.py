"""The contract: every check there is, and examining a provider with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, Literal, TypeAlias

import msgspec

from freellm.errors import PluginError, SettingsError
from freellm.testing.breach import BreachError, NotApplicableError
from freellm.testing.cases import Case
from freellm.testing.subject import EXAMPLES, Subject

GROUPS: Final = (
    "hooks",
    "declarations",
    "quotas",
    "requests",
    "answers",
    "streams",
    "refusals",
    "keys",
    "embeddings",
    "lists",
    "purity",
    "golden",
    "generated",
)
"""The modules of checks, in the order in which they are run."""

MISSING: Final = (
    "the conformance kit needs {0}, which is not installed: pip install 'freellm-core[testing]' "
    "(in a clone: pip install './core[testing]')"
)

Check: TypeAlias = Callable[[Subject], None]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one check.

    :param check: its name, such as `requests.sent`
    :param status: `passed`; `failed`; `skipped`, there was nothing to look at
    :param expected: what the contract says
    :param hook: the hook that broke it; empty when it is about the plugin as a whole
    :param what: what was found, or why the check was skipped
    :param cure: how to mend it
    :param example: what the hook was given, shortened
    """

    check: str
    status: Literal["passed", "failed", "skipped"]
    expected: str
    hook: str = ""
    what: str = ""
    cure: str = ""
    example: str = ""

    def lines(self) -> list[str]:
        """Return what an author has to know about a check that failed, a line for each fact that there is."""
        facts = (
            ("found", f"{self.hook} {self.what}".strip()),
            ("expected", self.expected),
            ("cure", self.cure),
            ("example", self.example),
        )
        return [f"{name}: {text}" for name, text in facts if text]


def checks() -> Mapping[str, Check]:
    """Return every check by its name.

    :raises SettingsError: when what the checks need is not installed
    """
    try:
        modules = [import_module(f"freellm.testing.checks.{group}") for group in GROUPS]
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "freellm":
            raise
        raise SettingsError(MISSING.format(error.name)) from None
    return {
        f"{group}.{check.__name__}": check
        for group, module in zip(GROUPS, modules, strict=True)
        for check in module.CHECKS
    }


def examine(
    name: str, plugin: Any, *, cases: Sequence[Case] = (), examples: int = EXAMPLES
) -> Iterator[Result]:
    """Examine a provider with every check, one after the other.

    :param name: the entry point's name
    :param plugin: the plugin object
    :param cases: its golden cases
    :param examples: how many examples of each property to generate
    """
    known = checks()
    subject = Subject.of(name, plugin, cases=cases, examples=examples)
    for check in known:
        yield result_of(subject, check, known[check])
        if isinstance(subject, PluginError):
            return


def result_of(subject: Subject | PluginError, name: str, check: Check) -> Result:
    """Run one check.

    :param subject: the provider; or why it cannot be asked anything, which is the first check's result
    """
    expected = " ".join((check.__doc__ or "").split())
    try:
        if isinstance(subject, PluginError):
            raise BreachError(str(subject), cure="do what the message says; nothing else was checked")
        check(subject)
    except BreachError as breach:
        return Result(
            check=name, status="failed", expected=expected,
            hook=breach.hook, what=breach.what, cure=breach.cure, example=breach.example,
        )  # fmt: skip
    except NotApplicableError as reason:
        return Result(check=name, status="skipped", expected=expected, what=str(reason))
    return Result(check=name, status="passed", expected=expected)
