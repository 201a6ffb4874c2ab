"""How streams go wrong. Asked for a whole answer, these modes fail in the nearest way that a whole answer can."""

from __future__ import annotations

import asyncio
import itertools

from faults import wire
from faults.reply import Mode, Reply, registrar
from faults.transport import good

STREAMS: dict[str, Mode] = {}

mode = registrar(STREAMS)


async def cut_in_two(reply: Reply) -> None:
    """Send the first half: of a whole answer half its bytes, of a stream all the text but no finish."""
    if reply.stream:
        await reply.open_stream()
        for one in wire.opening():
            await reply.piece(wire.events([one]))
    else:
        body = wire.dump(wire.completion())
        await reply.head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        await reply.write(body[: len(body) // 2])


@mode()
async def rst_mid(reply: Reply) -> None:
    await cut_in_two(reply)
    await asyncio.sleep(0.02)  # a reset makes the peer's kernel throw away what it has not handed over yet
    reply.reset()


@mode()
async def eof_mid(reply: Reply) -> None:
    await cut_in_two(reply)
    reply.hang_up()


@mode()
async def eof_mid_close(reply: Reply) -> None:
    """Cut where nothing at the transport tells: the end of the connection is the end of the body."""
    await reply.head(200, {"Content-Type": "text/event-stream", "Connection": "close"})
    await reply.write(wire.events(wire.opening()))
    reply.hang_up()


@mode()
async def stall_mid(reply: Reply) -> None:
    await cut_in_two(reply)
    await reply.gone()


@mode()
async def err_mid(reply: Reply) -> None:
    if reply.stream:
        await reply.sse(wire.events(wire.opening()), wire.events([wire.error("the engine died")]))
    else:
        await reply.json(wire.error("the engine died"), 500)


@mode()
async def err_first(reply: Reply) -> None:
    await _after_nothing(reply, wire.events([wire.error("no engine")]), wire.error("no engine"))


@mode()
async def err200(reply: Reply) -> None:
    await reply.json(wire.error("an error that says it is fine"))


@mode()
async def empty_choices(reply: Reply) -> None:
    await _after_nothing(reply, wire.events([wire.chunk(usage=wire.USAGE)]) + wire.done(), {"choices": []})


@mode()
async def null_content(reply: Reply) -> None:
    chunks = [wire.chunk({"role": "assistant", "content": None}), wire.chunk({"content": None}, "stop")]
    await _after_nothing(reply, wire.events(chunks) + wire.done(), wire.completion(None))


@mode()
async def done_only(reply: Reply) -> None:
    await _after_nothing(reply, wire.done(), {})


@mode()
async def no_finish(reply: Reply) -> None:
    whole = wire.completion(finish_reason=None)
    await _after_nothing(reply, wire.events(wire.opening()) + wire.done(), whole)


@mode()
async def badjson_mid(reply: Reply) -> None:
    await _after_nothing(reply, wire.events(wire.opening()) + b'data: {"choices":[{"del\n\n', {"choices": 7})


async def _after_nothing(reply: Reply, stream: bytes, whole: object) -> None:
    if reply.stream:
        await reply.sse(stream)
    else:
        await reply.json(whole)


@mode()
async def no_done(reply: Reply) -> None:
    await _stream(reply, wire.events(wire.story()))


@mode()
async def dup_done(reply: Reply) -> None:
    await _stream(reply, wire.events(wire.story()) + wire.done() * 2)


@mode()
async def late_frames(reply: Reply) -> None:
    await _stream(
        reply, wire.events(wire.story()) + wire.done() + wire.events([wire.chunk({"content": "late"})])
    )


@mode()
async def done_open(reply: Reply) -> None:
    """All is said, but the body does not end."""
    if reply.stream:
        await reply.open_stream()
        await reply.piece(wire.events(wire.story()) + wire.done())
        await reply.gone()
    else:
        await good(reply)


@mode()
async def unterminated(reply: Reply) -> None:
    """The last blank line is missing."""
    await _stream(reply, (wire.events(wire.story()) + wire.done()).removesuffix(b"\n\n"))


@mode()
async def comments(reply: Reply) -> None:
    pieces = [b": ping\n\n" + wire.events([one]) + b"data:\n\n: pong\n" for one in wire.story()]
    await _stream(reply, b"".join(pieces) + wire.done())


@mode()
async def badutf8(reply: Reply) -> None:
    """One byte of a word is no UTF-8: it stands for one replacement character."""
    body = wire.events(wire.story()) + wire.done() if reply.stream else wire.dump(wire.completion())
    bad = body.replace("ü".encode(), b"\xff")
    await (reply.sse(bad) if reply.stream else reply.whole(bad))


@mode()
async def split_utf8(reply: Reply) -> None:
    body = wire.events(wire.story()) + wire.done()
    cuts = [index for index, byte in enumerate(body) if byte & 0xC0 == 0x80]
    await _pieces(reply, [body[start:end] for start, end in itertools.pairwise([0, *cuts, len(body)])])


@mode()
async def crlf_sse(reply: Reply) -> None:
    await good(reply, end=b"\r\n")


@mode()
async def cr_sse(reply: Reply) -> None:
    await good(reply, end=b"\r")


@mode()
async def bom_sse(reply: Reply) -> None:
    await good(reply, head=b"\xef\xbb\xbf")


@mode()
async def multiline(reply: Reply) -> None:
    """One event's JSON over several data lines, without the space after the colon."""
    text = b"".join(
        wire.events([one]).replace(b',"', b',\ndata:"').replace(b"data: ", b"data:") for one in wire.story()
    )
    await _stream(reply, text + wire.done())


@mode()
async def drip(reply: Reply) -> None:
    body = wire.events(wire.story()) + wire.done()
    await _pieces(reply, [body[index : index + 1] for index in range(len(body))])


@mode()
async def hugeline(reply: Reply) -> None:
    """One event of 5 MiB: large, but allowed."""
    pad = wire.chunk({"content": "x" * (5 * 2**20)})
    await _stream(reply, wire.events([*wire.opening(), pad, wire.chunk({}, "stop")]) + wire.done())


@mode()
async def noeol(reply: Reply) -> None:
    """An event that never ends."""
    await _forever(reply, b"x" * 2**20, b"data: ")


@mode()
async def endless(reply: Reply) -> None:
    """A stream of proper events, or a body, that never ends."""
    await _forever(
        reply, wire.events([wire.chunk({"content": "and " * 50_000})] * 5) if reply.stream else b" " * 2**20
    )


@mode()
async def keepalive_only(reply: Reply) -> None:
    """Comments and empty events, as long as the client listens."""
    await reply.open_stream()
    while not reply.writer.is_closing():
        await reply.piece(b": ping\n\ndata:\n\n")
        await asyncio.sleep(0.01)


async def _forever(reply: Reply, block: bytes, head: bytes = b"") -> None:
    await reply.open_stream({} if reply.stream else {"Content-Type": "application/json"})
    await reply.piece(head)
    while not reply.writer.is_closing():
        await reply.piece(block)


async def _stream(reply: Reply, text: bytes) -> None:
    await (reply.sse(text) if reply.stream else good(reply))


async def _pieces(reply: Reply, pieces: list[bytes]) -> None:
    if reply.stream:
        await reply.open_stream()
        for piece in pieces:
            await reply.piece(piece)
            await asyncio.sleep(0)
        await reply.end_stream()
    else:
        await good(reply)
