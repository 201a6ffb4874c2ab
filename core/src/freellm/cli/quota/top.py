"""`freellm top`: quotas, requests under way, the last answers and what is closed, once a second."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from freellm.cli import options, printing

if TYPE_CHECKING:
    from freellm.cli.proxy import RunningProxy

EVERY: Final = 1.0
"""Seconds between two looks."""


@click.command("top")
@options.url
@options.api_key_env
@options.data_dir
@options.as_json
def top(url: str | None, api_key_env: str, data_dir: Path | None, as_json: bool) -> None:
    """Watch quotas, requests and closed routes live.

    Asks the running proxy once a second, until q or Ctrl-C. Into a pipe, and with --json, it tells once what is so.
    """
    from freellm.cli.proxy import running

    proxy = running(url, api_key_env, data_dir)
    told = _look(proxy)
    if as_json:
        printing.document(told)
    elif sys.stdout.isatty():
        _watch(proxy, told)
    else:
        from freellm.cli.quota.screen import screen

        printing.console_of_stdout().print(screen(told, None))


def _look(proxy: RunningProxy) -> dict[str, Any]:
    quotas = proxy.get("/v1/freellm/quotas?used=true")
    return {"quotas": quotas, "activity": proxy.get("/v1/freellm/activity")}


def _watch(proxy: RunningProxy, told: dict[str, Any]) -> None:
    from rich.live import Live

    from freellm.cli.quota.keyboard import keys
    from freellm.cli.quota.screen import screen

    console = printing.console_of_stdout()
    try:
        with keys() as wait, Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(screen(told, console.height), refresh=True)
                if wait(EVERY).lower() == "q":
                    return
                told = _look(proxy)
    except KeyboardInterrupt:
        return
