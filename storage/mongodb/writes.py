"""What one flush writes, encoded once: for the redo record and for the commands alike.

Every write may be repeated, in any state the database can be in once the flush is committed, by several processes at
a time: an insert that finds its document does nothing, an update asks for an older stamp than its own and sets it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from struct import Struct as Layout
from typing import Any

import bson
import zstandard
from msgspec import Struct, msgpack

from actors.errors import RejectedError
from storage.mongodb.connection import OPS_A_COMMAND, Database, Kind, Row

MOST_BYTES = 15 << 20
"""Of a document; told before the flush is committed, for what is committed must be written."""
_HEADS = [2 + len(str(number)) for number in range(OPS_A_COMMAND)]
"""The bytes before a document in an array: its type, its number, a zero."""
_size = Layout("<i").unpack_from


class Group(Struct, frozen=True):
    """Writes of one kind to one collection. Those of a later `phase` need what an earlier one has written."""

    collection: str
    kind: Kind
    documents: list[bytes]
    phase: int = 0


class Writes(Struct, frozen=True):
    """All writes of one flush."""

    groups: list[Group]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(len(group.documents) for group in self.groups)


def encoded(documents: Sequence[Row]) -> list[bytes]:
    """Each as BSON; raises OverflowError, UnicodeEncodeError or a BSONError for what no database could hold."""
    found: list[bytes] = []
    for start in range(0, len(documents), OPS_A_COMMAND):
        some = documents[start : start + OPS_A_COMMAND]
        # One call for many is nearly twice as fast as one a document.
        whole = bson.encode({"": some})
        place = 10
        for head in _HEADS[: len(some)]:
            place += head
            end = place + _size(whole, place)[0]
            if end - place > MOST_BYTES:
                raise RejectedError(f"a row of {end - place} bytes is more than a database takes; send less at once")
            found.append(whole[place:end])
            place = end
    return found


def packed(writes: Writes) -> bytes:
    """The redo record."""
    groups = [(g.collection, g.kind, g.phase, b"".join(g.documents)) for g in writes.groups]
    return zstandard.ZstdCompressor(level=-3).compress(msgpack.encode(groups))


def unpacked(record: bytes) -> Writes:
    """The writes in a redo record."""
    data = zstandard.ZstdDecompressor().decompress(record)
    groups = msgpack.decode(data, type=list[tuple[str, Kind, int, bytes]])
    return Writes([Group(collection, kind, _split(data), phase) for collection, kind, phase, data in groups])


def _split(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    place = 0
    while place < len(data):
        end = place + int.from_bytes(data[place : place + 4], "little")
        found.append(data[place:end])
        place = end
    return found


async def carry_out(database: Database, writes: Writes, until: float = math.inf) -> None:
    """Send everything, phase by phase, the collections of a phase at the same time."""
    for phase in sorted({group.phase for group in writes.groups}):
        some = [group for group in writes.groups if group.phase == phase]
        # All are waited for: none may still be under way when the caller tries again.
        results = await asyncio.gather(
            *(database.send(g.kind, g.collection, g.documents, until) for g in some), return_exceptions=True
        )
        for result in results:
            if result is not None:
                raise result


def update(key: Any, stamp: int, change: Row, *, upsert: bool = False) -> Row:
    """An update of a document that no later flush has touched."""
    found: Row = {"q": {"_id": key, "stamp": {"$lt": stamp}}, "u": change}
    if upsert:
        found["upsert"] = True
    return found
