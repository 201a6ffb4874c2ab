"""Serving the page on loopback, without telling anybody about it."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import click

from freellm_tester.guard import Application, Guard
from freellm_tester.proxy import Proxy

LOOPBACK = "127.0.0.1"

_SILENT = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
"""What keeps Gradio and the library below it from calling home; read when they are imported."""


def listen(port: int) -> socket.socket:
    """Listen on loopback.

    :param port: 0 takes any free one
    :raises ClickException: when the port is taken
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"cannot listen on port {port}: {reason}; try --port 0") from None


def application(proxy: Proxy, port: int) -> Application:
    """Return the page as an ASGI application.

    :param port: where it is going to listen
    """
    os.environ.update(_SILENT)
    from fastapi import FastAPI
    from gradio import mount_gradio_app

    from freellm_tester.page import CSS, THEME, build

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    mounted = mount_gradio_app(
        app,
        build(proxy),
        path="",
        server_name=LOOPBACK,
        server_port=port,
        theme=THEME,
        css=CSS,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )
    return Guard(mounted, port)


def serve(app: Application, listener: socket.socket) -> None:
    """Serve the page until the process is told to stop."""
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on")
    with suppress(KeyboardInterrupt):  # uvicorn has stopped in good order and passes the signal on
        uvicorn.Server(config).run(sockets=[listener])
