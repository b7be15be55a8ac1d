"""Signs of life of the processes of a deployment."""

from __future__ import annotations

import msgspec

from storage.records import ProcessBeat
from tests.storage.flushes import NOW


def beat(process, at=NOW, **more):
    return ProcessBeat(process=process, role="worker", at=at, started_at=NOW - 9, **more)


class ProcessContract:
    async def test_a_process_has_one_sign_of_life_the_last_one(self, store):
        first = beat("w1", version="1.0", partitions=[0, 7], health={"lag": 1.5, "lost": None, "deep": {"a": [1]}})
        later = msgspec.structs.replace(first, at=NOW + 1000, partitions=[], health={})
        await store.beat(first)
        assert await store.beats(0) == [first]
        await store.beat(later)
        assert await store.beats(0) == [later]

    async def test_processes_are_listed_by_name_those_heard_of_lately_only(self, store):
        rows = [beat("w2", NOW + 2), beat("w1", NOW + 1), beat("w3", NOW)]
        for row in rows:
            await store.beat(row)
        assert await store.beats(NOW) == [rows[1], rows[0], rows[2]]
        assert await store.beats(NOW + 1) == [rows[1], rows[0]]
        assert await store.beats(NOW + 3) == []

    async def test_processes_not_heard_of_for_long_are_forgotten(self, store):
        rows = [beat("w1", NOW), beat("w2", NOW + 1)]
        for row in rows:
            await store.beat(row)
        await store.forget_beats(NOW + 1)
        assert await store.beats(0) == [rows[1]]
