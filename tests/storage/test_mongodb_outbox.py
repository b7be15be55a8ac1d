"""A reply changed, a job put or claimed, cut off at every single command: done or not, and nothing in between."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from storage.errors import StoreBusyError
from storage.mongodb import MongoStore
from tests.storage.contract_jobs import job
from tests.storage.contract_outbox import ids, reply
from tests.storage.cutter import cutting
from tests.storage.flushes import NOW

pytestmark = pytest.mark.services

CLAIMED = reply("w1", state="claimed", claimed_at=NOW, claimed_by="p1", version=1)
JOBS = [job(f"j{n}") for n in range(3)]


@asynccontextmanager
async def opened(url):
    store = MongoStore(url, timeout_s=60)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def _cut_off(url, change, commands, *, answered):
    """(whether the change came to its end before the cut, what it gave)."""
    async with cutting(url) as (cutter, way), opened(way) as victim:
        cutter.arm(commands, answered=answered)
        try:
            given = await change(victim)
        except StoreBusyError:
            return False, None
        else:
            return cutter.left != 0, given


@pytest.mark.parametrize("answered", [True, False])
async def test_a_change_of_a_reply_cut_off_anywhere_is_whole_or_nothing(mongo, answered):
    commands, ended, outcomes = 0, False, set()
    while not ended:
        commands += 1
        url = mongo.fresh()
        async with opened(url) as store:
            await store.add_reply(reply("w1"))
            ended, given = await _cut_off(
                url, lambda one: one.change_reply(CLAIMED, replaces=0), commands, answered=answered
            )
            held = await store.reply("w1")
            outcomes.add(held == CLAIMED)
            assert held in (reply("w1"), CLAIMED)
            assert given in {None, True}
            assert await store.change_reply(replace(CLAIMED, claimed_by="p2"), replaces=0) == (held != CLAIMED)
    assert True in outcomes


@pytest.mark.parametrize("answered", [True, False])
async def test_a_claim_cut_off_anywhere_gives_no_job_to_two(mongo, answered):
    commands, ended = 0, False
    while not ended:
        commands += 1
        url = mongo.fresh()
        async with opened(url) as store:
            await store.put_jobs(JOBS)
            ended, given = await _cut_off(
                url, lambda one: one.claim_jobs("attachment", NOW, NOW + 50, 5), commands, answered=answered
            )
            others = ids(await store.claim_jobs("attachment", NOW, NOW + 50, 5))
            assert not set(others) & set(ids(given or []))
            # What nobody has, for its process died, comes up again.
            late = {*ids(await store.claim_jobs("attachment", NOW + 50, NOW + 99, 5))}
            assert late == {"j0", "j1", "j2"}


@pytest.mark.parametrize("answered", [True, False])
async def test_jobs_cut_off_while_they_are_put_are_put_once(mongo, answered):
    commands, ended = 0, False
    while not ended:
        commands += 1
        url = mongo.fresh()
        async with opened(url) as store:
            ended, _ = await _cut_off(url, lambda one: one.put_jobs(JOBS), commands, answered=answered)
            await store.put_jobs(JOBS)
            assert await store.jobs("attachment", 5) == JOBS
