"""The run: every contestant in every round, one at a time on its core, in an order that turns with each round."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import orjson
import uvloop

from benchmarks import answers
from benchmarks.client import Target
from benchmarks.contestants import CHAT_PATH, UPSTREAM_CHAT_PATH, Bare, Contestant, Freellm
from benchmarks.load import Load, measure
from benchmarks.processes import Cores, Running, busy_and_stolen, first_answer, pinned, running
from benchmarks.wire import free_port

Figures = dict[str, float]
Round = dict[str, Figures]
"""The figures of one round by contestant."""

CHAT_CONNECTIONS: Final = 32
STREAM_CONNECTIONS: Final = 16
MESSAGES: Final = (
    {"role": "system", "content": "You are a careful travel planner. Keep every answer short and practical."},
    {"role": "user", "content": "We have six days in May and want to see two cities by train."},
    {"role": "assistant", "content": "Portugal suits that well. Do you prefer the coast, food or museums?"},
    {
        "role": "user",
        "content": "The coast and the food. Where should we start, and what should we pack for it?",
    },
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    :param rounds: how often every contestant is measured
    :param seconds: the measured time of each load
    :param only: the names of the proxies to run
    :param model: the model that is asked for
    :param keys_each: the keys freellm has for each provider
    """

    rounds: int = 3
    seconds: float = 3.0
    only: Collection[str] = ("bare", "freellm")
    model: str = "auto"
    keys_each: int = 3

    @property
    def warm_up(self) -> float:
        """Seconds of load before the measured time."""
        return min(0.5, self.seconds / 6)


@dataclass(slots=True)
class Outcome:
    """What a run gave.

    :param rounds: the figures of each round
    :param served_by: good answers by the route they named
    :param errors: what went wrong, in words
    :param cores: where things ran
    :param stolen: the part of the processor time that a virtual machine's host took away
    """

    rounds: list[Round]
    served_by: dict[str, int]
    errors: list[str]
    cores: Cores
    stolen: float


class Session:
    """One run in progress: the plan, the upstream's port and the loop that makes the load.

    :param plan: what to run
    :param upstream_port: where the mock upstream listens
    :param runner: the loop
    """

    def __init__(self, plan: Plan, upstream_port: int, runner: asyncio.Runner) -> None:
        self.served_by: dict[str, int] = {}
        self.errors: list[str] = []
        self._plan = plan
        self._upstream_port = upstream_port
        self._runner = runner

    def chat(self, port: int, path: str) -> Target:
        """Return the ordinary chat, asked of one port."""
        return Target(port, path, self._body({}))

    def stream(self, port: int, path: str) -> Target:
        """Return the same chat as a stream."""
        options = {"stream": True, "stream_options": {"include_usage": True}}
        return Target(port, path, self._body(options), least_events=answers.CHUNKS)

    def _body(self, further: dict[str, Any]) -> bytes:
        chat = {"model": self._plan.model, "messages": MESSAGES, "temperature": 0.6, "max_tokens": 300}
        return orjson.dumps(chat | further)

    def load(self, name: str, target: Target, connections: int) -> Load:
        """Put load on a target and note what went wrong."""
        result = self._runner.run(measure(target, connections, self._plan.seconds, self._plan.warm_up))
        if result.errors or result.refused:
            counts = f"{result.errors} errors and {result.refused} refusals in {result.answers} answers"
            self.errors.append(f"{name}: {counts}; first: {result.first_error}")
        for route, count in result.served_by.items():
            self.served_by[route] = self.served_by.get(route, 0) + count
        return result

    def loads(self, name: str, port: int, path: str, cpu_seconds: Callable[[], float]) -> Figures:
        """Run the three loads: many chats, one at a time, many streams."""
        used, began = cpu_seconds(), perf_counter()
        chat = self.load(f"{name} chat", self.chat(port, path), CHAT_CONNECTIONS)
        used_by_chat, lasted = cpu_seconds() - used, perf_counter() - began
        single = self.load(f"{name} one at a time", self.chat(port, path), 1)
        used = cpu_seconds()
        stream = self.load(f"{name} stream", self.stream(port, path), STREAM_CONNECTIONS)
        used_by_stream = cpu_seconds() - used
        return {
            "chat_per_second": chat.requests_per_second,
            "chat_p50_ms": chat.p50_ms,
            "chat_p99_ms": chat.p99_ms,
            "cpu_us_per_chat": used_by_chat / max(chat.answers, 1) * 1e6,
            "core_share": used_by_chat / lasted,
            "single_p50_ms": single.p50_ms,
            "single_p99_ms": single.p99_ms,
            "chunks_per_second": stream.events_per_second,
            "cpu_us_per_chunk": used_by_stream / max(stream.all_events, 1) * 1e6,
        }

    def direct(self, upstream: Running) -> Figures:
        """Measure the upstream itself: what the load generator and the upstream can do on their one core."""
        return self.loads("direct", self._upstream_port, UPSTREAM_CHAT_PATH, upstream.cpu_seconds)

    def proxy(self, contestant: Contestant, direct: Figures) -> Figures:
        """Start one proxy, measure it, end it.

        :param direct: the figures of the upstream itself in this round
        """
        with contestant.start() as (process, port):
            answered = first_answer(process, self.chat(port, CHAT_PATH))
            idle = process.resident_megabytes()
            figures = self.loads(contestant.name, port, CHAT_PATH, process.cpu_seconds)
            loaded = process.resident_megabytes()
        figures["added_p50_ms"] = figures["single_p50_ms"] - direct["single_p50_ms"]
        figures |= {"first_answer_s": answered, "idle_mb": idle, "loaded_mb": loaded}
        if isinstance(contestant, Freellm):
            figures["help_s"] = contestant.help_seconds()
        return figures

    def round(self, upstream: Running, contestants: Sequence[Contestant]) -> Round:
        """Measure the upstream and every contestant once."""
        direct = self.direct(upstream)
        proxies = {contestant.name: self.proxy(contestant, direct) for contestant in contestants}
        return {"direct": direct, **dict(sorted(proxies.items()))}


@contextmanager
def mock_upstream(folder: Path, core: int | None) -> Iterator[tuple[Running, int]]:
    """Run the mock upstream while the context lasts; give the process and its port."""
    port = free_port()
    with running(["-m", "benchmarks.upstream", str(port)], core, folder / "upstream.log") as process:
        first_answer(process, Target(port, UPSTREAM_CHAT_PATH, b'{"model": "auto"}'))
        yield process, port


def prepare(plan: Plan, upstream_port: int, folder: Path, cores: Cores) -> list[Contestant]:
    """Return the proxies that the plan wants, ready to be started."""
    contestants: list[Contestant] = []
    if "bare" in plan.only:
        contestants.append(Bare(upstream_port, folder, cores))
    if "freellm" in plan.only:
        contestants.append(Freellm(upstream_port, folder, cores, plan.keys_each))
    return contestants


def play(plan: Plan, announce: Callable[[str], None]) -> Outcome:
    """Run the plan.

    :param announce: told what is being measured
    :raises BenchmarkError: when a process does not start, or nothing was measured
    """
    cores = Cores.available()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freellm-bench-")))
        stack.enter_context(pinned(cores.load))
        upstream, port = stack.enter_context(mock_upstream(folder, cores.load))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        session = Session(plan, port, runner)
        contestants = prepare(plan, port, folder, cores)
        busy, stolen = busy_and_stolen()
        rounds = []
        for number in range(plan.rounds):
            announce(f"round {number + 1} of {plan.rounds}")
            rounds.append(session.round(upstream, contestants[:: -1 if number % 2 else 1]))
        busy_after, stolen_after = busy_and_stolen()
    share = (stolen_after - stolen) / max(busy_after - busy, 0.01)
    return Outcome(rounds, session.served_by, session.errors, cores, share)
