"""Nothing that is asked of the tables of channels' work walks through one of them."""

from __future__ import annotations

import re
import sqlite3

import pytest

from storage.channel_records import ReplyFilter
from storage.cursors import encode_cursor
from storage.sqlite import SqliteStore
from tests.storage.contract_jobs import job
from tests.storage.contract_outbox import receipt
from tests.storage.contract_shop_orders import order

FILTERS = (
    ReplyFilter(),
    ReplyFilter(states=("failed", "unknown")),
    ReplyFilter(platform="shopee", states=("failed",)),
    ReplyFilter(platform="shopee", account="shop"),
    ReplyFilter(key="shopee/shop/c1"),
    ReplyFilter(key="shopee/shop/c1", account="shop", states=("sent", "queued")),
)
TABLES = r"\b(replies|r|earlier|parked|jobs|sweeps|shop_orders)\b"


@pytest.fixture
async def asked(tmp_path, monkeypatch):
    """(a store, the statements it ran)."""
    statements = set()
    store = SqliteStore(tmp_path / "store.db")
    await store.open()

    def trace(connection):
        connection.set_trace_callback(statements.add)

    await store._db.write(trace)
    monkeypatch.setattr(store._db, "read", store._db.write)
    yield store, statements
    await store.close()


def plans(path, statements):
    connection = sqlite3.connect(path)
    wanted = sorted(one for one in statements if re.match("SELECT|INSERT|UPDATE|DELETE", one))
    found = {one: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")] for one in wanted}
    connection.close()
    return found


async def test_every_question_about_the_outbox_is_served_by_an_index(asked):
    store, statements = asked
    for where in FILTERS:
        await store.replies(where, 5)
        await store.replies(where, 5, encode_cursor("replies", 5, "w1"))
    await store.due_replies(5, 5)
    await store.stale_replies(5, 5)
    await store.reply_ids("shopee", "shop", ["m1", "m2"])
    await store.take_parked("shopee", "shop", ["m1", "m2"])
    await store.parked_before(5, 5)
    await store.drop_parked([receipt("m1")])
    await store.prune(5)
    told = plans(store._db.path, statements)
    assert len(told) > 15
    for statement, plan in told.items():
        assert not [step for step in plan if re.match("SCAN " + TABLES, step)], statement
        listed = "json_each" in statement
        assert listed or not [step for step in plan if re.search("TEMP B-TREE", step)], statement
    found = [step for plan in told.values() for step in plan if "parked_by_message" in step]
    assert found == ["SEARCH parked USING INDEX parked_by_message (platform=? AND account=? AND message=?)"]


async def test_every_question_about_jobs_and_orders_is_served_by_an_index(asked):
    store, statements = asked
    await store.put_jobs([job("j1", 0)])
    await store.put_orders([order("1", contact="u1")])
    statements.clear()
    await store.claim_jobs("attachment", 5, 9, 5)
    await store.delay_job("attachment", "j1", 5, "")
    await store.fail_job("attachment", "j1", 5, "")
    for failed in (None, True, False):
        await store.jobs("attachment", 5, failed=failed)
    await store.forget_jobs(5)
    await store.finish_job("attachment", "j1")
    for asking in ({"number": "#1"}, {"email": "a@example.com"}, {"contact": "u1"}):
        await store.orders_by(**asking)
    await store.forget_customer("shopify", "shop", "u1")
    told = plans(store._db.path, statements)
    assert len(told) > 10
    for statement, plan in told.items():
        assert not [step for step in plan if re.match(f"SCAN {TABLES}|USE TEMP B-TREE", step)], statement
