"""The pages: files that were built when the package was."""

from __future__ import annotations

from aiohttp import web

from freellm import auth


@auth("public")
async def page(request: web.Request) -> web.Response:
    """Return the page, which draws all of them."""
    return web.Response(text="<!doctype html><title>freellm</title>", content_type="text/html")


def register(app: web.Application) -> None:
    """Add the pages' routes."""
    app.router.add_get("/keys", page)
