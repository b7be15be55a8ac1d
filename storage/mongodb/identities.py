"""The names by which platforms know one person: one document a name."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from actors.keys import conversation_key
from storage.channel_records import Identity
from storage.mongodb.connection import Database, Row


class MongoIdentities:
    """`storage.channel_ports.IdentityStore`."""

    _db: Database

    async def link_identities(self, links: Sequence[Identity]) -> None:
        """Keep links; a name that is linked already stays linked as it is."""
        for one in links:
            with self._db.talk() as db, suppress(DuplicateKeyError):  # somebody else was faster
                await db.identities.update_one({"_id": _name(one)}, {"$setOnInsert": _document(one)}, upsert=True)

    async def canonical(self, platform: str, account: str, names: Sequence[str]) -> dict[str, str]:
        """For those of these names that are linked: name → the name under which everything is kept."""
        keys = [conversation_key(platform, account, name) for name in names]
        with self._db.talk() as db:
            found = db.identities.find({"_id": {"$in": keys}}, {"alias": 1, "canonical": 1})
            return {row["alias"]: row["canonical"] async for row in found}

    async def aliases(self, platform: str, account: str, name: str) -> list[Identity]:
        """Every name of the person with this one, the canonical one too; by `since`, then alias; none when unknown."""
        of = await self._of(platform, account, name)
        if of is None:
            return []
        with self._db.talk() as db:
            found = db.identities.find({"of": of}, sort=[("since", 1), ("alias", 1)])
            return [
                Identity(
                    platform=platform,
                    account=account,
                    alias=row["alias"],
                    canonical=row["canonical"],
                    since=row["since"],
                )
                async for row in found
            ]

    async def forget_identities(self, platform: str, account: str, name: str) -> int:
        """Forget every name of the person with this one; how many there were."""
        of = await self._of(platform, account, name)
        if of is None:
            return 0
        with self._db.talk() as db:
            return (await db.identities.delete_many({"of": of})).deleted_count

    async def _of(self, platform: str, account: str, name: str) -> str | None:
        with self._db.talk() as db:
            row = await db.identities.find_one({"_id": conversation_key(platform, account, name)}, {"of": 1})
        return None if row is None else str(row["of"])


def _name(one: Identity) -> str:
    return conversation_key(one.platform, one.account, one.alias)


def _document(one: Identity) -> Row:
    return {
        "of": conversation_key(one.platform, one.account, one.canonical),
        "alias": one.alias,
        "canonical": one.canonical,
        "since": one.since,
    }
