"""Who gets past the guard, under which name, and what everybody else reads: JSON with OpenAI's four keys, always."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web

from freellm.access import auth
from freellm.surfaces.guard import Credentials, Guard, Hosts, unmarked
from freellm.surfaces.ids import RequestIds

KEY = "fl-the-unified-key"
LIMIT = 1_000


@auth("key")
async def closed(request: web.Request) -> web.Response:
    """Answer whoever has the key with the size of the body."""
    return web.json_response({"bytes": len(await request.read())})


@auth("public")
async def public(request: web.Request) -> web.Response:
    """Answer everyone."""
    return web.json_response({"open": True})


@auth("public")
async def failing(request: web.Request) -> web.Response:
    """Fail in the way the query says."""
    what = request.query["with"]
    if what == "moved":
        raise web.HTTPFound("/public")
    if what == "teapot":
        raise web.HTTPUnprocessableEntity(reason="no such cup")
    raise {"bug": ZeroDivisionError, "gone": ConnectionResetError}[what]("a secret detail")


class Answer:
    """What came back over the socket."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])
        }

    @property
    def error(self) -> dict[str, Any]:
        """The error object, checked for its form."""
        assert self.headers["content-type"] == "application/json"
        assert self.headers["x-should-retry"] == "false"
        (name, error), *others = json.loads(self.body).items()
        assert (name, others) == ("error", [])
        assert error.keys() == {"message", "type", "param", "code", "x_freellm"}
        assert error["message"]
        assert error["x_freellm"]["request_id"] == self.headers["x-request-id"]
        found: dict[str, Any] = error
        return found


class Running:
    """A server behind the guard, spoken to in bytes.

    :ivar credentials: its key
    """

    def __init__(self, credentials: Credentials, port: int) -> None:
        self.credentials = credentials
        self.port = port

    async def send(self, raw: bytes) -> Answer:
        """Send bytes and read all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await writer.wait_closed()
        return Answer(answer)

    async def ask(
        self,
        target: str = "/public",
        headers: Sequence[tuple[str, str | bytes]] = (),
        *,
        method: str = "GET",
        host: str | None = "localhost",
        body: bytes = b"",
        version: str = "1.1",
    ) -> Answer:
        """Send one request, exactly as told."""
        lines = [f"{method} {target} HTTP/{version}".encode()]
        lines += [f"Host: {host}".encode()] if host is not None else []
        lines += [
            name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
            for name, value in headers
        ]
        lines += [b"Connection: close", f"Content-Length: {len(body)}".encode()]
        return await self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    async def post(self, *headers: tuple[str, str | bytes], body: bytes = b"") -> Answer:
        """Ask the route that needs the key."""
        return await self.ask("/closed", headers, method="POST", body=body)


async def serve(credentials: Credentials, names: Sequence[str]) -> AsyncIterator[Running]:
    app = web.Application(
        middlewares=[Guard(credentials, Hosts(names), RequestIds("boot")).middleware()], client_max_size=LIMIT
    )
    app.router.add_get("/public", public)
    app.router.add_get("/failing", failing)
    app.router.add_post("/closed", closed)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield Running(credentials, runner.addresses[0][1])
    await runner.cleanup()


async def badge(request: web.Request) -> web.Response | None:
    if request.headers.get("X-Badge") == "bug":
        raise ZeroDivisionError
    return None if request.headers.get("X-Badge") == "1234" else web.Response(status=418)


@auth("badge")
async def behind_the_door(request: web.Request) -> web.Response:
    return web.json_response({"open": True})


@pytest.mark.parametrize(("shown", "status"), [("1234", 200), ("1", 418), ("bug", 500), (KEY, 418)])
async def test_a_plugins_auth_decides_by_itself(shown: str, status: int) -> None:
    """The unified key opens nothing there, and a check that fails lets nobody in."""
    app = web.Application(
        middlewares=[
            Guard(Credentials(KEY), Hosts(["localhost"]), RequestIds("boot"), {"badge": badge}).middleware()
        ]
    )
    app.router.add_get("/door", behind_the_door)
    assert unmarked(app) == ["GET /door", "HEAD /door"]
    assert unmarked(app, ("key", "badge")) == []
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running = Running(Credentials(KEY), runner.addresses[0][1])
    assert (await running.ask("/door", [("X-Badge", shown), bearer()])).status == status
    assert (await running.ask("/door", [("X-Badge", "1234")], host="evil.example")).status == 421
    await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async for running in serve(Credentials(KEY), ("localhost", "127.0.0.1", "[::1]", "Proxy.example")):
        yield running


def bearer(key: str | bytes = KEY) -> tuple[str, str | bytes]:
    return "Authorization", b"Bearer " + (key if isinstance(key, bytes) else key.encode())


class TestTheKey:
    @pytest.mark.parametrize(
        "headers",
        [
            [bearer()],
            [("authorization", f"bearer {KEY}")],
            [("AUTHORIZATION", f"BEARER {KEY}")],
            [("Authorization", f"Bearer   {KEY}  ")],
            [("x-api-key", KEY)],
            [("X-API-Key", KEY)],
            [("api-key", KEY)],
            [bearer(), ("x-api-key", KEY)],
            [bearer(), ("x-api-key", KEY), ("api-key", KEY)],
        ],
    )
    async def test_opens_in_any_header_it_is_usually_sent_in(self, server: Running, headers: Any) -> None:
        assert (await server.post(*headers, body=b"12345")).status == 200

    async def test_is_asked_for_with_the_way_to_send_it(self, server: Running) -> None:
        answer = await server.post()
        assert answer.status == 401
        assert answer.error["code"] == "invalid_api_key"
        assert answer.error["type"] == "invalid_request_error"
        assert "Authorization: Bearer" in answer.error["message"]
        assert "freellm apikey show" in answer.error["message"]

    @pytest.mark.parametrize(
        "headers",
        [
            [("Authorization", "")],
            [("Authorization", "Bearer")],
            [("Authorization", "Bearer ")],
            [("Authorization", KEY)],
            [("Authorization", f"Basic {KEY}")],
            [("Authorization", f"Bearer{KEY}")],
            [("x-api-key", "")],
            [bearer(KEY[:-1])],
            [bearer(KEY + "x")],
            [bearer(KEY.upper())],
            [bearer("fl-another")],
            [("x-api-key", f"Bearer {KEY}")],
            [bearer(), ("x-api-key", "fl-another")],
            [bearer("fl-another"), ("x-api-key", KEY)],
            [bearer(), ("api-key", "fl-another")],
            [bearer(), ("x-api-key", "")],
            [bearer("schlüssel")],
            [bearer(b"\xff\xfe\x80")],
            [bearer(KEY.encode() + b"\xff")],
            [bearer("a" * 8_000)],
            [("x-api-key", "🔑")],
        ],
    )
    async def test_is_refused_in_any_other_form_without_being_repeated(
        self, server: Running, headers: Any
    ) -> None:
        answer = await server.post(*headers)
        assert answer.status == 401
        assert answer.error["code"] == "invalid_api_key"
        assert KEY.encode() not in answer.body
        assert b"another" not in answer.body

    async def test_is_not_asked_for_where_everyone_may_go(self, server: Running) -> None:
        assert (await server.ask("/public")).status == 200
        assert (await server.ask("/public", [bearer("fl-another")])).status == 200

    @pytest.mark.parametrize(
        "target",
        ["/closed", "//closed", "/./closed", "/public/../closed", "/%63losed", "/closed/", "/closed?x"],
    )
    async def test_is_asked_for_however_the_path_is_written(self, server: Running, target: str) -> None:
        assert (await server.ask(target, method="POST")).status in (401, 404)

    async def test_may_be_replaced_while_the_server_runs(self, server: Running) -> None:
        assert (await server.post(bearer())).status == 200
        server.credentials.replace("fl-new")
        assert (await server.post(bearer())).status == 401
        assert (await server.post(bearer("fl-new"))).status == 200

    async def test_need_not_be_there_at_all(self) -> None:
        async for running in serve(Credentials(None), ()):
            assert (await running.post()).status == 200
            assert (await running.post(bearer("anything"))).status == 200


class TestTheName:
    @pytest.mark.parametrize(
        "host",
        ["localhost", "localhost:3001", "LOCALHOST", "LocalHost:80", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:3001",
         "proxy.example", "PROXY.EXAMPLE:443"],
    )  # fmt: skip
    async def test_may_be_any_that_is_allowed(self, server: Running, host: str) -> None:
        assert (await server.ask(host=host)).status == 200

    @pytest.mark.parametrize(
        ("host", "name"),
        [
            ("evil.example", "evil.example"),
            ("evil.example:3001", "evil.example"),
            ("localhost.", "localhost."),
            ("localhost.evil.example", "localhost.evil.example"),
            ("127.0.0.1.nip.io", "127.0.0.1.nip.io"),
            ("127.1", "127.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("[::2]", "[::2]"),
            ("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]"),
        ],
    )
    async def test_of_somebody_else_is_refused_with_the_way_to_allow_it(
        self, server: Running, host: str, name: str
    ) -> None:
        for path in ("/public", "/closed", "/nowhere"):
            answer = await server.ask(path, [bearer()], host=host)
            assert answer.status == 421
            assert answer.error["code"] == "unknown_host"
            assert answer.error["message"].endswith(f"FREELLM_ALLOWED_HOSTS={name}")

    @pytest.mark.parametrize(
        "host",
        ["", "localhost:", "localhost:x", "localhost:123456", "local host", "localhost/", "user@localhost", "localhost,evil.example",
         "::1", "[localhost]", " löcalhost", "a\tb"],
    )  # fmt: skip
    async def test_that_is_none_is_refused(self, server: Running, host: str) -> None:
        answer = await server.ask(host=host)
        assert answer.status == 400
        if "application/json" in answer.headers["content-type"]:
            assert answer.error["code"] == "bad_host"

    async def test_must_be_given(self, server: Running) -> None:
        answer = await server.ask(host=None, version="1.0")
        assert answer.status == 400
        assert answer.error["code"] == "bad_host"

    async def test_must_be_given_once(self, server: Running) -> None:
        for second in ("evil.example", "localhost"):
            assert (await server.ask()).status == 200, "a name that is known to be good makes no difference"
            assert (await server.ask(headers=[("Host", second)])).status == 400

    @pytest.mark.parametrize(
        "target", ["http://localhost/public", "http://evil.example/public", "https://localhost/closed", "*"]
    )
    async def test_is_not_taken_from_the_request_line(self, server: Running, target: str) -> None:
        assert (await server.ask()).status == 200
        answer = await server.ask(target, [bearer()], method="OPTIONS" if target == "*" else "GET")
        assert answer.status == 400
        assert answer.error["code"] == "bad_host"

    async def test_may_be_any_when_none_is_listed(self) -> None:
        async for running in serve(Credentials(KEY), ()):
            assert (await running.ask(host="anything.example")).status == 200
            assert (await running.ask(host="not a name")).status == 400

    async def test_is_checked_however_many_were_seen_before(self, server: Running) -> None:
        for number in range(120):
            assert (await server.ask(host=f"localhost:{number}")).status == 200
        assert (await server.ask(host="evil.example")).status == 421


class TestErrors:
    async def test_of_an_unknown_address_say_where_the_api_is(self, server: Running) -> None:
        answer = await server.ask("/v2/chat?key=1")
        assert answer.status == 404
        assert answer.error["code"] == "unknown_url"
        assert "GET /v2/chat;" in answer.error["message"]
        assert "/v1/chat/completions" in answer.error["message"]

    @pytest.mark.parametrize(
        "target", ["/%ff%fe", "/%ed%a0%80", "/%00", "/%22%3Cscript%3E", "/" + "x" * 4_000]
    )
    async def test_of_an_odd_address_are_told_as_well(self, server: Running, target: str) -> None:
        answer = await server.ask(target)
        assert answer.status == 404
        assert answer.error["code"] == "unknown_url"

    async def test_of_a_wrong_method_say_the_right_one(self, server: Running) -> None:
        answer = await server.ask("/closed", [bearer()])
        assert answer.status == 405
        assert answer.headers["allow"] == "POST"
        assert answer.error["code"] == "method_not_allowed"
        assert answer.error["message"] == "GET is not allowed on /closed; use POST"

    async def test_of_a_large_body_say_how_to_allow_it(self, server: Running) -> None:
        assert (await server.post(bearer(), body=b"x" * LIMIT)).status == 200
        answer = await server.post(bearer(), body=b"x" * (LIMIT + 1))
        assert answer.status == 413
        assert answer.error["code"] == "request_too_large"
        assert "FREELLM_BODY_LIMIT" in answer.error["message"]

    async def test_of_ours_say_where_to_look_and_nothing_else(
        self, server: Running, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            answer = await server.ask("/failing?with=bug", [("X-Request-Id", "mine-1")])
        assert answer.status == 500
        assert answer.error["code"] == "internal_error"
        assert answer.error["type"] == "api_error"
        assert "mine-1" in answer.error["message"]
        assert b"secret" not in answer.body
        assert "request mine-1 failed" in caplog.text
        assert "ZeroDivisionError" in caplog.text

    async def test_of_the_web_server_keep_their_status_and_reason(self, server: Running) -> None:
        answer = await server.ask("/failing?with=teapot")
        assert answer.status == 422
        assert answer.error["code"] == "http_error"
        assert answer.error["message"] == "no such cup"

    async def test_are_not_made_of_redirects(self, server: Running) -> None:
        answer = await server.ask("/failing?with=moved")
        assert answer.status == 302
        assert answer.headers["location"] == "/public"

    async def test_are_not_made_of_a_client_that_left(
        self, server: Running, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            assert (await server.ask("/failing?with=gone")).status == 499
        assert not caplog.records


class TestRequestIds:
    @pytest.mark.parametrize("name", ["X-Request-Id", "X-Client-Request-Id"])
    async def test_are_the_clients_own_when_they_are_sane(self, server: Running, name: str) -> None:
        answer = await server.ask("/nowhere", [(name, "Mine_1.2:3-4")])
        assert answer.error["x_freellm"]["request_id"] == "Mine_1.2:3-4"

    @pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a/b", "ä", "<b>"])
    async def test_are_ours_otherwise(self, server: Running, given: str) -> None:
        answer = await server.ask("/nowhere", [("X-Request-Id", given)])
        assert answer.error["x_freellm"]["request_id"].startswith("req_boot")

    async def test_of_ours_are_given_once(self, server: Running) -> None:
        given = {(await server.ask("/nowhere")).error["x_freellm"]["request_id"] for _ in range(5)}
        assert len(given) == 5


async def nobody_said(request: web.Request) -> web.Response:
    """Answer whom?"""
    return web.Response()


class TestUnmarkedRoutes:
    def test_are_named(self) -> None:
        app = web.Application()
        app.router.add_get("/public", public)
        app.router.add_post("/closed", closed)
        assert unmarked(app) == []
        app.router.add_post("/pages/{name}", nobody_said)
        assert unmarked(app) == ["POST /pages/{name}"]

    def test_are_found_in_applications_inside_the_application(self) -> None:
        inner, app = web.Application(), web.Application()
        inner.router.add_get("/page", nobody_said, allow_head=False)
        inner.router.add_get("/fine", public)
        app.add_subapp("/inner", inner)
        assert unmarked(app) == ["GET /inner/page"]

    def test_are_those_with_an_unknown_mark_too(self) -> None:
        @auth("everyone")
        async def handler(request: web.Request) -> web.Response:
            return web.Response()

        app = web.Application()
        app.router.add_put("/page", handler)
        assert unmarked(app) == ["PUT /page"]

    def test_may_be_methods_and_views(self) -> None:
        class Page:
            @auth("key")
            async def show(self, request: web.Request) -> web.Response:
                return web.Response()

        @auth("key")
        class View(web.View):
            pass

        app = web.Application()
        app.router.add_get("/page", Page().show)
        app.router.add_view("/view", View)
        assert unmarked(app) == []
