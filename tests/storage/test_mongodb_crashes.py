"""A save, cut off at every single command, leaves what an undisturbed one would have left."""

from __future__ import annotations

import asyncio

import pytest
from pymongo import AsyncMongoClient

from actors.effects import (
    AttachmentChanged,
    ConversationChanged,
    Effects,
    HopReached,
    KeyRemembered,
    MessageRepeated,
    SlaChanged,
)
from storage.errors import FencedError, StoreBusyError
from storage.mongodb import MongoStore, flushes
from storage.mongodb.flushes import Holding
from storage.mongodb.writes import carry_out
from storage.records import AuditRow, Batch, ChannelRow, DeadLetter, LedgerRow, MinuteRow, PartitionMark, StateRow, User
from tests.storage.archives import Kept
from tests.storage.cutter import cutting
from tests.storage.flushes import LISTS, NOW, anomaly, clock, customer, stored

pytestmark = pytest.mark.services

KEY = "shopee/shop/c1"
AUDIT = AuditRow(at=NOW, who="ann", what="user.created", subject="users/ann")
OF_THE_RUN = {"stamp", "stored_at", "epoch", "token", "parts"}
"""Fields that say who wrote a document in which run, not what was written."""
NUMBERED = {"progress", "event_keys"}
"""Collections whose ids begin with the stamp of the run."""


def batch_of(version, *effects, **lists):
    collected = Effects()
    for effect in effects:
        getattr(collected, LISTS[type(effect).__name__]).append(effect)
    mark = PartitionMark(partition=0, version=version, applied=version * 10, time=NOW + version, drift=5)
    return Batch(mark=mark, effects=collected, **lists)


def first():
    """Something for the second batch to change."""
    return batch_of(
        1,
        stored("m1", text="one", sender=customer(), order="O1"),
        stored("m1", "c2", text="other"),
        anomaly(1),
        SlaChanged(KEY, clock()),
        KeyRemembered("shopee/shop", b"12345678", NOW),
        conversations=[StateRow(KEY, b"s1", NOW), StateRow("shopee/shop/c9", b"s1", 7)],
        channels=[StateRow("shopee/shop", b"s1", 7)],
        ledger=[LedgerRow(channel="shopee/shop", accepted=2, stored=2)],
    )


def second():
    """One of everything a flush can hold."""
    channel = ChannelRow(key="shopee/shop", platform="shopee", account="shop", first_at=1, last_at=9)
    letter = DeadLetter(partition=0, offset=3, index=0, at=NOW, reason="no", raw=b"\xff", channel="shopee/shop")
    return batch_of(
        2,
        stored("m2", at=NOW + 5, text="two 上海", merged_into=None),
        stored("m3", at=NOW + 6, text="two", merged_into="m2"),
        stored("m1", "c3", at=NOW + 7, text="three"),
        stored("m1", "c9", at=NOW + 8, direction="out"),
        stored("m1", "x", at=NOW + 9, account="newcomer"),
        HopReached(KEY, "m1", "notified", NOW + 5),
        HopReached(KEY, "m2", "edited", NOW + 6, "two again"),
        HopReached("shopee/shop/c2", "m1", "edited", NOW + 6, "other again"),
        HopReached("shopee/shop/c2", "m1", "edited", NOW + 7, "and again"),
        AttachmentChanged(KEY, "m1", "a1", "ok", NOW + 6),
        MessageRepeated(KEY, "m1", NOW + 6, differs=False),
        MessageRepeated(KEY, "m1", NOW + 7, differs=True),
        ConversationChanged("shopee/shop/c2", "closed", NOW + 8, "ann"),
        SlaChanged(KEY, clock(answered_at=NOW + 7)),
        SlaChanged(KEY, clock(1, "next_response")),
        anomaly(1, status="resolved", resolved_at=NOW + 9),
        anomaly(2, conversation="c1"),
        KeyRemembered("shopee/shop", b"abcdefgh", NOW + 1),
        conversations=[StateRow(KEY, b"s2", None), StateRow("shopee/shop/c3", b"s2", 9)],
        channels=[StateRow("shopee/shop", b"s2", None)],
        channel_rows=[channel],
        minutes=[MinuteRow(channel="shopee/shop", minute=5, inbound=3, delays=b"\x01")],
        ledger=[LedgerRow(channel="shopee/shop", accepted=9, stored=7, duplicates=2)],
        dead_letters=[letter],
    )


def third():
    """Touches what the second one did."""
    return batch_of(
        3,
        stored("m4", at=NOW + 20, text="four"),
        HopReached("shopee/shop/c2", "m1", "edited", NOW + 20, "last word"),
        SlaChanged(KEY, clock(1, "next_response", answered_at=NOW + 19)),
        anomaly(2, conversation="c1", status="resolved", resolved_at=NOW + 20),
        conversations=[StateRow(KEY, b"s3", 11)],
        ledger=[LedgerRow(channel="shopee/shop", accepted=10, stored=8, duplicates=2)],
    )


async def opened(url):
    store = MongoStore(url, timeout_s=60)
    await store.open()
    return store


async def contents(url):
    """Everything in a database but what names the run."""
    client = AsyncMongoClient(url)
    db = client.get_default_database()
    found = {}
    for name in sorted(await db.list_collection_names()):
        rows = [_told(row, name) for row in await db[name].find().to_list()]
        if rows and name != "redo":  # parts of a record are litter once the flush is finished
            found[name] = sorted(rows, key=repr)
    await client.close()
    return found


def _told(value, collection):
    if isinstance(value, list):
        return [_told(each, collection) for each in value]
    if not isinstance(value, dict):
        return value
    told = {name: _told(each, collection) for name, each in sorted(value.items()) if name not in OF_THE_RUN}
    if collection in NUMBERED and "_id" in told:
        told["_id"] = told["_id"].rpartition("/")[2]
    return told


@pytest.fixture
async def undisturbed(mongo):
    """What the first two batches leave, and all three."""
    url = mongo.fresh()
    store = await opened(url)
    await store.save(first())
    await store.save(second())
    two = await contents(url)
    await store.save(third())
    three = await contents(url)
    await store.close()
    return two, three


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("answered", "parts"), [(True, False), (False, False), (False, True)])
async def test_a_save_cut_off_at_any_command_ends_as_if_nothing_had_happened(
    mongo, undisturbed, answered, parts, monkeypatch
):
    if parts:  # the redo record travels in documents of its own
        monkeypatch.setattr(flushes, "INLINE_BYTES", 0)
        monkeypatch.setattr(flushes, "PART_BYTES", 1_000)
    commands = 0
    whole = False
    while not whole:
        commands += 1
        url = mongo.fresh()
        founder = await opened(url)
        await founder.save(first())
        await founder.close()
        async with cutting(url) as (cutter, way):
            victim = await opened(way)
            mark = await victim.mark(0)
            assert mark.version == 1
            cutter.arm(commands, answered=answered)
            whole = await _tried(victim, second()) and cutter.left != 0
            await victim.close()
        heirs = [await opened(url), await opened(url)]
        # Two at once find the same unfinished flush; one of them goes on.
        marks = await asyncio.gather(*(heir.mark(0) for heir in heirs), return_exceptions=True)
        mark = await heirs[0].mark(0)
        assert {m.version for m in marks if isinstance(m, PartitionMark)} <= {mark.version}
        if mark.version == 1:
            await heirs[0].save(second())
        assert await contents(url) == undisturbed[0], f"cut off after command {commands}"
        assert await heirs[0].marks() == [second().mark]
        await heirs[0].save(third())
        assert await contents(url) == undisturbed[1], f"cut off after command {commands}"
        for heir in heirs:
            await heir.close()
    assert commands > 10


async def _tried(store, batch):
    try:
        await store.save(batch)
    except StoreBusyError:
        return False
    return True


@pytest.mark.timeout(300)
@pytest.mark.parametrize("answered", [True, False])
async def test_the_same_writer_tries_again_at_any_command_and_writes_once(mongo, undisturbed, answered):
    commands, whole = -1, False
    while not whole:
        commands += 2
        url = mongo.fresh()
        async with cutting(url) as (cutter, way):
            store = await opened(way)
            await store.save(first())
            cutter.arm(commands, answered=answered)
            batch = second()
            saved = await _tried(store, batch)
            whole = saved and cutter.left != 0
            cutter.heal()
            if not saved:
                await store.save(batch)
            await store.save(third())
            await store.close()
        assert await contents(url) == undisturbed[1], f"cut off after command {commands}"


async def test_a_writer_that_wakes_in_the_middle_of_an_old_save_changes_nothing(mongo, undisturbed):
    url = mongo.fresh()
    sleeper, heir = await opened(url), await opened(url)
    await sleeper.save(first())
    old = []

    async def remembered(database, writes, until):
        old.append(writes)
        await carry_out(database, writes, until)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flushes, "carry_out", remembered)
        await sleeper.save(second())
    await heir.mark(0)
    await heir.save(third())
    await carry_out(sleeper._db, old[0])
    assert await contents(url) == undisturbed[1]
    with pytest.raises(FencedError):
        await sleeper.save(third())
    assert await contents(url) == undisturbed[1]
    with pytest.raises(StoreBusyError):  # nor would it have got that far
        await carry_out(sleeper._db, old[0], until=0)
    for store in (sleeper, heir):
        await store.close()


async def test_who_takes_a_partition_over_fences_who_had_it_even_before_saving(mongo):
    url = mongo.fresh()
    before, after = await opened(url), await opened(url)
    await before.save(first())
    assert (await after.mark(0)).version == 1
    with pytest.raises(FencedError, match="partition 0"):
        await before.save(second())
    with pytest.raises(FencedError):
        await before.save(second())
    assert (await after.marks())[0].version == 1
    await after.save(second())
    assert (await before.marks())[0].version == 2
    for store in (before, after):
        await store.close()


async def test_of_two_stores_that_save_at_once_one_is_fenced(mongo):
    url = mongo.fresh()
    stores = [await opened(url), await opened(url)]
    for _ in range(5):
        version = max((mark.version for mark in await stores[0].marks()), default=0) + 1
        taken = await asyncio.gather(*(store.mark(0) for store in stores), return_exceptions=True)
        assert any(isinstance(mark, PartitionMark) for mark in taken)
        results = await asyncio.gather(*(store.save(batch_of(version)) for store in stores), return_exceptions=True)
        assert sorted(type(result) for result in results if result is not None) == [FencedError]
        assert (await stores[0].marks())[0].version == version
    for store in stores:
        await store.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("answered", [True, False])
async def test_forgetting_cut_off_at_any_command_is_finished_by_the_next(mongo, answered):
    async def filled():
        url = mongo.fresh()
        store = await opened(url)
        await store.save(first())
        await store.save(second())
        await store.save(batch_of(3, stored("m5", "c2", at=NOW + 5_000, text="stays"), stored("m5", at=NOW + 5_000)))
        return url, store

    url, store = await filled()
    archive = Kept()
    whole = await store.prune(NOW + 1_000, archive)
    forgotten = _named(archive)
    expected = await contents(url)
    await store.close()
    assert whole > 0
    commands, ended = 0, False
    while not ended:
        commands += 1
        archive = Kept()
        url, store = await filled()
        async with cutting(url) as (cutter, way):
            victim = await opened(way)
            cutter.arm(commands, answered=answered)
            try:
                await victim.prune(NOW + 1_000, archive)
                ended = cutter.left != 0
            except StoreBusyError:
                pass
            await victim.close()
        await asyncio.gather(store.prune(NOW + 1_000, archive), store.prune(NOW + 1_000, archive))
        found = await contents(url)
        assert _without_numbers(found) == _without_numbers(expected), f"cut off after command {commands}"
        assert _named(archive) == forgotten, f"cut off after command {commands}"
        await store.close()


def _named(archive):
    """The messages an archive holds, however often."""
    return {(row.key, row.message, row.at, row.text) for row in archive.rows}


def _without_numbers(found):
    """How many jobs it took is of the run."""
    return {
        name: [{k: v for k, v in row.items() if k not in {"job", "number"}} for row in rows]
        for name, rows in found.items()
    }


@pytest.mark.parametrize("answered", [True, False])
async def test_a_change_cut_off_at_any_command_is_in_the_log_of_changes_or_not_made(mongo, answered):
    commands, ended = 0, False
    url = mongo.fresh()
    store = await opened(url)
    await store.close()
    seen = 0
    while not ended:
        commands += 1
        async with cutting(url) as (cutter, way):
            victim = await opened(way)
            cutter.arm(commands, answered=answered)
            changed = User(id="u1", name=f"ann{commands}", role="admin", password_hash="x", created_at=NOW)
            try:
                await victim.put_user(changed, AUDIT)
                ended = cutter.left != 0
            except StoreBusyError:
                pass
            await victim.close()
        store = await opened(url)
        made = await store.user(f"ann{commands}") is not None
        seen += made
        assert len((await store.audit(100)).items) == seen, f"cut off after command {commands}"
        await store.close()


async def test_stamps_start_above_those_of_every_other_partition(mongo):
    url = mongo.fresh()
    store = await opened(url)
    for version in (1, 2, 3):
        await store.save(batch_of(version, stored("m1")))
    # The channel moves: its documents were written by the other partition.
    moved = Batch(
        mark=PartitionMark(partition=5, version=1),
        conversations=[StateRow(KEY, b"moved", 3)],
        ledger=[LedgerRow(channel="shopee/shop", accepted=4)],
    )
    await store.save(moved)
    assert await store.conversation_states([KEY]) == [StateRow(KEY, b"moved", 3)]
    assert (await store.armed(5), await store.armed(0)) == ([(3, KEY)], [])
    assert await store.ledger() == [LedgerRow(channel="shopee/shop", accepted=4)]
    assert isinstance(store._holdings[5], Holding)
    await store.close()
