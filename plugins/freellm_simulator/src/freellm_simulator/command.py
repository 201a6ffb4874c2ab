"""`freellm simulate`: the simulator as a server of its own."""

from __future__ import annotations

import asyncio
import json as json_text
import shlex
import signal

import click

from freellm_simulator.simulation import Simulation


@click.command()
@click.option(
    "--port", default=3999, show_default=True, type=click.IntRange(0, 65_535), help="0 takes any free one."
)
@click.option("--seed", default=0, show_default=True, help="The same seed and request give the same answer.")
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Factor on all waiting: 0 answers at once, 2 takes twice as long.",
)
@click.option("--include-retired", is_flag=True, help="Also serve the retired models of the demo.")
@click.option(
    "--days",
    type=click.FloatRange(min=0, min_open=True, max=366),
    help="Serve nobody; let so many days of traffic pass through freellm's own gateway and report.",
)
@click.option(
    "--load",
    default=40.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="With --days: requests a minute on average.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one line of JSON: where it listens, or the report."
)
def simulate(
    port: int, seed: int, speed: float, include_retired: bool, days: float | None, load: float, as_json: bool
) -> None:
    """Serve every provider, simulated: real quotas, wires and faults, no key and no network.

    With --days, see how much of the free capacity freellm would use, and what clients would see.
    """
    if days is not None:
        from freellm_simulator.days.command import run_days
        from freellm_simulator.days.day import Plan

        run_days(Plan(days, load, seed), as_json=as_json)
        return
    simulation = Simulation(seed=seed, speed=speed, include_retired=include_retired)
    try:
        asyncio.run(_serve(simulation, port, as_json))
    except OSError as error:
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror}; try --port 0") from error


async def _serve(simulation: Simulation, port: int, as_json: bool) -> None:
    await simulation.start(port)
    click.echo(as_line(simulation) if as_json else as_text(simulation))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await simulation.stop()


def exports(simulation: Simulation) -> dict[str, dict[str, str]]:
    """Return the environment variables that point each provider to the simulator."""
    return {
        provider: {
            f"FREELLM_{provider.upper()}_BASE_URL": url,
            simulation.environment[provider]: simulation.keys[provider],
        }
        for provider, url in simulation.base_urls.items()
    }


def as_text(simulation: Simulation) -> str:
    """Return what a person reads, the lines to paste among it."""
    lines = [
        f"Simulating {', '.join(simulation.base_urls)} on {simulation.url}. Paste into the shell of freellm:",
        "",
    ]
    lines += [
        "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        for variables in exports(simulation).values()
    ]
    lines += ["", f"State: curl {simulation.url}/sim/state    Stop: Ctrl+C"]
    return "\n".join(lines)


def as_line(simulation: Simulation) -> str:
    """Return what a program reads: one line of JSON."""
    models = [f"{provider}/{model}" for provider, model in simulation.models]
    return json_text.dumps(
        {"url": simulation.url, "environment": exports(simulation), "retired_models": models}
    )
