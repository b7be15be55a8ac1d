from __future__ import annotations

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from actors.events import Auth, Checkpoint, Message
from actors.keys import partition_of
from actors.thresholds import ThresholdSet
from storage.errors import FencedError, StoreBusyError
from streams import persister
from streams.deltas import TOPIC, decode_delta
from streams.frames import assemble, encode_entry
from tests.streams.product import Product, until

SHOP = "ebay/shop"


async def test_what_was_submitted_is_stored_and_its_offset_committed(product, message):
    await product.start()
    await product.gateway.submit([message(n) for n in range(600)])
    await product.runtime.settled()
    assert await product.ledger() == {SHOP: (600, 600, 0, 0)}
    assert await product.runtime.oldest_unprocessed() is None
    await product.runtime.stop()
    assert all(place.committed == place.end for place in await product.log.positions())


async def test_nothing_is_applied_twice_by_a_restart(product, message):
    await product.start()
    await product.gateway.submit([message(n) for n in range(300)])
    await product.runtime.settled()
    await product.stop()
    await product.start()
    await product.gateway.submit([message(n) for n in range(300, 310)])
    await product.runtime.settled()
    assert await product.ledger() == {SHOP: (310, 310, 0, 0)}


async def test_an_event_key_is_known_after_a_restart(product):
    expired = Auth(platform="ebay", account="shop", at=None, status="expired", event="k")
    for _ in range(2):
        await product.start()
        await product.gateway.submit([expired])
        await product.runtime.settled()
        await product.stop()
    await product.start()
    assert await product.ledger() == {SHOP: (2, 1, 1, 0)}


async def test_redelivered_frames_change_nothing_and_are_acked(product, message):
    await product.start()
    for n in range(5):
        await product.gateway.submit([message(n)])
    await product.runtime.settled()
    await product.runtime.stop()
    before = await product.store.mark(partition_of("ebay", "shop", 4))
    await product.log.commit(dict.fromkeys(range(4), 0))
    await product.stop()
    await product.start()
    await product.runtime.settled()
    assert await product.ledger() == {SHOP: (5, 5, 0, 0)}
    assert await product.store.mark(partition_of("ebay", "shop", 4)) == before
    # What was applied before counts as settled at once, also while it is still to be read again.
    while any(place.committed < place.end for place in await product.log.positions()):  # noqa: ASYNC110 # it has no event
        await asyncio.sleep(0.01)
    await product.runtime.stop()


async def test_no_offset_is_committed_before_its_state_is_saved(product, message):
    await product.start()
    product.store.gate.clear()
    await product.gateway.submit([message(1)])
    number = partition_of("ebay", "shop", 4)
    await until(lambda: product.runtime.engines[number].applied == 0)
    await product.runtime._app.consumer.commit()
    assert product.log.committed(number) is None
    assert await product.runtime.oldest_unprocessed() is not None
    product.store.gate.set()
    await product.runtime.settled()
    await product.runtime._app.consumer.commit()
    assert product.log.committed(number) == 1


async def test_a_busy_store_is_tried_again_in_place(product, message, caplog):
    await product.start()
    product.store.errors = [StoreBusyError("locked"), StoreBusyError("still locked")]
    for n in range(20):
        await product.gateway.submit([message(n)])
    await until(lambda: not product.store.errors)
    await product.runtime.settled()
    assert await product.ledger() == {SHOP: (20, 20, 0, 0)}
    assert product.runtime.health().trouble is None
    assert "saving is tried again until it works: locked" in caplog.text
    assert product.exits == []


async def test_what_holds_things_up_can_be_asked(product, message):
    await product.start()
    product.store.errors = [StoreBusyError("locked")] * 1000
    await product.gateway.submit([message(1)])
    await until(lambda: product.runtime.health().trouble)
    assert product.runtime.health().trouble == "saving: locked"
    assert product.runtime.health().unsaved == 1
    product.store.errors.clear()
    await product.runtime.settled()


async def test_losing_the_partition_to_another_writer_ends_the_process(product, message, caplog):
    await product.start()
    product.store.errors = [FencedError("another writer owns partition 1")]
    await product.gateway.submit([message(1)])
    await product.ended.wait()
    assert product.exits == [70]
    assert "Weir ends now" in caplog.text
    await product.stop()


async def test_stopping_never_takes_longer_than_its_deadline(product, message):
    await product.start()
    product.store.gate.clear()
    await product.gateway.submit([message(1)])
    await until(lambda: product.runtime.health().unsaved)
    await product.runtime.stop(deadline_s=0.05)
    assert product.exits == [70]
    product.store.gate.set()
    await product.stop()


async def test_a_record_that_is_no_frame_becomes_a_dead_letter_and_the_rest_goes_on(product, message):
    await product.start()
    number = partition_of("ebay", "shop", 4)
    await product.gateway.submit([message(1)])
    await product.log.append([(number, product.gateway.now(), b"not a frame at all")])
    await product.gateway.submit([message(2)])
    await product.runtime.settled()
    [letter] = (await product.store.dead_letters(10)).items
    assert (letter.partition, letter.offset, letter.index) == (number, 1, -1)
    assert letter.raw == b"not a frame at all"
    assert await product.ledger() == {SHOP: (2, 2, 0, 0)}


async def test_an_unreadable_entry_becomes_a_dead_letter_and_the_ledger_still_balances(product, message):
    await product.start()
    number = partition_of("ebay", "shop", 4)
    strange = msgspec.msgpack.encode({"type": "telepathy"})
    now = product.gateway.now()
    good = [encode_entry(message(n, at=now)) for n in (1, 2)]
    await product.log.append([(number, now, assemble(now, [good[0], strange, good[1]]))])
    await product.runtime.settled()
    [letter] = (await product.store.dead_letters(10)).items
    assert (letter.offset, letter.index, letter.raw) == (0, 1, strange)
    ledger = await product.ledger()
    assert ledger.pop(SHOP) == (2, 2, 0, 0)
    assert list(ledger.values()) == [(1, 0, 0, 1)]


async def test_an_entry_the_engine_cannot_apply_becomes_a_dead_letter(product, message, monkeypatch, caplog):
    await product.start()
    await product.gateway.submit([message(1)])
    await product.runtime.settled()

    def fail(*_):
        raise ZeroDivisionError("the text was: call me at 0171")

    number = partition_of("ebay", "shop", 4)
    monkeypatch.setitem(product.runtime.engines[number]._handlers, Auth, fail)
    await product.gateway.submit([message(2), Auth(platform="ebay", account="shop", status="ok"), message(3)])
    await product.runtime.settled()
    [letter] = (await product.store.dead_letters(10)).items
    assert (letter.index, letter.channel) == (1, SHOP)
    assert letter.reason.startswith("ZeroDivisionError")
    assert msgspec.msgpack.decode(letter.raw, type=Auth).status == "ok"
    assert "0171" not in caplog.text
    accepted, stored, duplicates, rejected = (await product.ledger())[SHOP]
    assert (accepted, accepted - stored - duplicates - rejected) == (4, 0)


async def test_timers_fire_though_nothing_is_heard(data_dir, machine, message):
    product = Product(data_dir, clock=machine.clock())
    await product.start()
    await product.gateway.submit([message(1, at=product.gateway.now())])
    await product.runtime.settled()
    machine.pass_time(15_200)
    while not (found := [a for a in await product.anomalies() if a.kind == "notification_missed"]):
        machine.pass_time(1)
        await asyncio.sleep(0.005)
    [missed] = found
    assert missed.opened_at - 15_000 == product.runtime.engines[partition_of("ebay", "shop", 4)].time
    await product.stop()


async def test_timers_survive_a_restart(data_dir, machine, message):
    product = Product(data_dir, clock=machine.clock())
    await product.start()
    await product.gateway.submit([message(1)])
    await product.runtime.settled()
    await product.stop()
    machine.pass_time(60_000)
    await product.start()
    while not [a for a in await product.anomalies() if a.kind == "notification_missed"]:  # noqa: ASYNC110 # the store has no event for it
        await asyncio.sleep(0.005)
    await product.stop()


async def test_a_resync_after_a_restart_mends_a_difference_found_before_it(data_dir, machine, message):
    product = Product(data_dir, clock=machine.clock())

    async def differences():
        return [a for a in await product.anomalies() if a.kind == "out_of_sync"]

    await product.start()
    await product.gateway.submit([Auth(platform="ebay", account="shop", at=None, status="ok")])
    machine.pass_time(1_000)
    now = product.gateway.now()
    one, other = (replace(message(n), sent_at=now + n) for n in (1, 2))
    await product.gateway.submit([one, Checkpoint(platform="ebay", account="shop", start=now, end=now + 10, count=2)])
    await product.runtime.settled()
    while not await differences():
        machine.pass_time(5_000)
        await asyncio.sleep(0.005)
    await product.stop()
    await product.start()
    await product.gateway.submit([replace(other, via="resync")])
    await product.runtime.settled()
    [mended] = await differences()
    assert (mended.status, mended.resolution) == ("resolved", "resynced")
    await product.stop()


async def test_no_time_passes_while_something_waits_to_be_written(data_dir, machine, message):
    product = Product(data_dir, clock=machine.clock())
    await product.start()
    await product.gateway.submit([message(1)])
    await product.runtime.settled()
    number = partition_of("ebay", "shop", 4)
    partition = product.runtime._partitions[number]
    accepted = product.gateway.now()
    waiting = asyncio.ensure_future(product.gateway.submit([message(2)]))
    await asyncio.sleep(0)
    machine.pass_time(3_600_000)
    assert product.runtime._stream_clock(partition) == accepted
    await waiting
    await product.runtime.settled()
    assert product.runtime._stream_clock(partition) == accepted + 3_600_000 - 300
    await product.stop()


async def test_changed_thresholds_hold_for_what_is_observed_afterwards(product):
    await product.start()
    product.runtime.set_thresholds(ThresholdSet().changed("", "delay.threshold_s", 3600))
    now = product.gateway.now()

    def late(number):
        return Message(
            platform="ebay",
            account="shop",
            conversation="c",
            message=f"late{number}",
            sent_at=now - 60_000,
            direction="out",
        )

    await product.gateway.submit([late(1)])
    await product.runtime.settled()
    assert [a.message for a in await product.anomalies() if a.kind == "delay"] == []
    product.runtime.set_thresholds(ThresholdSet().changed("", "delay.threshold_s", 10))
    await product.gateway.submit([late(2)])
    await product.runtime.settled()
    assert [a.message for a in await product.anomalies() if a.kind == "delay"] == ["late2"]


async def test_no_more_is_taken_while_too_much_is_unsaved(product, message, monkeypatch):
    monkeypatch.setattr(persister, "MOST_UNSAVED", 100)
    await product.start()
    product.store.gate.clear()
    for start in range(0, 500, 50):
        await product.gateway.submit([message(n) for n in range(start, start + 50)])
    await until(lambda: product.runtime.health().unsaved >= 100)
    assert product.runtime.health().unsaved == 100
    assert sum(product.runtime.lag().values()) == 8
    assert product.runtime.health().unsaved == 100
    product.store.gate.set()
    await product.runtime.settled()
    assert await product.ledger() == {SHOP: (500, 500, 0, 0)}


async def test_every_flush_is_told_to_those_who_watch(product, message):
    await product.start()
    watching = product.bus.subscribe(TOPIC)
    await product.gateway.submit([message(1), message(2)])
    delta = decode_delta((await anext(watching)).data)
    assert (delta.messages, delta.applied, delta.ledger[0].stored) == (2, 0, 2)
    assert sorted(delta.conversations) == ["ebay/shop/c1", "ebay/shop/c2"]


async def test_conversations_leave_memory_and_come_back_as_they_were(data_dir, message):
    product = Product(data_dir, most_conversations=3)
    await product.start()
    many = [message(n) for n in range(200)]
    for round_ in range(3):
        for start in range(0, 200, 20):
            batch = [msgspec.structs.replace(m, conversation=f"talk{start}") for m in many[start : start + 20]]
            await product.gateway.submit(batch)
            await product.runtime.settled()
        assert await product.ledger() == {SHOP: (200 * (round_ + 1), 200, 200 * round_, 0)}
    assert product.runtime.engines[partition_of("ebay", "shop", 4)].loaded < 10
    await product.stop()


@pytest.mark.parametrize("count", [1, 5000])
async def test_a_backlog_is_worked_off_in_order(product, message, count):
    await product.start()
    await product.runtime.stop()
    await product.gateway.submit([message(n, account=f"shop{n % 9}") for n in range(count)])
    await product.stop()
    await product.start()
    await product.runtime.settled()
    assert sum(row[1] for row in (await product.ledger()).values()) == count


async def test_a_crash_within_faust_ends_the_process(product, message, caplog):
    await product.start()
    await product.gateway.submit([message(1)])
    await product.runtime.settled()
    await product.runtime._app.crash(RuntimeError("the fetcher is gone"))
    await product.ended.wait()
    assert product.exits[0] == 70
    assert "the fetcher is gone" in caplog.text
    await product.stop()


async def test_an_error_nobody_expected_ends_the_process_and_acks_nothing(product, message, monkeypatch):
    await product.start()
    number = partition_of("ebay", "shop", 4)

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(product.runtime.engines[number], "absent", fail)
    await product.gateway.submit([message(1)])
    await product.ended.wait()
    assert product.exits[0] == 70
    await product.stop()
    assert product.log.committed(number) is None


async def test_a_save_under_way_is_finished_before_the_end(product, message):
    await product.start()
    product.store.gate.clear()
    await product.gateway.submit([message(1)])
    await until(lambda: product.runtime.health().unsaved)
    stopping = asyncio.ensure_future(product.runtime.stop())
    await asyncio.sleep(0)
    product.store.gate.set()
    await stopping
    assert await product.ledger() == {SHOP: (1, 1, 0, 0)}
    assert product.log.committed(partition_of("ebay", "shop", 4)) == 1
