"""A way to the database that dies at a chosen command, as the process at its end would."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

QUIET = {b"hello", b"isMaster", b"ismaster", b"ping", b"buildInfo", b"endSessions", b"killCursors"}
"""What a driver says by itself."""


class Cutter:
    """Counts commands; from the one after `left` on, each breaks its connection off and is not carried out.

    With `answered` the last command's answer still arrives, without it the command is carried out and nobody hears of
    it.
    """

    def __init__(self, host, port):
        self._host, self._port = host, port
        self._ends = {}
        self.left = None
        self.answered = True
        self.seen = 0

    def arm(self, commands, *, answered):
        """Die after this many more commands."""
        self.left, self.answered, self.seen = commands, answered, 0

    def heal(self):
        """Live again."""
        self.left = None

    async def serve(self, reader, writer):
        """One connection of the driver."""
        theirs, ours = await asyncio.open_connection(self._host, self._port)
        self._ends[asyncio.current_task()] = (writer, ours)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message, name = await _message(reader)
                last = False
                if name not in QUIET:
                    if self.left == 0:
                        break
                    self.seen += 1
                    if self.left is not None:
                        self.left -= 1
                        last = self.left == 0
                ours.write(message)
                answer, _ = await _message(theirs)
                if last and not self.answered:
                    break
                writer.write(answer)
                await writer.drain()
        for end in (writer, ours):
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()

    async def close(self):
        """Drop every connection."""
        for ends in self._ends.values():
            for end in ends:
                end.close()
        await asyncio.gather(*self._ends, return_exceptions=True)


async def _message(reader):
    head = await reader.readexactly(16)
    body = await reader.readexactly(struct.unpack_from("<i", head)[0] - 16)
    # Flags, the kind of the first section, the length of its document, the type of its first element: then its name.
    return head + body, body[10 : body.index(b"\0", 10)]


@asynccontextmanager
async def cutting(url):
    """(a cutter, the URL that leads through it)."""
    parts = urlsplit(url)
    cutter = Cutter(parts.hostname, parts.port)
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        way = parts._replace(netloc=f"127.0.0.1:{port}", query="retryReads=false&retryWrites=false&timeoutMS=60000")
        yield cutter, way.geturl()
    finally:
        server.close()
        await cutter.close()
