from __future__ import annotations

import msgspec
import pytest

from actors.keys import partition_of
from streams.frames import assemble, encode_entry
from tests.streams.product import until

pytestmark = pytest.mark.services

SHOP = "ebay/shop"
HERE = partition_of("ebay", "shop", 4)
NOW = 1_800_000_000_000


def plain(number, **fields):
    event = {
        "type": "message",
        "platform": "ebay",
        "account": "shop",
        "conversation": f"c{number % 7}",
        "message": f"m{number}",
        "sent_at": NOW,
        "direction": "in",
    }
    return msgspec.json.encode(event | fields)


async def test_a_topic_filled_by_somebody_else_is_processed(fleet, client):
    worker = await fleet.join()
    await client.produce(HERE, *(plain(number) for number in range(2500)), timestamp_ms=NOW)
    await until(lambda: worker.runtime.health().processed == 2500)
    assert await fleet.ledger() == {SHOP: (2500, 2500, 0, 0)}
    assert worker.runtime.engines[HERE].time == NOW
    await fleet.leave(worker)
    assert await client.committed(HERE) == 2500


async def test_what_cannot_be_read_becomes_a_dead_letter_and_the_ledger_balances(fleet, client, message):
    worker = await fleet.join()
    frame = assemble(NOW, [encode_entry(message(9, at=NOW))])
    values = [plain(1), b'{"type":"message"}', frame, b"{", plain(2), plain(3, message="")]
    await client.produce(HERE, *values, timestamp_ms=NOW)
    await until(lambda: worker.runtime.health().processed == len(values))
    letters = (await fleet.store.dead_letters(10)).items
    assert {(letter.offset, letter.index, letter.raw) for letter in letters} == {(n, 0, values[n]) for n in (1, 3, 5)}
    rows = await fleet.ledger()
    assert tuple(map(sum, zip(*rows.values(), strict=True))) == (6, 3, 0, 3)


async def test_a_run_that_begins_within_what_was_applied_is_skipped_record_by_record(fleet, client):
    worker = await fleet.join()
    await client.produce(HERE, *(plain(number) for number in range(700)))
    await until(lambda: worker.runtime.health().processed == 700)
    await fleet.leave(worker)
    await client.commit({HERE: 333})
    await client.produce(HERE, *(plain(number) for number in range(700, 900)))
    again = await fleet.join()
    await until(lambda: again.runtime.health().processed == 200)
    assert await fleet.ledger() == {SHOP: (900, 900, 0, 0)}


async def test_reading_resumes_within_a_batch_of_records(fleet, client):
    [*offsets] = await client.produce(HERE, *(plain(number) for number in range(10)))
    assert offsets == list(range(10))
    await client.commit({HERE: 4})
    fleet.store.mark, mark = _applied_up_to(3, fleet.store.mark), fleet.store.mark
    worker = await fleet.join()
    fleet.store.mark = mark
    await until(lambda: worker.runtime.health().processed == 6)
    assert [row[0] for row in (await fleet.ledger()).values()] == [6]


def _applied_up_to(offset, mark):
    async def moved(partition):
        return msgspec.structs.replace(await mark(partition), applied=offset if partition == HERE else -1)

    return moved
