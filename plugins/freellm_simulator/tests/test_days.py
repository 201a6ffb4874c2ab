"""Simulated days: the clock jumps, the traffic is as seeded, the books judge, and freellm keeps to them."""

from __future__ import annotations

import asyncio
from collections import Counter

import orjson
import pytest
from click.testing import CliRunner

from freellm_simulator.command import simulate as command
from freellm_simulator.days import virtual
from freellm_simulator.days.day import Plan, simulate
from freellm_simulator.days.report import verdicts
from freellm_simulator.days.traffic import KINDS, arrivals

HOUR = Plan(days=1 / 24, per_minute=60, seed=3)


def test_time_jumps_to_what_is_due_and_keeps_its_order() -> None:
    seen: list[tuple[float, str]] = []

    async def later(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        seen.append((asyncio.get_running_loop().time(), name))

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(later(86_400, "a day"))
            group.create_task(later(0.5, "a moment"))

    virtual.run(main())
    assert [name for _, name in seen] == ["a moment", "a day"]
    assert [at for at, _ in seen] == pytest.approx([0.5, 86_400])


def test_an_error_in_virtual_time_is_raised() -> None:
    async def main() -> None:
        await asyncio.sleep(1)
        raise ValueError("as it should")

    with pytest.raises(ValueError, match="as it should"):
        virtual.run(main())


def test_traffic_is_seeded_in_order_and_of_every_kind() -> None:
    day = list(arrivals(7, 1.0, 10.0))
    assert day == list(arrivals(7, 1.0, 10.0))
    assert day != list(arrivals(8, 1.0, 10.0))
    assert [arrival.at for arrival in day] == sorted(arrival.at for arrival in day)
    assert day[-1].at < 86_400
    kinds = Counter(arrival.kind for arrival in day)
    assert set(kinds) == {kind.name for kind in KINDS}
    assert kinds["chat"] == pytest.approx(0.55 * len(day), rel=0.1)


def test_traffic_has_bursts_and_quiet_hours() -> None:
    minutes = Counter(int(arrival.at // 60) for arrival in arrivals(7, 1.0, 10.0))
    hours = Counter(int(arrival.at // 3600) for arrival in arrivals(7, 1.0, 10.0))
    assert max(minutes.values()) > 4 * 10
    assert max(hours.values()) > 2 * min(hours.values())


def test_freellm_answers_all_that_there_is_room_for_and_is_hardly_ever_refused() -> None:
    freellm, possible = simulate(HOUR, "freellm"), simulate(HOUR, "oracle")
    assert freellm.total == possible.total > 1_000
    assert freellm.answered >= 0.97 * possible.answered
    assert freellm.errors_with_room == 0
    assert freellm.refused_per_thousand <= 5  # a first hour meets limits that nobody states


def test_the_policy_it_is_compared_with_is_refused_more_often() -> None:
    rival = simulate(HOUR, "rival")
    assert rival.answered > 0
    assert rival.refused > 10 * max(simulate(HOUR, "freellm").refused, 1)


def test_the_same_seed_is_the_same_day() -> None:
    short = Plan(days=1 / 96, per_minute=30, seed=3)
    first, second = simulate(short, "freellm"), simulate(short, "freellm")
    assert (first.served, first.attempts, first.errors) == (second.served, second.attempts, second.errors)


def test_the_command_reports_every_contender_as_json() -> None:
    outcome = CliRunner().invoke(command, ["--days", "0.005", "--load", "30", "--json"])
    assert outcome.exit_code == 0, outcome.output
    report = orjson.loads(outcome.stdout)
    assert [row["contender"] for row in report["contenders"]] == [
        "freellm",
        "FreeLLMAPI's policy",
        "with the services' books",
    ]
    assert all(row["requests"] == report["contenders"][0]["requests"] for row in report["contenders"])


def test_the_command_prints_a_table_and_the_targets() -> None:
    outcome = CliRunner().invoke(command, ["--days", "0.005", "--load", "30"])
    assert outcome.exit_code == 0, outcome.output
    for words in ("upstream 429s per 1,000", "of the capacity used", "reached  "):
        assert words in outcome.stdout


def test_a_missed_target_is_called_missed() -> None:
    rival = simulate(Plan(days=1 / 24, per_minute=60, seed=3), "rival")
    assert any(line.startswith("MISSED") for line in verdicts(rival, 0.5))
