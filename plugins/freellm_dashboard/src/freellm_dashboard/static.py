"""The pages: files that were built when the package was, held in memory, compressed beforehand."""

from __future__ import annotations

import hashlib
import logging
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from freellm import auth
from freellm_dashboard.headers import PAGE

_log = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).parent / "assets"
"""Where the build puts them: `index.html`, what lies beside it, and files with a hash in their name in `assets/`."""

PAGES: Final = (
    "/",
    "/models",
    "/login",
    "/keys",
    "/playground",
    "/analytics",
    "/plugins",
    "/settings",
    "/panels",
    "/panels/{id}",
)
"""The addresses of the pages. One document draws them all."""

SHARED: Final = frozenset({"/", "/models"})
"""Those of them that core answers as well, to programs."""

PROGRAMS: Final = ("/v1/", "/api/", "/assets/")
"""Where no page is, ever: what is missing there is told in JSON."""

_ENCODINGS: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""Compressions by the name that browsers know them by, the better one first."""

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASKED_AGAIN: Final = "no-cache"
_TYPES: Final[Mapping[str, str]] = {".js": "text/javascript", ".woff2": "font/woff2", ".webmanifest": "application/manifest+json"}  # fmt: skip

MISSING: Final = (
    "The dashboard's pages were not built when it was installed. The API under /v1 works all the same. "
    "Build them in a clone: pip install --force-reinstall --no-deps ./plugins/freellm_dashboard"
)


class Asset(msgspec.Struct, frozen=True):
    """One file.

    :param bodies: its bytes by compression; `identity` is as it is
    :param media_type: what it is
    :param tag: what tells it from another version of it
    :param cached: how long browsers may keep it
    """

    bodies: Mapping[str, bytes]
    media_type: str
    tag: str
    cached: str

    def answer(self, request: web.Request, status: int = 200) -> web.Response:
        """Return it, as small as the browser takes it, or that the browser has it."""
        headers = {**PAGE, "Cache-Control": self.cached, "ETag": self.tag, "Vary": "Accept-Encoding, Accept"}
        if status == 200 and request.headers.get(hdrs.IF_NONE_MATCH) == self.tag:
            return web.Response(status=304, headers=headers)
        encoding = _chosen(request.headers.get(hdrs.ACCEPT_ENCODING, ""), self.bodies)
        if encoding != "identity":
            headers["Content-Encoding"] = encoding
        headers["Content-Type"] = self.media_type
        return web.Response(body=self.bodies[encoding], status=status, headers=headers)


def _chosen(accepted: str, bodies: Mapping[str, bytes]) -> str:
    taken = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            taken.add(name.strip())
    return next((name for name in _ENCODINGS if name in taken and name in bodies), "identity")


def read(folder: Path) -> Mapping[str, Asset]:
    """Return the files of a folder by their paths in it, hidden ones aside; nothing when there is none."""
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    files = {name: file for name, file in found.items() if not file.name.startswith(".")}
    return {
        name: _asset(name, file)
        for name, file in files.items()
        if not (file.suffix in _ENCODINGS.values() and name.removesuffix(file.suffix) in files)
    }


def _asset(name: str, file: Path) -> Asset:
    body = file.read_bytes()
    bodies = {"identity": body}
    for encoding, suffix in _ENCODINGS.items():
        if (smaller := file.with_name(file.name + suffix)).exists():
            bodies[encoding] = smaller.read_bytes()
    media_type = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    hashed = name.startswith("assets/")
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Asset(bodies, media_type, tag, _FOR_EVER if hashed else _ASKED_AGAIN)


class ForBrowsers(web.PlainResource):
    """An address that is a page to who asks for one; for everybody else the router goes on to the next that has it."""

    async def resolve(self, request: web.Request) -> Any:
        """Return the route and the methods that there are."""
        if "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
            return None, set()
        return await super().resolve(request)


class Elsewhere(web.DynamicResource):
    """Every address that nothing is at: a page to who asks for one, below the addresses that are for programs."""

    async def resolve(self, request: web.Request) -> Any:
        """Return the route and the methods that there are."""
        if "text/html" not in request.headers.get(hdrs.ACCEPT, "") or request.path.startswith(PROGRAMS):
            return None, set()
        return await super().resolve(request)


class Pages:
    """The handlers of pages and files.

    :param assets: the files by their paths
    """

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._assets = assets

    @auth("public")
    async def page(self, request: web.Request) -> web.StreamResponse:
        """Return the document that draws every page. It holds nothing secret."""
        if document := self._assets.get("index.html"):
            return document.answer(request)
        return web.Response(text=MISSING, status=503, headers={**PAGE, "Cache-Control": "no-store"})

    @auth("public")
    async def nothing(self, request: web.Request) -> web.StreamResponse:
        """Return the same document, which says that there is no such page."""
        return self._assets["index.html"].answer(request, status=404)

    @auth("public")
    async def file(self, request: web.Request) -> web.StreamResponse:
        """Return a file that the document asks for."""
        if asset := self._assets.get(request.path.removeprefix("/")):
            return asset.answer(request)
        raise web.HTTPNotFound


def register(app: web.Application) -> None:
    """Add the routes of pages and files, and say so once when there are none."""
    assets = read(FOLDER)
    if "index.html" not in assets:
        _log.warning(MISSING)
    pages = Pages(assets)
    for path in PAGES:
        if path in SHARED:
            resource = ForBrowsers(path)
            app.router.register_resource(resource)
            resource.add_route("GET", pages.page)
        else:
            app.router.add_get(path, pages.page)
    app.router.add_get("/assets/{name:.+}", pages.file)
    for name in assets:
        if "/" not in name and name != "index.html":
            app.router.add_get(f"/{name}", pages.file)
    if "index.html" in assets:
        elsewhere = Elsewhere("/{rest:.*}")
        app.router.register_resource(elsewhere)
        elsewhere.add_route("GET", pages.nothing)
