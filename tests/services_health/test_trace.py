from __future__ import annotations

import pytest

from actors.events import Message, Notification, Receipt, Sender
from services.errors import NotFoundError
from services.health.trace import Trace
from tests.streams.product import Product

KEY = "shopee/shop-sg/c1"
REACHED = ["sent", "received", "logged", "processed", "stored"]


@pytest.fixture
async def product(data_dir):
    """The whole way in, started."""
    opened = await Product(data_dir).start()
    yield opened
    await opened.stop()


def wrote(message, sent_at, **more):
    given = {"direction": "in", "sender": Sender(id="u1", name="Mei")} | more
    return Message(platform="shopee", account="shop-sg", conversation="c1", message=message, sent_at=sent_at, **given)


async def told(product, *events):
    for event in events:
        await product.gateway.submit([event])
    await product.runtime.settled()


def hops(trace):
    return {hop["hop"]: hop for hop in trace["hops"]}


async def test_an_inbound_message_is_told_hop_by_hop(product):
    sent = product.gateway.now() - 1_500
    bell = Notification(
        platform="shopee", account="shop-sg", conversation="c1", message="m1", status="fired", medium="mobile"
    )
    await told(product, wrote("m1", sent, text="在吗", extra={"shop": 7}), bell)
    trace = await Trace(product.store, product.gateway).trace(KEY, "m1")
    way = hops(trace)
    assert list(way) == [*REACHED, "notified", "seen", "answered"]
    times = [way[hop]["at_ms"] for hop in REACHED]
    assert times == sorted(times)
    assert way["notified"]["at_ms"] >= way["received"]["at_ms"]
    assert way["received"]["after_ms"] >= 1_500
    assert way["seen"]["at"] is None
    assert not way["processed"]["exact"]
    assert trace["raw"]["text"] == "在吗"
    assert trace["fields"]["extra"] == {"shop": 7}
    assert trace["fields"]["sender_name"] == "Mei"
    assert trace["log"]["index"] == 0


async def test_an_answer_is_told_up_to_its_delivery(product):
    now = product.gateway.now()
    delivered = Receipt(platform="shopee", account="shop-sg", conversation="c1", message="a1", status="delivered")
    await told(product, wrote("a1", now, direction="out"), delivered)
    way = hops(await Trace(product.store, product.gateway).trace(KEY, "a1"))
    assert list(way)[len(REACHED) :] == ["accepted", "delivered", "read"]
    assert way["delivered"]["at_ms"] >= way["stored"]["at_ms"] - 1_000
    assert way["read"]["at_ms"] is None


async def test_a_message_that_carried_its_own_observed_time_is_found_in_the_log_too(product):
    at = product.gateway.now() - 3_600_000
    await told(product, wrote("old", at - 40_000, at=at))
    trace = await Trace(product.store, product.gateway).trace(KEY, "old")
    assert hops(trace)["logged"]["at_ms"] - at >= 3_600_000
    assert [a["kind"] for a in trace["anomalies"]] == ["delay"]
    assert trace["delay_ms"] == 40_000


async def test_further_deliveries_are_counted_not_shown_as_messages(product):
    sent = product.gateway.now()
    await told(product, wrote("m1", sent), wrote("m1", sent), wrote("m1", sent))
    trace = await Trace(product.store, product.gateway).trace(KEY, "m1")
    assert trace["copies"] == 2
    assert trace["deliveries_complete"]
    assert len({(one["partition"], one["offset"], one["index"]) for one in trace["deliveries"]}) == 3
    assert [one["sender_id"] for one in trace["deliveries"]] == ["u1", "u1", "u1"]
    assert [a["kind"] for a in trace["anomalies"]] == ["duplicate"]


async def test_an_unknown_message_is_not_found(product):
    with pytest.raises(NotFoundError, match="no message 'nobody'"):
        await Trace(product.store, product.gateway).trace(KEY, "nobody")
