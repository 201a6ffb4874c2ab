"""The measure of what is possible: a router that reads the services' own books and knows each answer's length."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from freellm.catalogue import ABILITY_BITS, Entry
from freellm.runtime import Runtime
from freellm_simulator.admission import Admission, admit
from freellm_simulator.days.contenders import Outcome
from freellm_simulator.days.services import Services
from freellm_simulator.days.traffic import Arrival
from freellm_simulator.exchange import Caller, RefusedError
from freellm_simulator.tokens import count
from freellm_simulator.worlds import Facts

ACCOUNT: Final = "oracle"
PATIENCE, LOOK_EVERY = 15.0, 0.5
"""Seconds that it waits for room, as freellm does, and between two looks at the books while somebody waits."""


class _Waiting(NamedTuple):
    prompt: int
    output: int
    needed: int
    gives_up: float
    place: asyncio.Future[tuple[Entry, Facts, Admission] | None]


class Oracle:
    """Takes the first model in freellm's own order that has room, by the services' books; those who wait go first.

    :param runtime: whose models and order it takes
    :param services: the services
    """

    name = "with the services' books"

    def __init__(self, runtime: Runtime, services: Services) -> None:
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._models = list(models(runtime, services))
        self._queue: list[_Waiting] = []
        for _, facts in self._models:
            services.accounts[facts.provider] = ACCOUNT

    async def serve(self, arrival: Arrival) -> Outcome:
        """Answer one request if any model has room within its patience."""
        output = self._services.output(int(arrival.at * 1000))
        output = min(output, arrival.fields.get("max_tokens") or output)
        gives_up = self._loop.time() + PATIENCE
        asked = _Waiting(prompt_of(arrival), output, needs_of(arrival), gives_up, self._loop.create_future())
        if (place := self._place(asked, self._models)) is None:
            self._queue.append(asked)
            if len(self._queue) == 1:
                self._loop.call_later(LOOK_EVERY, self._look)
            place = await asked.place
        if place is None:
            return Outcome(None, 0, "exhausted")
        entry, facts, admission = place
        world = self._services.desk.worlds[facts.provider]
        await asyncio.sleep(sum(world.first_byte) / 2 + output * 2 / sum(world.tokens_per_second))
        admission.settle(asked.prompt, output)
        return Outcome(entry, 0)

    def _look(self) -> None:
        """Give the places that have come free to those who wait, in the order in which they came."""
        least = _Waiting(1, 1, 0, 0.0, self._loop.create_future())
        open_models = [model for model in self._models if self._has_room(least, model[1])]
        left = []
        for asked in self._queue:
            place = self._place(asked, open_models)
            if place is not None or self._loop.time() >= asked.gives_up:
                asked.place.set_result(place)
            else:
                left.append(asked)
        self._queue = left
        if left:
            self._loop.call_later(LOOK_EVERY, self._look)

    def _place(
        self, asked: _Waiting, among: Sequence[tuple[Entry, Facts]]
    ) -> tuple[Entry, Facts, Admission] | None:
        for entry, facts in among:
            if not asked.needed & ~entry.mask and self._has_room(asked, facts):
                try:
                    booked = admit(self._services.desk, Caller(ACCOUNT), facts, asked.prompt, asked.output)
                except RefusedError:
                    continue
                return entry, facts, booked
        return None

    def _has_room(self, asked: _Waiting, facts: Facts) -> bool:
        return self._services.room(facts.provider, ACCOUNT, facts, asked.prompt, asked.output, at_once=True)


def models(runtime: Runtime, services: Services) -> Iterator[tuple[Entry, Facts]]:
    """Iterate over the models that chat and are served, in freellm's order."""
    for entry in runtime.proxy.catalogue.chain:
        world = services.desk.worlds.get(entry.provider.name)
        facts = world.models.get(entry.model.id) if world else None
        if facts is not None and not (facts.retired or facts.paid_only or entry.model.classifier):
            yield entry, facts


def prompt_of(arrival: Arrival) -> int:
    """Return about the tokens of a request's prompt."""
    return sum(count(str(message["content"])) + 4 for message in arrival.messages) + 3


def needs_of(arrival: Arrival) -> int:
    """Return the abilities that a request needs, as bits."""
    needed = ABILITY_BITS["tools"] if arrival.fields.get("tools") else 0
    return needed | (ABILITY_BITS["json"] if arrival.fields.get("response_format") else 0)
