"""Snoozed conversations come back, whether a process was there at the time or not."""

import asyncio

import pytest

from services.inbox.telling import Telling
from services.inbox.waking import Waking
from storage.inbox_records import DeskChange, InboxFilter
from storage.records import AuditRow
from storage.sqlite import SqliteStore
from streams.bus import LocalBus
from tests.storage.flushes import NOW, Flushes, stored


@pytest.fixture
async def store(tmp_path):
    opened = SqliteStore(tmp_path / "store.db")
    await opened.open()
    yield opened
    await opened.close()


async def snoozed(store, name, until):
    key = f"shopee/shop/{name}"
    (row,) = await store.rows([key])
    change = DeskChange(at=NOW, replaces=row.desk_version, snoozed_until=until)
    assert await store.change_desk(key, change, AuditRow(at=NOW, who="ann", what="conversation.snoozed", subject=key))


async def listed(store, now):
    return sorted(row.conversation for row in (await store.inbox(InboxFilter(now=now), 0, 50))[0])


async def test_what_ended_while_no_process_ran_is_told_at_the_next_start(store):
    await Flushes(store)(*[stored("m1", f"c{n}") for n in range(3)])
    await snoozed(store, "c1", NOW + 100)
    await snoozed(store, "c2", NOW + 10_000)
    assert await listed(store, NOW) == ["c0"]
    # The list needs nobody: a snooze that is over counts for nothing.
    assert await listed(store, NOW + 100) == ["c0", "c1"]
    bus = LocalBus()
    ears = bus.subscribe("desk")
    now = NOW + 5_000
    waking = Waking(store, Telling(bus, lambda: now), lambda: now)
    assert await waking.once() == 1
    assert await waking.once() == 0
    heard = (await asyncio.wait_for(anext(ears), 5)).data
    assert (heard["key"], heard["what"], heard["who"]) == ("shopee/shop/c1", "woken", "weir")
    (row,) = await store.rows(["shopee/shop/c1"])
    assert row.snoozed_until is None
    notes = (await store.audit(5, subject="shopee/shop/c1")).items
    assert [note.what for note in notes] == ["conversation.woken", "conversation.snoozed"]


async def test_two_processes_wake_each_conversation_once(store):
    await Flushes(store)(*[stored("m1", f"c{n}") for n in range(30)])
    for n in range(30):
        await snoozed(store, f"c{n}", NOW + n)
    wakers = [Waking(store, Telling(LocalBus(), lambda: NOW + 99), lambda: NOW + 99) for _ in range(2)]
    counts = await asyncio.gather(*(waker.once() for waker in wakers))
    assert sum(counts) == 30
    for n in range(30):
        notes = (await store.audit(5, subject=f"shopee/shop/c{n}", what="conversation.woken")).items
        assert len(notes) == 1


async def test_who_is_snoozed_again_in_time_stays_asleep(store):
    await Flushes(store)(stored("m1", "c1"))
    await snoozed(store, "c1", NOW + 10)
    await snoozed(store, "c1", NOW + 10_000)
    assert await Waking(store, Telling(LocalBus(), lambda: NOW + 99), lambda: NOW + 99).once() == 0
    assert await listed(store, NOW + 99) == []
