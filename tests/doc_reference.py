"""Tables of the documentation that are made from core: settings, failures, the plugin author's vocabulary."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import ByteSize
from pydantic.fields import FieldInfo

import freellm
from doc_source import docstring
from freellm import health
from freellm.cli.serve import serve
from freellm.gateway.asking import UNREACHED
from freellm.gateway.attempts import RETRY_AFTER
from freellm.gateway.consequences import RULES, Step
from freellm.ledger.learning import AS_GOOD_AS_FULL, REFUSALS_HOLD
from freellm.settings import ENVIRONMENT, Settings
from freellm.settings.sources import _NOT_IN_A_FILE, _PER_PROVIDER
from freellm.types import Kind

_BY_PLATFORM = {"data_dir": "`~/.local/share/freellm` on Linux", "config_dir": "`~/.config/freellm` on Linux"}
"""Defaults that the platform decides, as platformdirs knows it."""


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    shown = [head, ["---"] * len(head), *lines]
    return (
        "\n".join("| " + " | ".join(cells) + " |" for cells in shown)
        .replace("| --- ", "|---")
        .replace("|--- |", "|---|")
    )


def settings() -> str:
    """Return the table of all settings."""
    return table(
        ("variable", "in `config.toml`", "default", "what it sets"),
        (
            (_variable(name), _in_file(name), _default(name, field), _meaning(name, field))
            for name, field in Settings.model_fields.items()
        ),
    )


def _variable(name: str) -> str:
    if name in _PER_PROVIDER:
        return f"`FREELLM_<PROVIDER>{_PER_PROVIDER[name]}`"
    return next((f"`{variable}`" for variable, field in ENVIRONMENT.items() if field == name), "—")


def _in_file(name: str) -> str:
    return "—" if name in _NOT_IN_A_FILE else f"`{name}`"


def _default(name: str, field: FieldInfo) -> str:
    if name in _BY_PLATFORM:
        return _BY_PLATFORM[name]
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, ByteSize):
        return f"`{value // 2**20}MiB`"
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{value:g}`"
    return f"`{value}`" if value else "none"


def _meaning(name: str, field: FieldInfo) -> str:
    options = {parameter.name: parameter.opts[0] for parameter in serve.params}
    option = f" `freellm serve {options[name]}` says the same." if name in options else ""
    return (field.description or "").replace("|", "\\|") + option


CLOSED_FOR: Mapping[Kind, float] = {
    Kind.RATE_LIMITED: health.GUESS_FIRST,
    Kind.CONCURRENCY: 2.0,
    Kind.BAD_KEY: 600.0,
    Kind.FORBIDDEN: 6 * 3600.0,
    Kind.PAYMENT_REQUIRED: 24 * 3600.0,
    Kind.MODEL_GONE: health.GONE_FIRST,
}
"""Seconds that a failure which states no time closes something for; a test draws each to see that it is so."""

_BREAKER = (
    f"Counts towards the breaker of the model at this provider: the {health.BREAKER_FAILURES}rd failure within "
    f"{health.BREAKER_WINDOW:g} s opens it for {health.BREAKER_FIRST:g} s"
)
_COUNTED = (
    "Where the refusal states the limit, what is used of a rolling window and how long to wait, that is "
    "[booked](quotas.md#learned-limits) and nothing is closed."
)
_LEARNED = (
    f"A limit that the refusal states is believed for {timedelta(seconds=REFUSALS_HOLD).days} day; one that it does not "
    "state is [found out](quotas.md#limits-that-nobody-states)"
)


def span(seconds: float) -> str:
    """Return seconds in words."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


EFFECTS: Mapping[Kind, str] = {
    Kind.RATE_LIMITED: f"Closed for the time the service states, 1 s to 1 d (a reset time: to 32 d); none stated: "
    f"{span(CLOSED_FOR[Kind.RATE_LIMITED])}, "
    f"doubled each time in a row, at most {span(health.GUESS_MOST)}. The model sinks {health.PENALTY_STEP:g} places. "
    f"A quota pool that it names by unit and window is closed for the stated time, too. {_COUNTED} {_LEARNED}.",
    Kind.QUOTA_EXHAUSTED: "The quota pool that the refusal means is closed until it resets: when the service says, else by "
    "the pool's own clock. No such pool: the route is closed, 1 h if no time is stated. A refusal for a whole model, key or "
    f"provider closes that too. The model sinks {health.PENALTY_STEP:g} places. {_COUNTED} No time stated, a rolling window, "
    f"and the books showed {AS_GOOD_AS_FULL:.0%} of it as used: only what the refusal speaks for pauses, as after "
    f"`rate_limited`. {_LEARNED}.",
    Kind.CONCURRENCY: f"Closed for the stated time, else {span(CLOSED_FOR[Kind.CONCURRENCY])}. {_LEARNED}.",
    Kind.TOO_LARGE: f"For {span(health.TOO_LARGE_FOR)} the route gets no request that is as large or larger.",
    Kind.CONTEXT_EXCEEDED: "Nothing is remembered. For this request, models whose window is not larger than the limit that "
    "the refusal states are passed over.",
    Kind.BAD_KEY: f"The key is closed for {span(CLOSED_FOR[Kind.BAD_KEY])} and probed at once. Probe says invalid: the key is "
    "not used any more. Valid: only this route stays closed. Cannot tell: the key stays closed for 10 min.",
    Kind.FORBIDDEN: f"Closed for {span(CLOSED_FOR[Kind.FORBIDDEN])}.",
    Kind.PAYMENT_REQUIRED: f"Closed for {span(CLOSED_FOR[Kind.PAYMENT_REQUIRED])}.",
    Kind.MODEL_GONE: f"The model is closed at this provider for {span(CLOSED_FOR[Kind.MODEL_GONE])}; for "
    f"{span(health.GONE_CONFIRMED)} once it was missing with another key too, or {span(health.GONE_APART)} later.",
    Kind.CONTENT_FILTERED: "Nothing: the route did what it should.",
    Kind.BAD_REQUEST: "Nothing. If the provider knows how to mend the request (`amend`), the same route is asked once more "
    "first.",
    Kind.OVERLOADED: f"{_BREAKER}, doubled each time in a row, at most {span(health.BREAKER_MOST)}. A stated time closes it "
    "at once.",
    Kind.TIMEOUT: f"{_BREAKER}, as above.",
    Kind.NETWORK: f"{_BREAKER}, as above. No connection at all: nothing was sent and nothing stays booked, and the key, whose "
    f"other models are behind the same address, is closed for {span(UNREACHED)}.",
    Kind.BAD_ANSWER: "Two in a row open the breaker.",
    Kind.CANCELLED: "Nothing. The provider's connection is cut, and the input plus what was emitted is booked.",
}
"""What a failure changes, by kind. `Closed` alone means: what the refusal speaks for (its scope), else the route."""

TYPICAL: Mapping[Kind, str] = {
    Kind.RATE_LIMITED: "429, too many a minute",
    Kind.QUOTA_EXHAUSTED: "429, the day's or month's quota is spent",
    Kind.CONCURRENCY: "429, too many at once",
    Kind.TOO_LARGE: "413, larger than a limit ever allows",
    Kind.CONTEXT_EXCEEDED: "400, longer than the context window",
    Kind.BAD_KEY: "401, the key is refused",
    Kind.FORBIDDEN: "403, not in this plan or region",
    Kind.PAYMENT_REQUIRED: "402",
    Kind.MODEL_GONE: "404 or 410, no such model",
    Kind.CONTENT_FILTERED: "400, against the service's policy",
    Kind.BAD_REQUEST: "400 or 422, anything else",
    Kind.OVERLOADED: "5xx, 529",
    Kind.TIMEOUT: "no first byte in time, a stalled stream",
    Kind.NETWORK: "no connection, a broken one, a stream cut short",
    Kind.BAD_ANSWER: "HTML, broken JSON, an error inside a 200, an empty answer",
    Kind.CANCELLED: "the client left",
}

_STEPS: Mapping[Step, str] = {
    Step.NEXT: "the next route",
    Step.NEXT_PROVIDER: "the next route; this provider's others come last",
    Step.RETRY: f"the same route once more after {RETRY_AFTER[0] * 1000:g} to {RETRY_AFTER[1] * 1000:g} ms, then the next",
    Step.STOP: "none: one attempt, no other",
    Step.SECOND_OPINION: "one other provider; if it refuses too, none",
}


def failures() -> str:
    """Return the failure table."""
    return table(
        (
            "kind",
            "typical",
            "what changes",
            "asked next",
            "tokens stay booked",
            "the client's status and code",
        ),
        (
            (
                f"`{kind}`",
                TYPICAL[kind],
                EFFECTS[kind],
                _STEPS[rule.step],
                "yes" if rule.settle else "no",
                f"{rule.status} `{rule.code}`",
            )
            for kind, rule in RULES.items()
        ),
    )


IN_OTHER_WORDS = {
    "hookimpl": "The decorator that makes a method a hook implementation. Without it a method is never called, which "
    "freellm refuses at start."
}
"""What stands for a docstring that is not ours."""


def vocabulary() -> str:
    """Return every public name with its fields."""
    return "\n".join(line for name in freellm.__all__ for line in _entry(name)).rstrip()


def _entry(name: str) -> Iterator[str]:
    text = IN_OTHER_WORDS.get(name) or docstring(name)
    summary, _, rest = text.partition("\n:param")
    fields = re.findall(r"(?:^|\n):param (\w+):\s+((?:.|\n(?!:|\n))+)", "\n:param" + rest) if rest else []
    types = _annotations(getattr(freellm, name))
    yield f"**`{name}`**: {' '.join(summary.split())}"
    yield ""
    for field, meaning in fields:
        kind = f" (`{types[field]}`)" if field in types else ""
        yield f"- `{field}`{kind}: {' '.join(meaning.split())}"
    if fields:
        yield ""


def _annotations(value: Any) -> Mapping[str, str]:
    if not inspect.isclass(value):
        return {}
    if (
        value.__init__ is not object.__init__
        and inspect.isfunction(value.__init__)
        and not hasattr(value, "model_fields")
    ):
        named = inspect.signature(value.__init__).parameters.items()
        return {name: str(parameter.annotation) for name, parameter in named}
    return {name: str(kind) for name, kind in inspect.get_annotations(value).items()}
