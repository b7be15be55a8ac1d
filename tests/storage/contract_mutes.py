"""What is muted, and what was."""

from __future__ import annotations

import msgspec

from storage.records import AuditRow, Mute
from tests.storage.flushes import NOW

AUDIT = AuditRow(at=NOW, who="ann", what="mute.created", subject="mutes/m1")


def mute(id_, until=NOW + 1000, **more):
    return Mute(id=id_, at=NOW, until=until, who="ann", reason="maintenance", **more)


class MuteContract:
    async def test_a_mute_comes_back_whole_and_its_last_version_counts(self, store):
        first = mute("m1", kind="delay", platform="shopee", account="shop")
        lifted = msgspec.structs.replace(first, ended_at=NOW + 5)
        await store.put_mute(first, AUDIT)
        assert await store.mutes(5) == [first]
        await store.put_mute(lifted, msgspec.structs.replace(AUDIT, what="mute.lifted"))
        assert await store.mutes(5) == [lifted]
        assert [row.what for row in (await store.audit(5)).items] == ["mute.lifted", "mute.created"]

    async def test_mutes_that_end_last_come_first(self, store):
        for id_, until in (("m1", 5), ("m3", 9), ("m2", 9), ("m4", 7)):
            await store.put_mute(mute(id_, NOW + until), AUDIT)
        assert [row.id for row in await store.mutes(10)] == ["m2", "m3", "m4", "m1"]
        assert [row.id for row in await store.mutes(2)] == ["m2", "m3"]
