"""The live bus between processes, and what happens to it when Redis is killed, frozen or forbidding."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from streams.redis import RedisBus
from streams.redis import bus as module
from tests.streams.bus_contract import BusContract
from tests.streams.redis.conftest import until

pytestmark = pytest.mark.services


async def listening(bus, topic):
    """A subscription that Redis has confirmed, the telling about the time before it taken."""
    ear = bus.subscribe(topic)
    await until(lambda: bus.trouble is None)
    while ear._missed:
        assert (await anext(ear)).data is None
    return ear


def published_without_waiting(bus, topic, data):
    """Run the coroutine by hand: it must end before it gives the loop back for the first time."""
    with pytest.raises(StopIteration):
        bus.publish(topic, data).send(None)


class TestRedisBus(BusContract):
    @pytest.fixture
    async def pair(self, bussed):
        return await bussed(self.KEPT), await bussed(self.KEPT)

    async def listen(self, bus, topic):
        return await listening(bus, topic)


async def test_who_subscribes_is_told_to_read_once_everything_will_be_heard(bussed):
    here, there = await bussed(), await bussed()
    ear = here.subscribe("a")
    assert "are being restored" in here.trouble
    first = await anext(ear)
    assert (first.data, first.missed) == (None, 1)
    assert here.trouble is None
    await there.publish("a", b"1")
    assert (await anext(ear)).data == b"1"


async def test_after_a_restart_every_subscriber_is_told_and_news_flows_again(bussed, server):
    here, there = await bussed(), await bussed()
    ears = [await listening(here, "a"), await listening(here, "b"), await listening(there, "a")]
    await server.kill()
    await until(lambda: all("out of reach" in (bus.trouble or "") for bus in (here, there)))
    await server.start()
    for ear in ears:
        told = await anext(ear)
        assert told.data is None
        assert told.missed
    await until(lambda: here.trouble is None and there.trouble is None)
    await there.publish("a", b"again")
    assert [(await anext(ear)).data for ear in (ears[0], ears[2])] == [b"again", b"again"]


async def test_without_redis_publishing_returns_at_once_and_counts_what_is_lost(bussed, server):
    bus = await bussed()
    await server.kill()
    await until(lambda: not bus._link.connected)
    for number in range(5):
        published_without_waiting(bus, "a", {"n": number})
    assert bus.lost == 5
    assert not bus._outbox


async def test_a_frozen_redis_holds_no_publisher_up(bussed, server):
    bus, other = await bussed(), await bussed()
    ear = await listening(other, "a")
    await server.pause()
    for number in range(1000):
        published_without_waiting(bus, "a", str(number).encode() * 100)
    await until(lambda: not bus._link.connected)
    published_without_waiting(bus, "a", b"after the breaker")
    await until(lambda: not bus._outbox)
    assert bus.lost == 1001
    await server.resume()
    told = await anext(ear)
    assert told.data is None or told.missed or told.data == b"0" * 100
    await until(lambda: bus.trouble is None and other.trouble is None)


async def test_what_one_process_dropped_the_others_are_told_of(bussed, monkeypatch):
    here, there = await bussed(), await bussed()
    ear = await listening(there, "a")
    monkeypatch.setattr(module, "MOST_WAITING_BYTES", 1000)
    published_without_waiting(here, "a", b"x" * 2000)
    assert here.lost == 1
    told = await anext(ear)
    assert (told.data, told.missed) == (None, 1)
    published_without_waiting(here, "a", b"y" * 2000)
    published_without_waiting(here, "a", b"small")
    told = await anext(ear)
    assert (told.data, told.missed) == (b"small", 1)


async def test_large_messages_pass(bussed):
    here, there = await bussed(), await bussed()
    ear = await listening(there, "a")
    large = [secrets.token_bytes(3 * 2**20) for _ in range(3)]
    for data in large:
        await here.publish("a", data)
    assert [(await anext(ear)).data for _ in large] == large


async def test_a_connection_that_redis_closes_is_made_anew_and_told(bussed):
    here, there = await bussed(), await bussed()
    ear = await listening(here, "a")
    await there._link.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert (await anext(ear)).missed
    await until(lambda: here.trouble is None and there.trouble is None)
    await there.publish("a", b"1")
    assert (await anext(ear)).data == b"1"


async def test_what_weir_did_not_publish_is_ignored(bussed, caplog):
    here, there = await bussed(), await bussed()
    ear = await listening(here, "a")
    for foreign in (b"", b"hello", b"\x93\x01\x02\x03", b"\xc1"):
        await there._link.client.publish(here._link.channel("a"), foreign)
    await there.publish("a", b"1")
    assert (await anext(ear)).data == b"1"
    assert "did not publish" in caplog.text


async def test_topics_that_nobody_hears_are_not_sent_here(bussed):
    bus = await bussed()
    ear = await listening(bus, "a")
    channel = bus._link.channel("a")

    async def subscribers():
        return (await bus._link.client.pubsub_numsub(channel))[0][1]

    assert await subscribers() == 1
    ear.close()
    while await subscribers():
        pass


@pytest.fixture
async def forbidden(linked, redis_server, prefix):
    """`await forbidden("-publish")` gives a bus whose user may not do that."""
    admin = await linked()
    made = []

    async def make(*rules):
        name = f"user-{prefix}"
        await admin.client.acl_setuser(
            name, enabled=True, passwords=["+pw"], commands=["+@all", *rules], keys=["*"], channels=["*"]
        )
        link = await linked()
        await link.close()
        link = type(link)(redis_server.url.replace("//", f"//{name}:pw@"), prefix=prefix)
        await link.start()
        bus = RedisBus(link)
        await bus.start()
        made.append((name, bus, link))
        return bus

    yield make
    for name, bus, link in made:
        await bus.close()
        await link.close()
        await admin.client.acl_deluser(name)


async def test_a_user_who_may_not_publish_loses_messages_and_nothing_else(forbidden, bussed):
    bus, other = await forbidden("-publish"), await bussed()
    ear = await listening(bus, "a")
    await bus.publish("a", b"1")
    await until(lambda: bus.lost)
    await other.publish("a", b"2")
    assert (await anext(ear)).data == b"2"
    assert bus._link.connected


async def test_a_user_who_may_not_subscribe_is_told_so(forbidden):
    bus = await forbidden("-subscribe")
    await until(lambda: bus.trouble and "lets nobody subscribe" in bus.trouble)
    assert bus._link.connected


async def test_what_waits_is_sent_before_the_end(bussed):
    here, there = await bussed(), await bussed()
    ear = await listening(there, "a")
    for number in range(20):
        published_without_waiting(here, "a", str(number).encode())
    await here.close()
    assert [int((await anext(ear)).data) for _ in range(20)] == list(range(20))
    assert here.lost == 0


async def test_a_bus_can_be_closed_at_any_moment(linked):
    link = await linked()
    for steps in range(60):
        bus = RedisBus(link)
        await bus.start()
        bus.subscribe("a")
        await bus.publish("a", b"1")
        for _ in range(steps):
            await asyncio.sleep(0)
        await bus.close()
