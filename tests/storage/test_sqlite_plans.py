"""Nothing that is asked of the tables of channels' work walks through one of them."""

from __future__ import annotations

import re
import sqlite3

import pytest

from storage.channel_records import ReplyFilter
from storage.cursors import encode_cursor
from storage.inbox_records import InboxFilter, Scope
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


async def test_the_workload_is_counted_within_an_index_and_what_ended_is_found_by_one(asked):
    store, statements = asked
    await store.open_groups(5)
    await store.ended_clocks(5, 10)
    told = plans(store._db.path, statements)
    steps = [step for plan in told.values() for step in plan]
    assert "SCAN c USING INDEX inbox" in steps
    assert "SEARCH sla USING COVERING INDEX sla_ended (<expr>>?)" in steps


async def test_a_window_of_the_inbox_is_found_in_its_order_within_an_index(asked):
    store, statements = asked
    scope = Scope(
        me="ann", teams=("t1",), channels=(("shopee", "shop"),), platforms=("ebay",), living=("t1", "t2"), strays=True,
        held_channels=(("shopee", "shop"), ("line", "x")), held_platforms=("ebay",),
    )  # fmt: skip
    for seen in (scope, Scope(everything=True, teams=("t1",))):
        for tab in ("mine", "team", "unassigned", "at_risk", "all", "snoozed", "closed", "archived"):
            await store.inbox(InboxFilter(now=5, tab=tab, scope=seen, me="ann", platform="shopee"), 10, 50)
    await store.inbox_groups(5)
    await store.snoozed_until(0, 5, 5)
    told = plans(store._db.path, statements)
    for index, count in (("inbox", 10), ("inbox_closed", 2), ("inbox_archived", 2)):
        windows = [plan for one, plan in told.items() if f"c INDEXED BY {index} WHERE" in one and "OFFSET" in one]
        assert len(windows) == count
        for plan in windows:
            # The window itself needs no sorting: only its few rows are put in order again at the end.
            chosen = plan.index(f"SCAN c USING INDEX {index}")
            assert chosen < min([at for at, step in enumerate(plan) if "TEMP B-TREE" in step], default=len(plan))
    asleep = [plan for one, plan in told.items() if "ORDER BY c.place" in one and "INDEXED BY" not in one]
    assert len(asleep) == 2
    for plan in asleep:
        assert [step for step in plan if "inbox_snoozed" in step or "inbox_groups" in step]
    (groups,) = [plan for one, plan in told.items() if "INDEXED BY inbox_groups" in one]
    assert not [step for step in groups if "TEMP B-TREE" in step]
    (woken,) = [plan for one, plan in told.items() if "ORDER BY c.snoozed_until" in one]
    assert [step for step in woken if "inbox_snoozed" in step]
