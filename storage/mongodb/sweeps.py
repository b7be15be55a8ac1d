"""How far each channel is compared with its platform: one document each."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from secrets import token_hex

from msgspec import json
from pymongo.errors import DuplicateKeyError

from actors.keys import channel_key
from storage.channel_records import SweepRow
from storage.mongodb.connection import Database, Row
from storage.mongodb.flushes import SETTLE_S

_sweep = json.Decoder(SweepRow)


class MongoSweeps:
    """`storage.channel_ports.SweepStore`."""

    _db: Database

    async def sweeps(self) -> list[SweepRow]:
        """Every channel's, by platform, then account."""
        with self._db.talk() as db:
            found = [_sweep.decode(row["body"]) async for row in db.sweeps.find({}, {"body": 1})]
        return sorted(found, key=lambda one: (one.platform, one.account))

    async def sweep(self, platform: str, account: str) -> SweepRow | None:
        """One channel's."""
        with self._db.talk() as db:
            row = await db.sweeps.find_one({"_id": channel_key(platform, account)})
        return _sweep.decode(row["body"]) if row else None

    async def save_sweep(self, row: SweepRow, *, replaces: int) -> bool:
        """Replace the one whose `version` is `replaces` (0: none is held yet); False, and nothing changes, else."""
        name, nonce = channel_key(row.platform, row.account), token_hex(12)
        change = {"$set": {"body": json.encode(row).decode(), "version": row.version, "made_by": nonce}}
        # One that was written before there were versions has none.
        held: Row = {"_id": name, "version": replaces or {"$in": [0, None]}}
        with self._db.talk() as db:
            with suppress(DuplicateKeyError):  # it is held; by whom is asked below
                done = await db.sweeps.update_one(held, change, upsert=not replaces)
                if done.upserted_id is not None or (done.matched_count and self._db.atomic):
                    return True
                if done.matched_count:
                    await asyncio.sleep(SETTLE_S)
            # It may be our own: the answer to the first try was lost and the driver tried again.
            found = await db.sweeps.find_one({"_id": name}, {"made_by": 1})
        return found is not None and found.get("made_by") == nonce
