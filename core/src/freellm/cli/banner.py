"""The first screen of `freellm serve`: where it is, what to paste, what to do next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from freellm.cli.folder import how_to_add
from freellm.cli.options import INSTALL_ONE
from freellm.server import Server
from freellm.version import VERSION

_WIDTH: Final = 100
"""Columns in which the list of providers is broken into lines."""

_STUCK: Final = "\N{NO-BREAK SPACE}"


def banner(server: Server, *, demo: bool, as_json: bool) -> str:
    """Return the first screen.

    :param demo: whether providers are simulated; then the key, thrown away at the end, is shown
    :param as_json: whether a program reads it
    """
    facts = _facts(server, demo)
    return orjson.dumps(facts).decode() if as_json else "\n".join(_lines(server, facts, demo))


def _facts(server: Server, demo: bool) -> dict[str, Any]:
    runtime = server.runtime
    host = runtime.settings.host
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1", "localhost") else host  # noqa: S104
    url = f"http://{shown}:{server.port}"
    catalogue = runtime.snapshot.orders.catalogue
    models = Counter(entry.provider.name for entry in (*catalogue.chain, *catalogue.embedders))
    return {
        "version": VERSION,
        "url": url,
        "openai_base_url": f"{url}/v1",
        "host": host,
        "port": server.port,
        "data_dir": str(runtime.settings.data_dir),
        "demo": demo,
        "api_key": runtime.unified_key.reveal() if demo else None,
        "models": dict(models),
        "announced": dict(runtime.extensions.announce(runtime.proxy, url)),
        "plugins_left_out": {
            record.id: record.reason for record in runtime.plugins if record.status == "quarantined"
        },
    }


def _lines(server: Server, facts: dict[str, Any], demo: bool) -> list[str]:
    about = (
        "demo: every provider is simulated, nothing leaves this machine"
        if demo
        else "one endpoint, free tiers"
    )
    lines = [f"freellm {VERSION} - {about}", "", f"  listening  {facts['url']}  (on {facts['host']})"]
    thrown_away = "  (thrown away at the end)" if demo else ""
    lines += [f"  data       {facts['data_dir']}{thrown_away}", *_models(facts["models"])]
    lines += [f"  {title:<9}  {text}" for title, text in facts["announced"].items()]
    lines += [f"  left out   {name}: {reason}" for name, reason in facts["plugins_left_out"].items()]
    return [
        *lines,
        "",
        *(_paste(server, facts) if facts["models"] else _no_keys(server)),
        *_more(server),
        "",
        "Stop with Ctrl-C.",
    ]


def _models(models: dict[str, int]) -> Sequence[str]:
    title = "  models     "
    counts = [f"{count} at {provider}".replace(" ", _STUCK) for provider, count in sorted(models.items())]
    lines = textwrap.wrap(
        ", ".join(counts) or "none yet, no provider has a key",
        _WIDTH,
        initial_indent=title,
        subsequent_indent=" " * len(title),
        break_on_hyphens=False,
    )
    return [line.replace(_STUCK, " ") for line in lines]


def _paste(server: Server, facts: dict[str, Any]) -> list[str]:
    if server.runtime.settings.no_auth:
        key = "not-needed"
    else:
        key = facts["api_key"] or f"$({program()} apikey show{_folder(server)})"
    return [
        "Paste this where your OpenAI client runs:",
        "",
        f"  export OPENAI_BASE_URL={facts['openai_base_url']}",
        f"  export OPENAI_API_KEY={key}",
        "",
        "and try it:",
        "",
        '  curl $OPENAI_BASE_URL/chat/completions -H "Authorization: Bearer $OPENAI_API_KEY" \\',
        """    -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'""",
    ]


def _no_keys(server: Server) -> list[str]:
    if not server.runtime.providers and not server.runtime.roster.plugins:
        return [f"No provider is installed, so nothing can answer. {INSTALL_ONE}; then start again."]
    lines = [
        "No provider has a key yet, so nothing can answer. Get a free one and add it; no restart is needed:",
        "",
    ]
    commands = {
        f"{program()} keys add {provider.name}{_folder(server)}": provider.info.signup_url
        for provider in server.runtime.providers
        if not provider.retired
    }
    width = max(map(len, commands), default=0)
    lines += [f"  {command:<{width}}   {url}" for command, url in commands.items()]
    for plugin in server.runtime.roster.plugins:
        lines += ["", "or add a server of your own:", "", f"  {how_to_add(plugin)}{_folder(server)}"]
    if any("serve_demo" in record.hooks for record in server.runtime.plugins):
        lines += ["", f"Or look around without one: {program()} serve --demo"]
    return lines


def _more(server: Server) -> list[str]:
    """Say where the other providers are, while only those answer that need no key."""
    keys = server.runtime.keyring.all()
    if not keys or any(key.source != "keyless" for key in keys):
        return []
    return [
        "",
        f"These need no key. Those that do give free ones: {program()} keys list{_folder(server)} says where.",
    ]


def program() -> str:
    """Return how this program is called from another terminal.

    A virtual environment's `freellm` is called by its path: it is on the `PATH` only where the environment is active, as
    in `uv run`.
    """
    script = Path(sys.argv[0]).absolute()
    if script.stem != "freellm" or not script.is_relative_to(sys.prefix) or sys.prefix == sys.base_prefix:
        return "freellm"
    elsewhere = [folder for folder in os.get_exec_path() if Path(folder) != script.parent]
    return "freellm" if shutil.which("freellm", path=os.pathsep.join(elsewhere)) else shlex.quote(str(script))


def _folder(server: Server) -> str:
    """Return the option that other commands need to find this data folder, if they need it."""
    from freellm.settings import Settings

    folder = server.runtime.settings.data_dir
    return "" if folder == Settings().data_dir else f" --data-dir {shlex.quote(str(folder))}"
