"""`freellm quota clear`: take back what closes a provider, a model, a route, a key or a pool."""

from __future__ import annotations

from pathlib import Path

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError


@click.command("clear")
@click.argument("name")
@options.url
@options.api_key_env
@options.data_dir
@options.as_json
def clear(name: str, url: str | None, api_key_env: str, data_dir: Path | None, as_json: bool) -> None:
    """Take back what closes a provider or a route.

    NAME is a provider, provider/model, provider/model#key, provider#key, a pool as `freellm quota --json` names it, or
    what `freellm explain` calls it. Cooldowns, breakers, penalties and refused sizes are forgotten, and pools that the
    service called exhausted are open again; what was spent stays spent.
    """
    cleared = _clear(name, url, api_key_env, data_dir)
    if as_json:
        printing.document({"name": name, "cleared": cleared})
    elif cleared:
        click.echo("\n".join(f"open again: {printing.plain(what)}" for what in cleared))
    else:
        click.echo(f"Nothing of {printing.plain(name)} was closed.")


def _clear(name: str, url: str | None, api_key_env: str, data_dir: Path | None) -> list[str]:
    import orjson

    from freellm.cli.folder import open_folder
    from freellm.cli.proxy import NoProxyError, running
    from freellm.cli.quota.offline import cleared
    from freellm.store import DATABASE_FILE

    proxy = running(url, api_key_env, data_dir)
    try:
        told: list[str] = proxy.post("/v1/freellm/clear", orjson.dumps({"name": name}))["cleared"]
    except NoProxyError:
        with open_folder(data_dir) as folder:
            if url or not (folder.settings.data_dir / DATABASE_FILE).exists():
                raise
            found = cleared(folder, name, proxy.url)
        if found is None:
            raise SettingsError(
                f"nothing is called {name!r}; freellm quota lists the providers with their pools"
            ) from None
        printing.note(f"no freellm answers at {proxy.url}: pools were opened in the database")
        return found
    return told
