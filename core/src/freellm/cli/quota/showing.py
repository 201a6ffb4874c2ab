"""`freellm quota`: what is left of every pool, and until when that lasts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError


@click.command("show")
@click.argument("provider", required=False)
@options.url
@options.api_key_env
@options.data_dir
@options.as_json
def show(
    provider: str | None, url: str | None, api_key_env: str, data_dir: Path | None, as_json: bool
) -> None:
    """Show what is left of every quota, and until when.

    Asks the running proxy; when none runs, the database, and says so. PROVIDER leaves out the others.
    """
    told = _of(_quotas(url, api_key_env, data_dir), provider)
    if as_json:
        printing.document(told)
        return
    from freellm.cli.quota.report import LONG, rows_of, totals_of

    if not told["pools"]:
        click.echo("There are no quotas yet: no provider has a key. Add one: freellm keys add PROVIDER")
        return
    printing.table(*rows_of(told), long=LONG)
    click.echo("")
    for line in totals_of(told["totals"]):
        click.echo(line)


def _quotas(url: str | None, api_key_env: str, data_dir: Path | None) -> Any:
    from freellm.cli.folder import open_folder
    from freellm.cli.proxy import NoProxyError, running
    from freellm.cli.quota.offline import NOTE, quotas
    from freellm.store import DATABASE_FILE

    proxy = running(url, api_key_env, data_dir)
    try:
        return {"source": "server", **proxy.get("/v1/freellm/quotas")}
    except NoProxyError:
        with open_folder(data_dir) as folder:
            if url or not (folder.settings.data_dir / DATABASE_FILE).exists():
                raise
            told = {"source": "database", **quotas(folder)}
    printing.note(NOTE.format(url=proxy.url))
    return told


def _of(told: Mapping[str, Any], provider: str | None) -> Mapping[str, Any]:
    """Return one provider's pools, or all."""
    if provider is None:
        return told
    pools = [pool for pool in told["pools"] if pool["provider"] == provider]
    if not pools:
        known = ", ".join(dict.fromkeys(pool["provider"] for pool in told["pools"]))
        raise SettingsError(f"no provider with a key is called {provider!r}; there are {known or 'none'}")
    return {**told, "pools": pools}
