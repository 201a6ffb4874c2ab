"""A closed-loop load generator: each connection sends the next request when the last answer is complete, at once or paced.

It has to stay well ahead of what it measures, so its clients are raw protocols on uvloop that read only what is
reported.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from benchmarks.client import Connection, Paced, Tally, Target

MOST_ERRORS: Final = 100
"""After this many a connection that was lost stays lost: the figures are worthless anyway."""


@dataclass(frozen=True, slots=True)
class Load:
    """The figures of one run: rates per second, latencies in milliseconds; the rest as in `Tally`."""

    requests_per_second: float
    events_per_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    all_events: int
    answers: int
    refused: int
    errors: int
    first_error: str
    served_by: dict[str, int]


async def measure(
    target: Target, connections: int, seconds: float, warm_up: float, rate: float | None = None
) -> Load:
    """Load `target` and return the figures.

    :param connections: how many requests are in flight at any moment
    :param seconds: the measured time; what is in flight at its end is dropped
    :param warm_up: seconds of load before it
    :param rate: requests a second of all connections together; None is as many as are answered
    """
    tally = Tally()
    pause = None if rate is None else connections / rate
    clients = [asyncio.create_task(_keep_asking(target, tally, pause)) for _ in range(connections)]
    gc.collect()
    gc.freeze()
    await asyncio.sleep(warm_up)
    tally.recording, started = True, perf_counter()
    await asyncio.sleep(seconds)
    tally.recording, elapsed = False, perf_counter() - started
    tally.stopped = True
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    gc.unfreeze()
    return _summarize(tally, elapsed)


async def _keep_asking(target: Target, tally: Tally, pause: float | None) -> None:
    """Hold one connection, and open another when it is lost."""
    loop = asyncio.get_running_loop()
    while tally.errors < MOST_ERRORS:
        try:
            transport, client = await loop.create_connection(
                lambda: Connection(target, tally) if pause is None else Paced(target, tally, pause),
                "127.0.0.1",
                target.port,
            )
        except OSError as error:
            tally.fail(f"no connection: {error!r}")
            continue
        try:
            await client.lost.wait()
        finally:
            transport.abort()


def _summarize(tally: Tally, elapsed: float) -> Load:
    ordered = sorted(tally.latencies)
    return Load(
        requests_per_second=len(ordered) / elapsed,
        events_per_second=tally.events / elapsed,
        p50_ms=percentile(ordered, 0.5) * 1000,
        p90_ms=percentile(ordered, 0.9) * 1000,
        p99_ms=percentile(ordered, 0.99) * 1000,
        all_events=tally.all_events,
        answers=tally.answers,
        refused=tally.refused,
        errors=tally.errors,
        first_error=tally.first_error,
        served_by=dict(tally.served_by),
    )


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """Return the value below which `fraction` of the ordered values lie; not a number when there are none."""
    if not ordered:
        return float("nan")
    return ordered[min(int(fraction * len(ordered)), len(ordered) - 1)]
