"""The conformance kit for plugin authors: the contract as checks, golden cases, and the grammar of OpenAI's answers.

`pytest --freellm-provider NAME` and `freellm plugins check NAME` run the whole contract over an installed provider. It
asks the hooks as core asks them, offline, and says what is wrong, which hook did it and how it is mended. The names below
are for tests of one's own. They are imported when they are first used, because pytest loads the kit's plugin in every
run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freellm.testing.breach import BreachError
    from freellm.testing.cases import Case, check_case, check_refusals, load_cases
    from freellm.testing.contract import Result, examine
    from freellm.testing.grammar import StreamReport, ToolCall, check_chunks, check_stream
    from freellm.testing.grammar_whole import check_completion, check_error

__all__ = [
    "BreachError",
    "Case",
    "Result",
    "StreamReport",
    "ToolCall",
    "check_case",
    "check_chunks",
    "check_completion",
    "check_error",
    "check_refusals",
    "check_stream",
    "examine",
    "load_cases",
]

_HOMES = {
    "breach": ("BreachError",),
    "cases": ("Case", "check_case", "check_refusals", "load_cases"),
    "contract": ("Result", "examine"),
    "grammar": ("StreamReport", "ToolCall", "check_chunks", "check_stream"),
    "grammar_whole": ("check_completion", "check_error"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    return value
