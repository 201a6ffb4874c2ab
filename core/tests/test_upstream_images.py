"""Images that messages refer to."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from freellm.errors import RequestError
from freellm.upstream import images
from freellm.upstream.client import UpstreamClient, open_session

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(50)


async def serve(request: web.Request) -> web.StreamResponse:
    what = request.match_info["what"]
    if what == "hop":
        left = int(request.query["left"])
        return web.Response(status=302, headers={"Location": f"/hop?left={left - 1}" if left else "/cat.png"})
    if what == "away":
        return web.Response(status=302, headers={"Location": request.query["to"]})
    if what == "stall":
        await asyncio.Event().wait()
    kinds = {"page": "text/html", "odd": "image/;x", "CAT": "IMAGE/PNG; charset=x", "huge.png": "image/png"}
    body = bytes(images.IMAGE_LIMIT + 1) if what == "huge.png" else PIXEL
    return web.Response(
        body=body,
        status=404 if what == "gone" else 200,
        headers={"Content-Type": kinds.get(what, "image/png")},
    )


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_get("/{what}", serve)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with open_session(local=True) as session:
        yield session


async def refused(session: ClientSession, url: str) -> str:
    with pytest.raises(RequestError) as caught:
        await images.fetch(session, url)
    assert (caught.value.param, caught.value.code, caught.value.status) == (
        "messages",
        "invalid_image_url",
        400,
    )
    return caught.value.message


@pytest.mark.parametrize("path", ["/cat.png?size=1", "/CAT", "/hop?left=0", "/hop?left=2"])
async def test_an_image_becomes_a_data_uri(server: TestServer, session: ClientSession, path: str) -> None:
    uri = await images.fetch(session, f"http://127.0.0.1:{server.port}{path}")
    assert uri == "data:image/png;base64," + b64encode(PIXEL).decode()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/page", "what 127.0.0.1 sent is not an image"),
        ("/odd", "what 127.0.0.1 sent is not an image"),
        ("/gone", "127.0.0.1 answered with status 404"),
        ("/hop?left=3", "it redirects too often"),
        ("/huge.png", "127.0.0.1 sent more than 20,971,520 bytes"),
        (
            "/away?to=http://169.254.169.254/x",
            "no connection to 169.254.169.254: link-local addresses are refused",
        ),
        ("/away?to=file:///etc/passwd", "its URL must be http(s)://host/path, without a user name"),
        ("/away?to=http://user@127.0.0.1/", "its URL must be http(s)://host/path, without a user name"),
    ],
)
async def test_what_is_not_an_image_is_refused_with_the_reason_and_the_cure(
    server: TestServer, session: ClientSession, path: str, reason: str
) -> None:
    message = await refused(session, f"http://127.0.0.1:{server.port}{path}")
    assert (
        message == f"An image of the messages could not be fetched: {reason}. Send it as a data URI instead."
    )


@pytest.mark.parametrize(
    "url", ["", "cat.png", "ftp://a.test/x", "http://", "http://a:b@c.test/", "http://[", "file:///x"]
)
async def test_a_url_of_another_kind_is_refused_before_anything_is_asked(
    session: ClientSession, url: str
) -> None:
    assert "its URL must be" in await refused(session, url)


async def test_an_image_that_takes_too_long_is_refused(
    server: TestServer, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "IMAGE_SECONDS", 0.05)
    message = await refused(session, f"http://127.0.0.1:{server.port}/stall")
    assert "it did not arrive within 0.05 s" in message


async def test_a_query_string_never_shows(server: TestServer, session: ClientSession) -> None:
    assert "s3cret" not in await refused(session, f"http://127.0.0.1:{server.port}/gone?signature=s3cret")
    assert "s3cret" not in await refused(session, "http://does-not-exist.invalid/?signature=s3cret")


async def test_the_client_asks_global_addresses_only(server: TestServer) -> None:
    client = UpstreamClient()
    with pytest.raises(RequestError, match="loopback addresses are refused"):
        await client.fetch_image(f"http://127.0.0.1:{server.port}/cat.png")
    await client.close()
