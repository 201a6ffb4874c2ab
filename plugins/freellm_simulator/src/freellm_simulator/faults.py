"""Faults on demand: what goes wrong with the next requests, how often, and where in the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from freellm_simulator.exchange import RefusedError
from freellm_simulator.quotas import DAY, MINUTE, Exceeded, Limit
from freellm_simulator.worlds import Facts

REFUSALS: Mapping[str, str] = {
    "rate_limit_minute": "quota",
    "rate_limit_day": "quota",
    "server_error": "server_error",
    "overloaded": "overloaded",
    "bad_key": "bad_key",
    "forbidden": "forbidden",
    "model_gone": "retired_model",
    "context_exceeded": "context_exceeded",
    "content_filter": "content_filter",
    "error_in_200": "server_error",
    "tool_use_failed": "tool_use_failed",
}
"""Faults that refuse, and the refusal they stand for. `error_in_200` has its body under the status 200."""

DELIVERIES: Mapping[str, str] = {
    "cut": "the connection is broken off after `after_chunks` events, or amid a whole answer",
    "cut_clean": "the stream ends in good order after `after_chunks` events, the whole answer half way",
    "stall": "nothing comes for `seconds` after `after_chunks` events, or amid a whole answer",
    "garbage": "the event after `after_chunks` events, or a whole answer, is broken JSON",
    "html": "a page of HTML with status 200 instead of an answer",
    "slow_first_byte": "nothing comes for the first `seconds`",
    "empty": "an answer that ends at once with nothing in it",
    "guard": "an answer of one word, `safe`: a router has put a guard model in the model's place",
    "error_mid_stream": "an error takes the place of the event after `after_chunks` events; a 200 if not streamed",
}
"""Faults of the delivery: the request is admitted and spends its quota."""

_ONLY_GROQ = frozenset({"tool_use_failed"})


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault to come.

    :param model: a model id, `*` for all
    :param fault: a name in `REFUSALS` or `DELIVERIES`
    :param times: how often it strikes; None is until it is taken away
    :param after_chunks: events of a stream that come through before it
    :param seconds: how long it lasts, or for the rate limits the wait it states
    :param on: whether it strikes chat, embeddings, the other paths (lists of models, checks of keys), or all
    :raises ValueError: when a field is not what it should be
    """

    provider: str
    fault: str
    model: str = "*"
    times: int | None = 1
    after_chunks: int = 3
    seconds: float | None = None
    on: Literal["chat", "embeddings", "probes", "all"] = "chat"

    def __post_init__(self) -> None:
        if self.fault not in REFUSALS and self.fault not in DELIVERIES:
            raise ValueError(f"unknown fault {self.fault!r}; known: {', '.join([*REFUSALS, *DELIVERIES])}")
        if self.fault in _ONLY_GROQ and self.provider != "groq":
            raise ValueError(f"{self.fault!r} is a fault of groq alone")
        if self.on not in ("chat", "embeddings", "probes", "all"):
            raise ValueError("'on' is chat, embeddings, probes or all")
        for name, least in (("times", 1), ("after_chunks", 0), ("seconds", 0)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int | float) or value < least):
                raise ValueError(f"{name!r} is a number from {least}")


class Faults:
    """The faults still to come; the first that fits strikes."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault come."""
        self.pending.append(fault)

    def clear(self) -> None:
        """Take all faults away."""
        self.pending.clear()

    def take(self, provider: str, model: str, on: Literal["chat", "embeddings", "probes"]) -> Fault | None:
        """Return the fault that strikes a request, and count it."""
        for fault in self.pending:
            if (
                fault.provider == provider
                and fault.model in ("*", model)
                and fault.on in (on, "all")
                and (on == "chat" or fault.fault in REFUSALS or fault.fault == "html")
            ):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.pending.remove(fault)
                return fault
        return None


def refusal_of(fault: Fault, model: str, facts: Facts | None) -> RefusedError | None:
    """Return the refusal that a fault stands for, if it refuses."""
    kind = REFUSALS.get(fault.fault)
    if kind is None:
        return None
    context = facts.context if facts else 0
    exceeded: tuple[Exceeded, ...] = ()
    if kind == "quota":
        window = DAY if fault.fault == "rate_limit_day" else MINUTE
        exceeded = (_spent(facts, window, fault.seconds if fault.seconds is not None else window),)
    known: dict[str, object] = {"model": model, "context": context, "tokens": context + 1}
    if kind == "tool_use_failed":
        known["failed_generation"] = '<function=simulated>{"simulated": true}</function>'
    return RefusedError(kind, "", exceeded=exceeded, **known)


def _spent(facts: Facts | None, window: float, wait: float) -> Exceeded:
    limits = facts.limits if facts else ()
    limit = next(
        (limit for limit in limits if limit.window == window), Limit(unit="requests", limit=1, window=window)
    )
    return Exceeded(limit, limit.limit, 1, wait)
