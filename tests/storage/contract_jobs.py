"""Work to be done at platforms."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from storage.channel_records import Job
from tests.storage.flushes import NOW


def job(name, at=NOW, kind="attachment", **more):
    return Job(kind=kind, id=name, platform="shopee", account="shop", at=at, **({"due_at": at} | more))


def ids(rows):
    return [row.id for row in rows]


class JobContract:
    async def test_a_job_comes_back_whole(self, store):
        payload = {"url": "https://x/图", "a.b": {"$c": [1, None, 2.5, True]}, "": "x"}
        row = job("a/1%", payload=payload, attempts=2, failed_at=NOW + 1, reason="gone", due_at=NOW + 7)
        await store.put_jobs([row])
        assert await store.jobs("attachment", 5) == [row]
        assert await store.jobs("pointer", 5) == []

    async def test_a_job_put_again_changes_nothing_even_when_it_was_given_up(self, store):
        first = job("j1")
        await store.put_jobs([])
        await store.put_jobs([first, replace(first, reason="in the same call")])
        await store.put_jobs([replace(first, due_at=0), job("j2"), job("j1", kind="pointer")])
        assert await store.jobs("attachment", 5) == [first, job("j2")]
        await store.fail_job("attachment", "j1", NOW + 1, "gone")
        await store.put_jobs([first])
        assert await store.jobs("attachment", 5, failed=False) == [job("j2")]
        assert await store.jobs("pointer", 5) == [job("j1", kind="pointer")]

    async def test_due_jobs_are_claimed_oldest_due_first_and_come_up_again_later(self, store):
        rows = [job("j1", due_at=NOW + 3), job("j2", due_at=NOW + 1), job("j3", due_at=NOW + 2), job("j4", NOW + 9)]
        await store.put_jobs([*rows, job("p1", 0, "pointer")])
        assert await store.claim_jobs("attachment", NOW, NOW + 50, 5) == []
        claimed = await store.claim_jobs("attachment", NOW + 3, NOW + 50, 2)
        assert claimed == [replace(row, due_at=NOW + 50, attempts=1) for row in (rows[1], rows[2])]
        assert ids(await store.claim_jobs("attachment", NOW + 3, NOW + 60, 5)) == ["j1"]
        assert await store.claim_jobs("attachment", NOW + 3, NOW + 60, 5) == []
        again = await store.claim_jobs("attachment", NOW + 55, NOW + 99, 5)
        assert [(row.id, row.attempts) for row in again] == [("j4", 1), ("j2", 2), ("j3", 2)]

    async def test_of_many_who_claim_at_once_each_job_goes_to_one(self, store, second):
        await store.put_jobs([job(f"j{n}") for n in range(12)])
        claims = await asyncio.gather(
            *((store, second)[n % 2].claim_jobs("attachment", NOW, NOW + 9, 5) for n in range(6))
        )
        claimed = sorted(row.id for rows in claims for row in rows)
        assert len(claimed) == len(set(claimed))
        while rows := await store.claim_jobs("attachment", NOW, NOW + 9, 5):
            claimed += ids(rows)
        assert sorted(claimed) == sorted(f"j{n}" for n in range(12))
        assert {row.attempts for row in await store.jobs("attachment", 20)} == {1}

    async def test_a_finished_job_is_gone(self, store):
        await store.put_jobs([job("j1"), job("j1", kind="resync")])
        await store.finish_job("attachment", "j1")
        await store.finish_job("attachment", "j1")
        assert await store.jobs("attachment", 5) == []
        assert await store.jobs("resync", 5) == [job("j1", kind="resync")]

    async def test_a_job_given_up_stays_and_is_tried_again_when_delayed(self, store):
        await store.put_jobs([job("j1"), job("j2")])
        await store.fail_job("attachment", "j1", NOW + 5, "gone")
        await store.delay_job("attachment", "j2", NOW + 7, "busy")
        failed, delayed = job("j1", failed_at=NOW + 5, reason="gone"), job("j2", due_at=NOW + 7, reason="busy")
        assert await store.jobs("attachment", 5, failed=True) == [failed]
        assert await store.jobs("attachment", 5, failed=False) == [delayed]
        assert await store.claim_jobs("attachment", NOW + 6, NOW + 9, 5) == []
        await store.delay_job("attachment", "j1", NOW + 6, "once more")
        assert await store.jobs("attachment", 5, failed=True) == []
        assert ids(await store.claim_jobs("attachment", NOW + 7, NOW + 9, 5)) == ["j1", "j2"]
        await store.delay_job("attachment", "unknown", NOW, "")
        await store.fail_job("attachment", "unknown", NOW, "")
        assert len(await store.jobs("attachment", 5)) == 2

    async def test_jobs_are_listed_oldest_first(self, store):
        rows = [job(f"j{n}", NOW + at, failed_at=NOW if n % 2 else None) for n, at in enumerate((3, 1, 2, 2, 0))]
        await store.put_jobs(rows)
        assert ids(await store.jobs("attachment", 9)) == ["j4", "j1", "j2", "j3", "j0"]
        assert ids(await store.jobs("attachment", 2)) == ["j4", "j1"]
        assert ids(await store.jobs("attachment", 9, failed=True)) == ["j1", "j3"]
        assert ids(await store.jobs("attachment", 2, failed=False)) == ["j4", "j2"]

    async def test_jobs_given_up_long_ago_are_forgotten_by_hand_and_by_pruning(self, store):
        rows = [job(f"j{n}", 0, failed_at=NOW + n) for n in range(4)]
        await store.put_jobs([*rows, job("j9", 0)])
        await store.forget_jobs(NOW + 1)
        assert ids(await store.jobs("attachment", 9)) == ["j1", "j2", "j3", "j9"]
        assert await store.prune(NOW + 3) == 2
        assert ids(await store.jobs("attachment", 9)) == ["j3", "j9"]
