"""The simulator's panel says what the services counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import freellm_simulator
from dashboards import signed_in
from freellm.panels import Figures, Table
from freellm_simulator import Simulation
from freellm_simulator.panel import blocks, panel_of

PATH = "/api/panels/simulator"


async def test_a_panel_is_what_the_services_counted() -> None:
    async with Simulation(speed=0) as simulation:
        figures, answers, quotas = await panel_of(simulation).draw()
        assert isinstance(figures, Figures)
        assert [figure.value for figure in figures.figures] == [0, 0, None, 0, 0]
        assert isinstance(answers, Table)
        assert isinstance(quotas, Table)
        assert answers.rows == quotas.rows == []


def test_quotas_with_little_left_stand_first() -> None:
    quota = {"provider": "lab", "model": "m", "unit": "requests", "window": 60.0}
    state: dict[str, Any] = {
        "requests": [
            {"provider": "lab", "model": "m", "status": 200, "reason": "", "count": 3},
            {"provider": "lab", "model": "m", "status": 429, "reason": "rate_limit", "count": 1},
        ],
        "disconnected": [],
        "faults": [],
        "quotas": [
            {**quota, "used": 1, "limit": 10},
            {**quota, "unit": "tokens", "used": 9, "limit": 10},
            {**quota, "used": 0, "limit": 10},
        ],
    }
    figures, answers, quotas = blocks(state)
    assert isinstance(figures, Figures)
    assert isinstance(answers, Table)
    assert isinstance(quotas, Table)
    assert [figure.value for figure in figures.figures][:3] == [3, 1, 0.75]
    assert [row[-1] for row in answers.rows] == [3, 1]
    assert [row[-1] for row in quotas.rows] == [0.9, 0.1]
    assert all(len(row) == len(quotas.columns) for row in quotas.rows)


async def test_the_dashboard_of_a_demo_shows_it_and_any_other_does_not(tmp_path: Path) -> None:
    async with (
        freellm_simulator.plugin.serve_demo() as simulation,
        signed_in(tmp_path / "demo", base_urls={"groq": simulation.base_urls["groq"]}) as browser,
    ):
        assert (await browser.proxy.chat("groq/openai/gpt-oss-20b")).status == 200
        told = (await browser.get(PATH)).json
        assert told["title"] == "Simulated services"
        assert told["blocks"][0]["figures"][0]["value"] == 1
        assert [row[:3] for row in told["blocks"][1]["rows"]] == [["groq", "openai/gpt-oss-20b", 200]]
        assert told["blocks"][2]["rows"]
    async with signed_in(tmp_path / "other") as browser:
        assert (await browser.get(PATH)).status == 404
