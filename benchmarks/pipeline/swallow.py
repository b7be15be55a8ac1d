"""A database that is fast at taking writes: in front of a real one, it answers bulk writes itself and forgets them.

What is measured is what a save costs Weir, not how fast some server is; and the tests' server, which is not made for
bulk, would hold a run up for an hour. Everything but inserts and updates of the collections in BULK goes to the real
server: the handshake, the schema, the marks that fence writers, the redo records, every question. Asked who answers it
names a MongoDB, so that Weir writes as it does to one: the tests' server is given smaller commands and more questions.
`python -m benchmarks.pipeline.swallow UPSTREAM` prints the port it listens on; both are on this machine.
"""

from __future__ import annotations

import asyncio
import sys

import bson

OP_MSG = 2013
TEXT = 2
HEADER_BYTES = 16
BULK = frozenset(
    {
        "anomalies",
        "channels",
        "clocks",
        "conversations",
        "dead_letters",
        "event_keys",
        "ledger",
        "messages",
        "minutes",
        "progress",
    }
)
COMMANDS = frozenset({"insert", "update"})
OK = bson.encode({"ok": 1.0})
WHO = bson.encode({"ok": 1.0, "version": "8.0.0"})


def collection_of_bulk(message: bytes) -> str | None:
    """The collection an OP_MSG writes to in bulk; None for every other message."""
    if int.from_bytes(message[12:16], "little") != OP_MSG or message[20] != 0:
        return None
    # The first element of a command is its name with the collection: type 2, a name, a length, a text.
    if message[25] != TEXT:
        return None
    end = message.index(b"\0", 26)
    size = int.from_bytes(message[end + 1 : end + 5], "little")
    collection = message[end + 5 : end + 4 + size].decode()
    return collection if message[26:end].decode() in COMMANDS and collection in BULK else None


def asks_who(message: bytes) -> bool:
    """Whether an OP_MSG asks for the server's name and version."""
    name = b"buildInfo\0"
    return int.from_bytes(message[12:16], "little") == OP_MSG and message[26 : 26 + len(name)] == name


def answer_to(message: bytes, document: bytes = OK) -> bytes:
    """A document in answer to a message."""
    body = bytes(4) + b"\0" + document
    size = HEADER_BYTES + len(body)
    return b"".join((size.to_bytes(4, "little"), bytes(4), message[4:8], OP_MSG.to_bytes(4, "little"), body))


async def _serve(upstream: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    theirs, back = await asyncio.open_connection(*upstream)
    passing = asyncio.create_task(_pass_on(theirs, writer))
    try:
        while True:
            header = await reader.readexactly(HEADER_BYTES)
            message = header + await reader.readexactly(int.from_bytes(header[:4], "little") - HEADER_BYTES)
            if asks_who(message):
                writer.write(answer_to(message, WHO))
            elif collection_of_bulk(message) is None:
                back.write(message)
                await back.drain()
            else:
                writer.write(answer_to(message))
    except (asyncio.IncompleteReadError, ConnectionError):
        passing.cancel()
    finally:
        back.close()
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


async def main(upstream: str) -> None:
    """Serve until killed."""
    host, _, port = upstream.rpartition(":")
    server = await asyncio.start_server(
        lambda reader, writer: _serve((host, int(port)), reader, writer), "127.0.0.1", 0, limit=2**20
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
