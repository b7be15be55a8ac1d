"""`weir audit`: it is silent when all is well, and names what is missing or double."""

import sqlite3

import msgspec
import pytest
from msgspec.structs import replace

from actors.events import Clock, Message, Receipt, Rejected
from actors.keys import partition_of
from services.ledger import audit
from weir.config import Config
from weir.log_view import LogView
from weir.wiring import running

SENT = 1_800_000_000_000


def message(number, account="shop-1", **fields):
    base = {"platform": "shopee", "account": account, "conversation": "c1", "message": f"m{number}"}
    return Message(**base | {"sent_at": SENT, "direction": "in"} | fields)


@pytest.fixture
async def weir(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=3)) as started:
        await started.gateway.submit([message(n, account=f"shop-{n % 5}", text=f"text {n}") for n in range(60)])
        await started.gateway.submit([message(1, account="shop-1"), message(2, account="shop-2"), Clock()])
        await started.gateway.submit(
            [
                Receipt(platform="shopee", account="shop-1", conversation="c1", message="m1", status="read"),
                Rejected(at=SENT, reason="no", raw=b"{}"),
                Rejected(at=SENT, reason="no", raw=b"{}", platform="shopee", account="shop-1"),
                Rejected(at=SENT, reason="no", raw=b"{}", platform="shopee", account="never seen"),
            ]
        )
        await started.runtime.settled()
        yield started


async def spoil(data_dir, file, statement, *values):
    """Change a file behind Weir's back."""
    with sqlite3.connect(data_dir / file) as db:
        assert db.execute(statement, values).rowcount > 0
    db.close()


async def test_when_nothing_is_missing_nothing_is_said(weir):
    result = await audit(weir.store, weir.gateway)
    assert result.problems == []
    assert result.notes == []
    assert result.entries == 60 + 3 + 4
    totals = [sum(getattr(c, name) for c in result.channels) for name in ("logged", "accepted", "rejected", "held")]
    assert totals == [67, 67, 3, 60]


async def test_it_can_read_beside_the_weir_that_owns_the_log(weir, data_dir):
    view = LogView(data_dir / "log.db")
    try:
        assert (await audit(weir.store, view)).problems == []
        assert await view.problems() == []
    finally:
        await view.close()


async def test_under_traffic_it_raises_no_false_alarm(weir):
    for round_ in range(10):
        await weir.gateway.submit([message(1000 + 20 * round_ + n, account=f"shop-{n % 5}") for n in range(20)])
        assert (await audit(weir.store, weir.gateway)).problems == []


async def test_what_waits_is_noted_and_not_judged(data_dir):
    async with running(Config(data_dir=str(data_dir), partitions=1)) as weir:
        await weir.gateway.submit([message(1)])
        await weir.runtime.settled()
        await weir.runtime.stop()
        await weir.gateway.submit([message(2)])
        result = await audit(weir.store, weir.gateway)
        assert result.problems == []
        assert "1 records wait" in result.notes[0]


async def test_a_message_missing_in_the_store_is_named(weir, data_dir):
    await spoil(data_dir, "store.db", "DELETE FROM messages WHERE message = 'm7'")
    result = await audit(weir.store, weir.gateway)
    assert any("shopee/shop-2: 1 missing" in problem for problem in result.problems)
    assert any("message 'm7' of shopee/shop-2/c1" in problem for problem in result.problems)


async def test_a_record_missing_in_the_log_is_named(weir, data_dir):
    for number in range(20):  # a partition with more than one record
        await weir.gateway.submit([message(2000 + number)])
    await weir.runtime.settled()
    place = next(p for p in (await audit(weir.store, weir.gateway)).partitions if p.end > 10)
    await spoil(data_dir, "log.db", "DELETE FROM record WHERE id = ?", place.partition << 48 | 5)
    result = await audit(weir.store, weir.gateway)
    assert f"partition {place.partition}: records 5 to 5 are missing from the log" in result.problems
    assert any("too many" in problem for problem in result.problems)


async def test_a_damaged_record_is_named(weir, data_dir):
    place = next(p for p in (await audit(weir.store, weir.gateway)).partitions if p.end > 0)
    await spoil(data_dir, "log.db", "UPDATE record SET data = x'00112233' WHERE id = ?", place.partition << 48)
    result = await audit(weir.store, weir.gateway)
    assert any(f"partition {place.partition}, record 0" in problem for problem in result.problems)


async def test_a_ledger_that_does_not_balance_is_named(weir, data_dir):
    await spoil(data_dir, "store.db", "UPDATE ledger SET accepted = accepted + 1")
    result = await audit(weir.store, weir.gateway)
    assert any("does not balance" in problem for problem in result.problems)


def plain(number, account):
    fields = {"type": "message", "platform": "shopee", "account": account, "conversation": "c1", "direction": "in"}
    return msgspec.json.encode(fields | {"message": f"m{number}", "sent_at": SENT})


async def test_records_that_somebody_else_wrote_are_accounted_for_too(weir):
    places = {f"shop-{n}": partition_of("shopee", f"shop-{n}", 3) for n in range(5)}
    rows = [(place, SENT, plain(100 + n, account)) for n, (account, place) in enumerate(places.items())]
    rows += [(places["shop-1"], SENT, plain(1, "shop-1")), (0, SENT, b'{"type": "nonsense"}')]
    lost = next(n for n in range(100) if partition_of("shopee", f"new-{n}", 3) != 2)
    rows.append((2, SENT, plain(200, f"new-{lost}")))
    await weir.log.append(rows)
    await weir.runtime.settled()
    result = await audit(weir.store, weir.gateway)
    assert result.problems == []
    assert result.entries == 67 + len(rows)
    assert sum(c.rejected for c in result.channels) == 3 + 2
    assert sum(c.held for c in result.channels) == 60 + 5 + 1, "m1 came again after its life: a new message"


class HalfwayLog:
    """The log as it is when a commit comes between two questions."""

    def __init__(self, log):
        self.log = log
        self.asked = 0

    async def positions(self):
        self.asked += 1
        ahead = 1_000 if self.asked > 1 else 0
        return [replace(p, committed=p.committed + ahead) for p in await self.log.positions()]

    def records(self, partition, offset=0):
        return self.log.records(partition, offset)


async def test_a_commit_between_two_questions_is_no_problem(weir):
    assert (await audit(weir.store, HalfwayLog(weir.gateway))).problems == []
