"""The HTTP server: routes, who may call them, starting and stopping."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

from freellm.access import LEVELS, auth
from freellm.errors import PluginError, SettingsError
from freellm.runtime import Runtime
from freellm.settings import is_loopback
from freellm.surfaces.guard import Credentials, Guard, Hosts, unmarked
from freellm.surfaces.shortcut import shorten
from freellm.version import VERSION

KEEP_ALIVE = 15.0
"""Seconds an idle connection is kept, and a request's headers may take (docs/security.md)."""

DRAIN = 60.0
"""Seconds that open streams are given when the server stops."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Server:
    """A runtime behind HTTP.

    :param runtime: what answers
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        settings = runtime.settings
        self.credentials = Credentials(None)
        if not settings.no_auth:
            self._take_key()
            runtime.on_change.append(self._take_key)
        hosts = Hosts(allowed_names(settings.host, settings.allowed_hosts))
        self._checks = runtime.extensions.checks()
        self._guard = Guard(self.credentials, hosts, runtime.proxy.ids, self._checks)
        self._ready = False
        self.port = settings.port
        self._runner: web.AppRunner | None = None

    def _take_key(self) -> None:
        self.credentials.replace(self.runtime.unified_key.reveal())

    def application(self) -> web.Application:
        """Return the web application, with every plugin's routes.

        :raises PluginError: when a route does not say who may call it
        """
        settings, proxy = self.runtime.settings, self.runtime.proxy
        app = web.Application(
            middlewares=[self._guard.middleware()], client_max_size=int(settings.body_limit)
        )
        app.router.add_get("/v1", self._front)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        self.runtime.extensions.register_routes(app, proxy)
        front = web.PlainResource("/")  # after those of plugins, which may have a front page
        app.router.register_resource(front)
        for method in ("GET", "HEAD"):
            front.add_route(method, self._front)
        levels = (*LEVELS, *self._checks)
        if open_routes := unmarked(app, levels):
            choices = " or ".join(f"@freellm.auth({level!r})" for level in levels)
            raise PluginError(
                f"these routes do not say who may call them: {', '.join(open_routes)}; "
                f"mark their handlers with {choices}"
            )
        return app

    async def start(self) -> None:
        """Start the runtime and listen.

        :raises SettingsError: when the address cannot be listened on
        """
        settings = self.runtime.settings
        self._runner = web.AppRunner(
            self.application(),
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=KEEP_ALIVE,
            shutdown_timeout=DRAIN,
        )
        await self.runtime.start()
        await self._runner.setup()
        shorten(self._runner, self._guard.serve)
        site = web.TCPSite(self._runner, settings.host.strip("[]"), settings.port)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}; "
                "choose another with --port, or --port 0 for any free one"
            ) from None
        self.port = _bound(self._runner.addresses) or settings.port
        self._ready = True

    async def stop(self) -> None:
        """Accept nothing new, let open streams end, write everything down."""
        self._ready = False
        if self._runner is not None:
            await self._runner.cleanup()
        await self.runtime.stop()

    @auth("public")
    async def _front(self, request: web.Request) -> web.Response:
        """Say where things are."""
        base = f"http://{request.host}/v1"
        return web.json_response(
            {
                "name": "freellm",
                "version": VERSION,
                "openai_base_url": base,
                "endpoints": [
                    "POST /v1/chat/completions",
                    "POST /v1/embeddings",
                    "GET /v1/models",
                    "POST /v1/freellm/explain",
                    "GET /v1/freellm/quotas",
                    "GET /livez",
                    "GET /readyz",
                ],
                "api_key": "freellm apikey show",
            }
        )

    @auth("public")
    async def _livez(self, request: web.Request) -> web.Response:
        """Say that the process answers."""
        return web.json_response({"status": "ok"})

    @auth("public")
    async def _readyz(self, request: web.Request) -> web.Response:
        """Say whether requests are taken: 503 while starting and stopping, and without any provider key."""
        catalogue = self.runtime.proxy.catalogue
        models = (*catalogue.chain, *catalogue.embedders)
        ready = self._ready and bool(models)
        reason = "ok" if ready else "no provider has a key" if self._ready else "starting or stopping"
        return web.json_response({"status": reason, "models": len(models)}, status=200 if ready else 503)


def allowed_names(host: str, extra: Collection[str]) -> Collection[str]:
    """Return the names that requests may be addressed to; none stands for any.

    A server that only this machine can reach answers to loopback's names alone, so that no web page can get at it by
    pointing its own name here (DNS rebinding).
    """
    if is_loopback(host):
        return (*LOOPBACK_NAMES, host, *extra)
    return (*LOOPBACK_NAMES, host, *extra) if extra else ()


def _bound(addresses: list[object]) -> int | None:
    for address in addresses:
        if isinstance(address, tuple) and len(address) >= 2:
            return int(address[1])
    return None
