"""What the database's server says of itself, for whoever checks a deployment. It changes nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from storage.mongodb.address import read_address
from storage.mongodb.connection import Database, Row
from storage.mongodb.schema import missing_indexes


class MongoSurvey(Struct, frozen=True, kw_only=True):
    """`kind`: replica set, sharded cluster, single server or stand-in (another server of the protocol).

    `written` and `journaled`: what a write waits for; `prepared`: Weir has been here; `missing`: indexes that are not
    there. `ahead_ms`: by how much its clock is ahead of this machine's, give or take half of `took_ms`.
    """

    place: str
    version: str
    kind: str
    members: int
    writable: bool
    written: str
    journaled: bool
    prepared: bool
    missing: list[str]
    ahead_ms: int | None
    took_ms: int


async def survey(url: str, timeout_s: float = 10.0) -> MongoSurvey:
    """Ask once. Raises StoreBusyError, or ConfigurationError when it refuses us."""
    database = Database(read_address(url), timeout_s=timeout_s)
    await database.open()
    try:
        return await _asked(database)
    finally:
        await database.close()


async def _asked(database: Database) -> MongoSurvey:
    with database.talk() as db:
        concern = db.write_concern.document
        began = time.time()
        hello: Row = await db.client.admin.command("hello")
        ended = time.time()
        about = await db.meta.find_one({"_id": "schema"})
    return MongoSurvey(
        place=database.place,
        version=database.version,
        kind=_kind(hello, atomic=database.atomic),
        members=len(hello.get("hosts", ())) or 1,
        writable=bool(hello.get("isWritablePrimary", hello.get("ismaster", True))),
        written=str(concern.get("w", "")),
        journaled=bool(concern.get("j")),
        prepared=about is not None,
        missing=[f"{index.name} of {index.collection}" for index in await missing_indexes(database)] if about else [],
        ahead_ms=_ahead(hello.get("localTime"), (began + ended) / 2),
        took_ms=round((ended - began) * 1000),
    )


def _kind(hello: Row, *, atomic: bool) -> str:
    if not atomic:
        return "stand-in"
    if hello.get("msg") == "isdbgrid":
        return "sharded cluster"
    return "replica set" if hello.get("setName") else "single server"


def _ahead(there: Any, here: float) -> int | None:
    if not isinstance(there, datetime):
        return None
    told = there if there.tzinfo else there.replace(tzinfo=UTC)
    return round((told.timestamp() - here) * 1000)


__all__ = ["MongoSurvey", "survey"]
