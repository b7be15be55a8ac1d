"""A real server on loopback that does as each test says: answers, dawdles, hangs up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager


class Asked:
    """One request as it came: its first line, its headers by lower-case name, its body."""

    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.body = body


class HttpServer:
    """`act` is awaited with the writer for every request; `asked` holds what came."""

    def __init__(self, act):
        self.act = act
        self.asked = []
        self.port = 0
        self.tasks = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
                one = Asked(head, b"")
                one.body = await reader.readexactly(int(one.headers.get("content-length", 0)))
                self.asked.append(one)
                await self.act(one, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            self.tasks.discard(asyncio.current_task())


def answer(status=200, body=b"", **headers):
    """The bytes of one whole answer; a header's underscores are hyphens."""
    told = {"content_length": len(body)} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + body


def answers(*whole):
    """An act that gives these one after the other, the last for ever."""
    left = list(whole)

    async def act(_asked, writer):
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return act


@asynccontextmanager
async def serving(act):
    """The server at work."""
    told = HttpServer(act)
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
        hanging = list(told.tasks)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
