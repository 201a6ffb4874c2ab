"""`freellm serve`: the proxy, with a first screen that can be pasted from."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any

import click

from freellm import logs
from freellm.built_in import BUILT_IN
from freellm.cli.banner import banner
from freellm.errors import SettingsError
from freellm.extensions import load_extensions
from freellm.plugins import PROVIDERS, discover
from freellm.proxy import Demo
from freellm.runtime import Runtime
from freellm.server import Server
from freellm.settings import load_settings, take_secrets


@click.command()
@click.option("--host", help="The address to listen on; 127.0.0.1 unless set.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="The port to listen on; 3001 unless set, 0 takes any."
)
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="The folder of the database."
)
@click.option("--no-auth", is_flag=True, default=None, help="Ask for no key; on loopback only.")
@click.option("--strict-plugins", is_flag=True, default=None, help="Refuse to start when a plugin is broken.")
@click.option(
    "--demo", is_flag=True, help="Simulate every provider: no key, no network, a throw-away data folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print the first screen as one JSON document.")
def serve(
    host: str | None,
    port: int | None,
    data_dir: Path | None,
    no_auth: bool | None,
    strict_plugins: bool | None,
    demo: bool,
    as_json: bool,
) -> None:
    """Run the proxy until it is stopped."""
    overrides = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "no_auth": no_auth,
        "strict_plugins": strict_plugins,
    }
    environ = dict(os.environ)
    take_secrets(os.environ)
    run = _demonstrate(environ, overrides, as_json) if demo else _serve(environ, overrides, as_json)
    _loop(run)


def _loop(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)


async def _serve(environ: Mapping[str, str], overrides: Mapping[str, object], as_json: bool) -> None:
    settings = load_settings(environ, overrides)
    logs.configure(settings.log_level)
    await _run(Runtime(settings, environ), as_json, demo=False)


async def _demonstrate(environ: Mapping[str, str], overrides: Mapping[str, object], as_json: bool) -> None:
    if overrides["data_dir"] is not None:
        raise SettingsError("--demo makes a throw-away data folder; leave --data-dir out")
    settings = load_settings(environ, overrides)
    logs.configure(settings.log_level)
    extensions, _ = load_extensions(settings.load_plugins, BUILT_IN)
    demo = extensions.serve_demo()
    if demo is None:
        raise SettingsError(
            "--demo needs the simulator; install it: pip install freellm-simulator "
            "(in a clone: pip install ./plugins/freellm_simulator)"
        )
    loaded = {record.id for record in discover(PROVIDERS, settings.load_plugins) if record.status == "loaded"}
    async with _demo_runtime(demo, environ, overrides, loaded) as runtime:
        await _run(runtime, as_json, demo=True)


@contextlib.asynccontextmanager
async def _demo_runtime(
    demo: Demo, environ: Mapping[str, str], overrides: Mapping[str, object], loaded: Collection[str]
) -> AsyncIterator[Runtime]:
    """Make a runtime on a throw-away data folder whose providers are all simulated.

    :param loaded: the names of the loaded providers
    """
    with tempfile.TemporaryDirectory(prefix="freellm-demo-") as folder:
        async with demo:
            data = Path(folder)
            settings = load_settings(
                environ,
                {
                    **overrides,
                    "models_sync_days": 0,
                    "data_dir": data / "data",
                    "config_dir": data / "config",
                    "base_urls": {name: url for name, url in demo.base_urls.items() if name in loaded},
                },
            )
            runtime = Runtime(settings, {}, demo=True)
            _furnish(runtime, demo)
            yield runtime


def _furnish(runtime: Runtime, demo: Demo) -> None:
    """Add the simulated providers' keys and switch on the models the demo wants."""
    from freellm.keyring import parse_key

    for provider in runtime.providers:
        if line := demo.keys.get(provider.name):
            fields = parse_key(provider.info, line)
            runtime.keyring.add(provider.name, fields, now=runtime.clock.now(), label="demo")
    known = {(entry.provider.name, entry.model.id) for entry in runtime.proxy.catalogue.entries}
    for provider_name, model in demo.models:
        if (provider_name, model) in known:
            runtime.store.models.enable(provider_name, model, True)
    runtime.refresh()


async def _run(runtime: Runtime, as_json: bool, *, demo: bool) -> None:
    """Serve until a signal; a second signal ends it at once."""
    server = Server(runtime)
    stopped = asyncio.Event()
    try:
        await server.start()
        _on_signals(stopped)
        gc.collect()
        gc.freeze()  # what is there now stays; later collections need not look at it
        gc.set_threshold(
            20_000, 20, 50
        )  # requests make few cycles: looking for them less often is 5 % of the time
        click.echo(banner(server, demo=demo, as_json=as_json))
        await stopped.wait()
        click.echo("stopping: open streams are given up to 60 s; once more stops at once", err=True)
    finally:
        await server.stop()


def _on_signals(stopped: asyncio.Event) -> None:
    def stop() -> None:
        if stopped.is_set():
            os._exit(130)
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows delivers Ctrl-C as KeyboardInterrupt
            loop.add_signal_handler(number, stop)
