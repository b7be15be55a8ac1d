"""What every presence does; `presence` is one of 1.5 s for viewing, 0.5 s for typing, three sessions a room."""

from __future__ import annotations

import asyncio

from streams.coordination.presence import Present
from tests.streams.redis.conftest import until_it

VIEWING_MS, TYPING_MS, MOST = 1500, 500, 3
ANN = Present(session="s1", who="Ann 王")
BOB = Present(session="s2", who="Bob")


async def empty(presence):
    return not await presence.present("room")


async def nobody_types(presence):
    return not any(one.typing for one in await presence.present("room"))


class PresenceContract:
    async def test_who_was_seen_is_there_by_name(self, presence):
        await presence.seen("room", "s2", "Bob")
        await presence.seen("room", "s1", "Ann 王")
        assert await presence.present("room") == [ANN, BOB]
        assert await presence.present("another") == []

    async def test_one_person_with_two_screens_is_there_twice(self, presence):
        await presence.seen("room", "s2", "Ann")
        await presence.seen("room", "s1", "Ann")
        assert [one.session for one in await presence.present("room")] == ["s1", "s2"]

    async def test_being_seen_again_changes_nothing_but_the_time(self, presence):
        for _ in range(3):
            await presence.seen("room", "s2", "Bob")
        assert await presence.present("room") == [BOB]

    async def test_who_left_is_gone_at_once(self, presence):
        await presence.seen("room", "s1", "Ann 王")
        await presence.seen("room", "s2", "Bob")
        await presence.left("room", "s1")
        await presence.left("room", "never there")
        assert await presence.present("room") == [BOB]

    async def test_who_is_not_seen_again_is_forgotten(self, presence):
        await presence.seen("room", "s1", "Ann 王")
        await until_it(lambda: empty(presence))

    async def test_typing_ends_before_viewing_does(self, presence):
        await presence.seen("room", "s1", "Ann 王", typing=True)
        assert [one.typing for one in await presence.present("room")] == [True]
        await until_it(lambda: nobody_types(presence))
        assert await presence.present("room") == [ANN]

    async def test_who_is_seen_without_typing_types_no_more(self, presence):
        await presence.seen("room", "s1", "Ann 王", typing=True)
        await presence.seen("room", "s1", "Ann 王")
        assert await presence.present("room") == [ANN]

    async def test_a_room_holds_so_many_and_the_one_seen_longest_ago_gives_way(self, presence):
        for number in range(MOST + 1):
            await presence.seen("room", f"s{number}", "Ann")
            await asyncio.sleep(0.002)  # a millisecond apart: who came first must be plain
        assert [one.session for one in await presence.present("room")] == ["s1", "s2", "s3"]

    async def test_names_may_hold_anything(self, presence):
        who = 'a "b"\n\t1 2 \x00 😀'
        await presence.seen("room\n", "s 1", who)
        assert await presence.present("room\n") == [Present(session="s 1", who=who)]
