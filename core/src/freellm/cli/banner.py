"""The first screen of `freellm serve`: where it is, what to paste, what to do next."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from freellm.cli.folder import how_to_add
from freellm.server import Server
from freellm.version import VERSION


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
    lines += [f"  data       {facts['data_dir']}{thrown_away}", f"  models     {_models(facts['models'])}"]
    lines += [f"  left out   {name}: {reason}" for name, reason in facts["plugins_left_out"].items()]
    return [
        *lines,
        "",
        *(_paste(server, facts) if facts["models"] else _no_keys(server)),
        "",
        "Stop with Ctrl-C.",
    ]


def _models(models: dict[str, int]) -> str:
    if not models:
        return "none yet, no provider has a key"
    return ", ".join(f"{count} at {provider}" for provider, count in sorted(models.items()))


def _paste(server: Server, facts: dict[str, Any]) -> list[str]:
    if server.runtime.settings.no_auth:
        key = "not-needed"
    else:
        key = facts["api_key"] or f"$(freellm apikey show{_folder(server)})"
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
    lines = [
        "No provider has a key yet, so nothing can answer. Get a free one and add it; no restart is needed:",
        "",
    ]
    for provider in server.runtime.providers:
        command = f"freellm keys add {provider.name}{_folder(server)}"
        lines.append(f"  {command:<40} {provider.info.signup_url}")
    for plugin in server.runtime.roster.plugins:
        lines += ["", f"  {how_to_add(plugin)}{_folder(server)}   a server of your own"]
    return [*lines, "", "Or look around without one: freellm serve --demo"]


def _folder(server: Server) -> str:
    """Return the option that other commands need to find this data folder, if they need it."""
    from freellm.settings import Settings

    folder = server.runtime.settings.data_dir
    return "" if folder == Settings().data_dir else f" --data-dir {folder}"
