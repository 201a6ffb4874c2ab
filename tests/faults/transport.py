"""How HTTP itself and whole bodies go wrong, for whole answers and for streams alike."""

from __future__ import annotations

import asyncio
import zlib
from functools import lru_cache

from faults import wire
from faults.reply import STREAM, Mode, Reply, registrar

TRANSPORT: dict[str, Mode] = {}

mode = registrar(TRANSPORT)


async def good(reply: Reply, head: bytes = b"", end: bytes = b"\n") -> None:
    if reply.stream:
        pieces = [wire.events([one], end) for one in wire.story()]
        await reply.sse(head + pieces[0], *pieces[1:], wire.done(end))
    else:
        await reply.json(wire.completion())


TRANSPORT["ok"] = good


@mode()
async def rst_pre(reply: Reply) -> None:
    reply.reset()


@mode()
async def eof_pre(reply: Reply) -> None:
    reply.hang_up()


@mode()
async def rst_headers(reply: Reply) -> None:
    await reply.write(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    reply.reset()


@mode()
async def stall_first(reply: Reply) -> None:
    await reply.gone()


@mode()
async def stall_headers(reply: Reply) -> None:
    await reply.write(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    await reply.gone()


@mode()
async def not_http(reply: Reply) -> None:
    await reply.write(b"\x16\x03\x01 what is this\r\n\r\n")
    reply.hang_up()


@mode("100flood")
async def continue_flood(reply: Reply) -> None:
    while not reply.writer.is_closing():
        await reply.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await asyncio.sleep(0)


@mode()
async def hdr_bomb(reply: Reply) -> None:
    await reply.head(200, {f"X-Bomb-{number}": "x" * 4000 for number in range(2000)})
    reply.hang_up()


@mode()
async def hdr_long(reply: Reply) -> None:
    await reply.head(200, {"X-Long": "x" * 1_000_000})
    reply.hang_up()


@mode()
async def html200(reply: Reply) -> None:
    await reply.whole(b"<!doctype html><title>Sorry</title>" + b"<p>down</p>" * 600, 200, "text/html")


@mode()
async def empty200(reply: Reply) -> None:
    await reply.whole(b"", kind=STREAM if reply.stream else "application/json")


@mode("204")
async def no_content(reply: Reply) -> None:
    await reply.head(204)


@mode()
async def trunc_json(reply: Reply) -> None:
    body = wire.dump(wire.completion())
    await reply.whole(body[: len(body) // 2])


@mode()
async def whole_json(reply: Reply) -> None:
    """The stream that was asked for is ignored."""
    await reply.json(wire.completion())


@mode()
async def text_json(reply: Reply) -> None:
    await reply.whole(wire.dump(wire.completion()), kind="text/plain")


@mode()
async def deepjson(reply: Reply) -> None:
    body = b"[" * 200_000 + b"]" * 200_000
    if reply.stream:
        await reply.sse(b'data: {"choices":' + body + b"}\n\n", wire.done())
    else:
        await reply.whole(body)


@mode()
async def gzipped(reply: Reply) -> None:
    """Compressed although nobody asked for it, but rightly so."""
    body = wire.events(wire.story()) + wire.done() if reply.stream else wire.dump(wire.completion())
    packed, kind = _gzip(body), STREAM if reply.stream else "application/json"
    await reply.whole(packed, kind=kind, headers={"Content-Encoding": "gzip"})


@mode()
async def badgzip(reply: Reply) -> None:
    kind = STREAM if reply.stream else "application/json"
    await reply.whole(b"\x1f\x8b not gzip at all", kind=kind, headers={"Content-Encoding": "gzip"})


@mode()
async def cutgzip(reply: Reply) -> None:
    kind = STREAM if reply.stream else "application/json"
    await reply.whole(
        _gzip(wire.dump(wire.completion()))[:-20], kind=kind, headers={"Content-Encoding": "gzip"}
    )


@mode()
async def brotli(reply: Reply) -> None:
    await reply.whole(b"\x0b\x02\x80", headers={"Content-Encoding": "br"})


@mode()
async def gzipbomb(reply: Reply) -> None:
    """96 MiB in 100 kB."""
    kind = STREAM if reply.stream else "application/json"
    await reply.whole(_bomb(), kind=kind, headers={"Content-Encoding": "gzip"})


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    packer = zlib.compressobj(level=1, wbits=31)
    block = b": " + b"x" * (2**20 - 3) + b"\n"
    return b"".join([packer.compress(block) for _ in range(96)]) + packer.flush()


@mode()
async def cl_short(reply: Reply) -> None:
    """Fewer bytes than the length says, then the end."""
    body = _body(reply)
    await reply.head(200, {"Content-Type": _kind(reply), "Content-Length": str(len(body) + 100)})
    await reply.write(body)
    reply.hang_up()


@mode()
async def cl_long(reply: Reply) -> None:
    """More bytes than the length says."""
    body = _body(reply)
    await reply.head(200, {"Content-Type": _kind(reply), "Content-Length": str(len(body) // 2)})
    await reply.write(body)
    reply.hang_up()


@mode()
async def cl_and_te(reply: Reply) -> None:
    await reply.open_stream({"Content-Length": "5", "Content-Type": _kind(reply)})
    await reply.piece(_body(reply))
    await reply.end_stream()
    reply.hang_up()


@mode()
async def bad_chunk(reply: Reply) -> None:
    body = _body(reply)
    await reply.open_stream({"Content-Type": _kind(reply)})
    await reply.piece(body[: len(body) // 2])
    await asyncio.sleep(0.02)  # so that the headers are read before this spoils them
    await reply.write(b"zzz\r\nwhat\r\n")
    reply.hang_up()


@mode()
async def until_eof(reply: Reply) -> None:
    """No length, no chunks: the end of the connection is the end of the body."""
    await reply.head(200, {"Content-Type": _kind(reply), "Connection": "close"})
    await reply.write(_body(reply))
    reply.hang_up()


@mode()
async def cookies(reply: Reply) -> None:
    """Headers that must not reach the client."""
    extra = {
        "Set-Cookie": "a=b",
        "Location": "http://evil.test/",
        "Content-Security-Policy": "none",
        "X-Ok": "1",
    }
    await reply.json(wire.completion(), headers=extra)


def _kind(reply: Reply) -> str:
    return STREAM if reply.stream else "application/json"


def _body(reply: Reply) -> bytes:
    return wire.events(wire.story()) + wire.done() if reply.stream else wire.dump(wire.completion())
