"""Whether a service has room for a request, and what the request then costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freellm_simulator.exchange import Ask, Caller, RefusedError
from freellm_simulator.quotas import Booking

if TYPE_CHECKING:
    from freellm_simulator.server import Desk
    from freellm_simulator.worlds import Facts


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that a service has taken; `settle` puts the true figures into its books."""

    facts: Facts
    booking: Booking

    def settle(self, prompt: int, written: int) -> None:
        """Put the true figures into the books.

        :param prompt: tokens of the prompt
        :param written: tokens of output that have left
        """
        priced = {
            unit: a_request + (prompt * into + written * out) / 1_000_000
            for unit, (a_request, into, out) in self.facts.prices.items()
        }
        self.booking.settle({"tokens": prompt + written, **priced})


def admit(
    desk: Desk, caller: Caller, facts: Facts, prompt: int, most: int = 0, *, requests: int = 1
) -> Admission:
    """Book a request on all quotas it spends from.

    :param prompt: tokens of the prompt
    :param most: tokens of output at most, as far as the request says
    :param requests: as how many requests the service counts it
    :raises RefusedError: when one of them is spent
    """
    charges = {"request": requests, "input": prompt, "input+max": prompt + most, "after": 0}
    booked = desk.quotas.admit(facts.provider, caller.account, facts.limits, charges, desk.clock.now())
    if isinstance(booked, Booking):
        return Admission(facts, booked)
    raise RefusedError("quota", exceeded=booked)


def admit_chat(desk: Desk, caller: Caller, facts: Facts, ask: Ask, prompt: int) -> Admission:
    """Take a chat request that the wire has read.

    :param prompt: tokens of the prompt
    :raises RefusedError: when a licence, the context window or a quota keeps it out
    """
    _check_licence(desk, caller, facts, ask)
    if prompt >= facts.context:
        raise RefusedError("context_exceeded", tokens=prompt, context=facts.context)
    return admit(desk, caller, facts, prompt, ask.max_tokens or 0)


def _check_licence(desk: Desk, caller: Caller, facts: Facts, ask: Ask) -> None:
    """Demand, where a model has a licence, that the account's first prompt is `agree`."""
    signature = (facts.provider, facts.id, caller.account)
    if "licence" not in facts.quirks or signature in desk.agreed:
        return
    if ask.question.strip().lower() != "agree":
        raise RefusedError("licence")
    desk.agreed.add(signature)
