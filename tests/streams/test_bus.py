from __future__ import annotations

import asyncio

from streams.bus import LocalBus


async def test_every_subscriber_of_a_topic_hears_what_is_published():
    bus = LocalBus()
    first, second, other = bus.subscribe("a"), bus.subscribe("a"), bus.subscribe("b")
    await bus.publish("a", b"1")
    await bus.publish("b", {"n": 2})
    assert (await anext(first)).data == (await anext(second)).data == b"1"
    assert (await anext(other)).data == {"n": 2}


async def test_a_slow_subscriber_keeps_the_newest_and_is_told_how_many_it_missed():
    bus = LocalBus(kept=3)
    slow = bus.subscribe("a")
    for n in range(10):
        await bus.publish("a", bytes([n]))
    heard = [await anext(slow) for _ in range(3)]
    assert [(h.data, h.missed) for h in heard] == [(b"\x07", 7), (b"\x08", 0), (b"\x09", 0)]


async def test_a_closed_subscription_ends_after_what_it_holds():
    bus = LocalBus()
    subscription = bus.subscribe("a")
    await bus.publish("a", b"1")
    subscription.close()
    await bus.publish("a", b"2")
    assert [published.data async for published in subscription] == [b"1"]


async def test_a_waiting_subscriber_wakes_up_when_closed():
    bus = LocalBus()
    subscription = bus.subscribe("a")

    async def hear():
        return [published.data async for published in subscription]

    hearing = asyncio.create_task(hear())
    await asyncio.sleep(0)
    subscription.close()
    assert await hearing == []
