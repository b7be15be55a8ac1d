"""How far each channel is compared with its platform: one document each."""

from __future__ import annotations

from msgspec import json

from actors.keys import channel_key
from storage.channel_records import SweepRow
from storage.mongodb.connection import Database

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

    async def put_sweep(self, row: SweepRow) -> None:
        """Create or replace it."""
        document = {"body": json.encode(row).decode()}
        with self._db.talk() as db:
            await db.sweeps.replace_one({"_id": channel_key(row.platform, row.account)}, document, upsert=True)
