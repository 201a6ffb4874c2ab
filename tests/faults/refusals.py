"""Refusals with a status: what providers send, and what they should not."""

from __future__ import annotations

from collections.abc import Mapping

from faults import wire
from faults.reply import Mode, Reply, registrar


def refusal(status: int, message: str, type_: str, headers: Mapping[str, str] | None = None) -> Mode:
    async def refuse(reply: Reply) -> None:
        await reply.json(wire.error(message, type_), status, headers)

    return refuse


RETRY_AFTER = {
    "429_7": "7",
    "429_date": "Wed, 21 Oct 2037 07:28:00 GMT",
    "429_past": "Wed, 21 Oct 2015 07:28:00 GMT",
    "429_huge": "1" + "0" * 20,
    "429_negative": "-5",
    "429_soon": "soon",
}
PLAIN = {
    "400": (400, "what is this", "invalid_request_error"),
    "402": (402, "pay first", "billing_error"),
    "403": (403, "not here", "permission_error"),
    "404": (404, "no such model", "invalid_request_error"),
    "413": (413, "too large", "invalid_request_error"),
    "429": (429, "slow down", "rate_limit_error"),
    "500": (500, "oops", "server_error"),
    "502": (502, "bad gateway", "server_error"),
    "503": (503, "busy", "server_error"),
    "529": (529, "overloaded", "overloaded_error"),
}
REFUSALS: dict[str, Mode] = {
    **{name: refusal(*row) for name, row in PLAIN.items()},
    **{name: refusal(*PLAIN["429"], {"Retry-After": value}) for name, value in RETRY_AFTER.items()},
    "429_ms": refusal(*PLAIN["429"], {"Retry-After-Ms": "300", "Retry-After": "5"}),
}

mode = registrar(REFUSALS)


@mode("401")
async def reflecting(reply: Reply) -> None:
    """Refuse the key, and quote it, as some services do."""
    key = reply.request.headers.get("authorization", "")
    await reply.json(wire.error(f"incorrect key: {key}", "invalid_request_error", "invalid_api_key"), 401)


@mode("500_html")
async def html_error(reply: Reply) -> None:
    await reply.whole(b"<html><h1>500</h1></html>", 500, "text/html")


@mode()
async def redirect(reply: Reply) -> None:
    """Send the client elsewhere: to the server's `redirect_to`, or to a path of its own."""
    await reply.head(
        307, {"Location": reply.options.get("redirect_to", "/mode/ok/landed"), "Content-Length": "0"}
    )


@mode()
async def redirect_loop(reply: Reply) -> None:
    await reply.head(302, {"Location": reply.request.path, "Content-Length": "0"})
