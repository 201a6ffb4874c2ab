"""`freellm tester`: serve the page."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import click

from freellm.cli import options, printing


@click.command("tester")
@click.option(
    "--port", default=7860, show_default=True, type=click.IntRange(0, 65_535), help="0 takes any free one."
)
@options.url
@options.api_key_env
@options.data_dir
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
def tester(port: int, url: str | None, api_key_env: str, data_dir: Path | None, as_json: bool) -> None:
    """Serve a page on this machine to try a running proxy by hand.

    One prompt with its raw headers, a stress test with a live chart, and models side by side. The requests are real: they
    spend quota.
    """
    from freellm.cli.target import find_target

    if find_spec("gradio") is None:
        raise click.ClickException(
            "the tester needs Gradio, which is not installed: pip install 'gradio>=6.31,<7'"
        )
    root, api_key = find_target(url, api_key_env, data_dir)

    from freellm_tester.proxy import Proxy
    from freellm_tester.serving import application, listen, serve

    with listen(port) as listener:
        printing.note("loading Gradio, which takes some seconds")
        served = application(Proxy(root, api_key), listener.getsockname()[1])
        page = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if as_json:
            click.echo(json.dumps({"url": page, "proxy": root}))
        else:
            click.echo(f"Trying {root}. The page: {page}    Stop: Ctrl+C")
        serve(served, listener)
