"""One client: its time-outs, its errors as ours, and the cheapest way to send many writes."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, Literal, TypeAlias

from bson.codec_options import TypeDecoder, TypeRegistry
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from actors.errors import ConfigurationError, WeirError
from storage.errors import StoreBusyError
from storage.mongodb.address import Address
from storage.mongodb.trouble import explained, write_trouble

Row: TypeAlias = dict[str, Any]
Collection: TypeAlias = AsyncCollection[Row]
Kind: TypeAlias = Literal["insert", "update"]

OPS_A_COMMAND = 1_000
OPS_A_COMMAND_ELSEWHERE = 100
"""On servers that look through the collection for every update."""
IDS_A_QUERY = 2_000
SINGLY_ELSEWHERE = 2_000
"""On servers that find one `_id` at once and look through the collection for several: so many are asked for singly.

One takes them half a millisecond, a look through a collection a second for every ten thousand documents.
"""
BYTES_A_COMMAND = 4 << 20
"""Bounds of one command: what is encoded at once holds the loop for a few milliseconds."""
ROWS_A_FETCH = 2_000
"""Rows a cursor brings at once, for the same reason."""


class _PlainInt(TypeDecoder):
    """Numbers of 64 bits as int: PyMongo's own class is one that no encoder of ours knows."""

    @property
    def bson_type(self) -> type[Int64]:  # pyright: ignore[reportIncompatibleMethodOverride] # its stub says property
        """What is decoded."""
        return Int64

    def transform_bson(self, value: Any) -> int:
        """The same number."""
        return int(value)


DURABLE = {"w": "majority", "j": True}
_LISTS: dict[Kind, str] = {"insert": "documents", "update": "updates"}


class _EndToEnd(RawBSONDocument):
    """Many documents in the place of one. A command carries its documents end to end and without a count.

    So PyMongo, which writes a raw document as it is, need not look at each. Source: OP_MSG, section of kind 1.
    """

    __slots__ = ("_documents",)

    def __init__(self, documents: Sequence[bytes]) -> None:
        self._documents = b"".join(documents)

    @property
    def raw(self) -> bytes:
        """Their bytes."""
        return self._documents


class Database:
    """The client of one database. Every call is bounded by `timeout_s`, whatever the server does."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        self.address = address
        self.place = address.place
        self.timeout_s = timeout_s
        self.atomic = True
        self.version = ""
        self._client: AsyncMongoClient[Row] | None = None

    async def open(self) -> None:
        """Connect and look who answers. Raises ConfigurationError or StoreBusyError."""
        try:
            self._client = AsyncMongoClient(self.address.url, **self._options())
            with self.talk() as db:
                about = await db.client.admin.command("buildInfo")
        except BaseException as error:
            await self.close()
            if isinstance(error, StoreBusyError):
                await self._known_host(error)
            if isinstance(error, PyMongoError | ValueError | TypeError):
                raise explained(error, self.place) or _unreadable(self.place) from None
            raise
        self.version = str(about.get("version", ""))
        # It reads, changes and writes back, so that of two conditional updates at one instant both may win.
        self.atomic = "ferretdbVersion" not in about

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client:
            await client.close()

    @contextmanager
    def talk(self) -> Generator[AsyncDatabase[Row]]:
        """The database, for the length of the block; its errors come out as those of the port."""
        if self._client is None:
            raise ConfigurationError(f"the store {self.place} is not open; call open() first")
        try:
            yield self._client[self.address.database]
        except WeirError:
            raise
        except Exception as error:
            found = explained(error, self.place)
            if found is None:
                raise
            raise found from error

    async def by_ids(self, collection: str, ids: Sequence[str], shown: Row, also: Row | None = None) -> list[Row]:
        """The documents with these ids, in no order; `shown` is their projection, `also` what they must fulfil."""
        found: list[Row] = []
        if not self.atomic and len(ids) <= SINGLY_ELSEWHERE:
            for name in ids:
                with self.talk() as db:
                    row = await db[collection].find_one({"_id": name, **(also or {})}, shown)
                found += [row] if row else []
            return found
        for start in range(0, len(ids), IDS_A_QUERY):
            some: Row = {"_id": {"$in": list(ids[start : start + IDS_A_QUERY])}, **(also or {})}
            with self.talk() as db:
                found += [row async for row in db[collection].find(some, shown, batch_size=ROWS_A_FETCH)]
        return found

    async def send(self, kind: Kind, collection: str, documents: Sequence[bytes], until: float = math.inf) -> None:
        """Carry out encoded writes that may be repeated; one that meets its own or a later trace does nothing.

        No command begins after `until` (of the monotonic clock), however long this process was frozen in between.
        """
        most = OPS_A_COMMAND if self.atomic else OPS_A_COMMAND_ELSEWHERE
        start = 0
        while start < len(documents):
            end, size = start, 0
            while end < len(documents) and end - start < most and (size < BYTES_A_COMMAND or end == start):
                size += len(documents[end])
                end += 1
            await self._send_some(kind, collection, documents[start:end], until)
            start = end

    async def _send_some(self, kind: Kind, collection: str, documents: Sequence[bytes], until: float) -> None:
        rest = list(documents)
        while rest:
            if monotonic() > until:
                raise StoreBusyError(f"{self.place} takes too long to write; it is tried again, look at its load")
            with self.talk() as db:
                command: Row = {
                    kind: collection,
                    "ordered": False,
                    "writeConcern": DURABLE,
                    _LISTS[kind]: [_EndToEnd(rest)],
                }
                reply = await db.command(command)
                if trouble := write_trouble(reply, self.place):
                    raise trouble
            met: list[int] = [wrong["index"] for wrong in reply.get("writeErrors", ())]
            # Some servers end a command of updates at the first duplicate, ordered or not.
            rest = rest[max(met) + 1 :] if met else []

    def _options(self) -> Row:
        given = self.address.options
        milliseconds = int(self.timeout_s * 1000)
        wanted: Row = {
            "appname": "weir",
            "serverSelectionTimeoutMS": min(5_000, milliseconds),
            "connectTimeoutMS": min(5_000, milliseconds),
            "timeoutMS": milliseconds,
            "retryReads": True,
            "retryWrites": True,
            "w": "majority",
            "journal": True,
            "readConcernLevel": "majority",
            "maxPoolSize": 32,
            "type_registry": TypeRegistry([_PlainInt()]),
        }
        return {name: value for name, value in wanted.items() if name.lower() not in given}

    async def _known_host(self, error: StoreBusyError) -> None:
        """A name that nobody knows is a wrong setting, not a server that is away."""
        if self.address.url.startswith("mongodb+srv:"):
            return
        loop = asyncio.get_running_loop()
        for host in self.address.hosts:
            try:
                await loop.getaddrinfo(host, None)
            except socket.gaierror:
                continue
            return
        raise ConfigurationError(f"no host of {self.place} is known here; mend the database's URL") from error


def _unreadable(place: str) -> ConfigurationError:
    return ConfigurationError(f"the database's URL ({place}) or one of its options cannot be read; mend it")
