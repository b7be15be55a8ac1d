"""What every live bus does, whatever is behind it: inherit from BusContract and say how one is made."""

from __future__ import annotations

import asyncio


class BusContract:
    """`pair` yields two buses that share their topics; they may be the same one. `KEPT` messages wait for the slow."""

    KEPT = 3

    async def listen(self, bus, topic):
        """A subscription that hears everything from now on."""
        return bus.subscribe(topic)

    async def hear(self, subscription, count):
        """The next messages, those that wait for it first."""
        return [await anext(subscription) for _ in range(count)]

    async def test_every_subscriber_of_a_topic_hears_what_is_published(self, pair):
        here, there = pair
        first, second, other = [await self.listen(there, topic) for topic in ("a", "a", "b")]
        await here.publish("a", b"1")
        await here.publish("b", {"n": 2, "deep": [{"text": "你好", "none": None}]})
        assert (await anext(first)).data == (await anext(second)).data == b"1"
        assert (await anext(other)).data == {"n": 2, "deep": [{"text": "你好", "none": None}]}

    async def test_a_publisher_that_listens_hears_itself_once(self, pair):
        here, _ = pair
        ear = await self.listen(here, "a")
        await here.publish("a", b"1")
        await here.publish("a", b"2")
        assert [one.data for one in await self.hear(ear, 2)] == [b"1", b"2"]

    async def test_messages_of_a_publisher_come_in_order(self, pair):
        here, there = pair
        ear = await self.listen(there, "a")
        heard = []
        for start in range(0, 60, self.KEPT):
            for number in range(start, start + self.KEPT):
                await here.publish("a", str(number).encode())
            heard += await self.hear(ear, self.KEPT)
        assert [int(one.data) for one in heard] == list(range(60))
        assert not any(one.missed for one in heard)

    async def test_two_publishers_are_heard_by_one_subscriber(self, pair):
        here, there = pair
        ear = await self.listen(here, "a")
        await here.publish("a", b"from here")
        await there.publish("a", b"from there")
        assert {one.data for one in await self.hear(ear, 2)} == {b"from here", b"from there"}

    async def test_a_slow_subscriber_keeps_the_newest_and_is_told_how_many_it_missed(self, pair):
        here, there = pair
        slow, quick = await self.listen(there, "a"), await self.listen(there, "a")
        for number in range(10):
            await here.publish("a", bytes([number]))
            await anext(quick)
        heard = await self.hear(slow, 3)
        assert [(h.data, h.missed) for h in heard] == [(b"\x07", 7), (b"\x08", 0), (b"\x09", 0)]

    async def test_a_closed_subscription_ends_after_what_it_holds(self, pair):
        here, there = pair
        closed, open_ = await self.listen(there, "a"), await self.listen(there, "a")
        await here.publish("a", b"1")
        await anext(open_)
        closed.close()
        await here.publish("a", b"2")
        await anext(open_)
        assert [published.data async for published in closed] == [b"1"]

    async def test_a_waiting_subscriber_wakes_up_when_closed(self, pair):
        subscription = await self.listen(pair[0], "a")

        async def hear():
            return [published.data async for published in subscription]

        hearing = asyncio.create_task(hear())
        await asyncio.sleep(0)
        subscription.close()
        assert await hearing == []

    async def test_a_topic_that_nobody_hears_any_more_can_be_heard_again(self, pair):
        here, there = pair
        (await self.listen(there, "a")).close()
        again = await self.listen(there, "a")
        await here.publish("a", b"1")
        assert (await anext(again)).data == b"1"

    async def test_a_sound_bus_has_no_trouble(self, pair):
        assert [bus.trouble for bus in pair] == [None, None]
