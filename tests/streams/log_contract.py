"""What every log has to hold, asked of its gateway: the embedded one and Kafka pass the same tests.

A test file inherits `LogContract` and has fixtures `gateway` (four partitions, empty) and `commit` (of offsets, as the
processing group).
"""

from __future__ import annotations

import asyncio

import pytest

from actors.errors import RejectedError
from actors.events import Clock, Rejected
from actors.keys import partition_of
from streams.frames import decode_frame
from streams.framing import FRAME_BYTES, FRAME_EVENTS

PARTITIONS = 4
HERE = partition_of("ebay", "shop", PARTITIONS)


async def records(gateway, partition=HERE, **where):
    return [record async for record in gateway.records(partition, **where)]


async def entries(gateway, partition=HERE):
    return [entry for record in await records(gateway, partition) for entry in decode_frame(record.data).entries]


class LogContract:
    async def test_what_was_submitted_is_in_the_log_when_submit_returns(self, gateway, message):
        await gateway.submit([message(1)])
        [entry] = await entries(gateway)
        assert entry.message == "m1"

    async def test_an_event_without_observed_time_gets_the_gateways(self, gateway, message):
        before = gateway.now()
        await gateway.submit([message(1), message(2, at=77)])
        first, second = await entries(gateway)
        assert before <= first.at <= gateway.now()
        assert second.at == 77

    async def test_a_channel_keeps_the_order_of_submission(self, gateway, message):
        await asyncio.gather(*(gateway.submit([message(n), message(n + 1)]) for n in range(0, 2000, 2)))
        assert [entry.message for entry in await entries(gateway)] == [f"m{n}" for n in range(2000)]

    async def test_frames_are_bounded_in_events_and_bytes(self, gateway, message):
        await gateway.submit([message(n) for n in range(FRAME_EVENTS + 1)])
        await gateway.submit([message(n, text="x" * 1000) for n in range(FRAME_EVENTS)])
        frames = [record.data for record in await records(gateway)]
        sizes = [len(decode_frame(data).entries) for data in frames]
        assert max(sizes) == FRAME_EVENTS
        assert sum(sizes) == 2 * FRAME_EVENTS + 1
        assert max(len(data) for data in frames) < FRAME_BYTES + 2000

    async def test_one_event_as_big_as_the_wire_allows_is_taken(self, gateway, message):
        await gateway.submit([message(1), message(2, text="x" * 1_000_000), message(3)])
        assert [entry.message for entry in await entries(gateway)] == ["m1", "m2", "m3"]

    async def test_time_passes_in_every_partition_and_what_has_no_channel_goes_to_the_first(self, gateway):
        await gateway.submit([Clock(), Rejected(at=1, reason="unreadable", raw=b"?")])
        kinds = [[type(entry).__name__ for entry in await entries(gateway, number)] for number in range(PARTITIONS)]
        assert kinds == [["Clock", "Rejected"], ["Clock"], ["Clock"], ["Clock"]]

    async def test_one_entry_the_log_cannot_hold_refuses_the_whole_call(self, gateway, message):
        with pytest.raises(RejectedError):
            await gateway.submit([message(1), Rejected(at=2**70, reason="impossible time", raw=b"")])
        assert [await records(gateway, number) for number in range(PARTITIONS)] == [[], [], [], []]
        assert gateway.waiting_events == 0

    async def test_offsets_follow_each_other_and_walls_are_those_of_acceptance(self, gateway, message):
        before = gateway.now()
        for number in range(5):
            await gateway.submit([message(number)])
        found = await records(gateway)
        assert [record.offset for record in found] == [0, 1, 2, 3, 4]
        walls = [record.wall for record in found]
        assert walls == sorted(walls)
        assert before <= walls[0] <= walls[-1] <= gateway.now()
        assert [decode_frame(record.data).wall for record in found] == walls

    async def test_positions_tell_where_a_partition_starts_ends_and_is_processed(self, gateway, commit, message):
        await gateway.submit([message(1)])
        await gateway.submit([message(2)])
        await commit({HERE: 1})
        places = {p.partition: (p.start, p.end, p.committed) for p in await gateway.positions()}
        assert places == {number: (0, 2, 1) if number == HERE else (0, 0, 0) for number in range(PARTITIONS)}

    async def test_the_oldest_unprocessed_record_tells_since_when_work_waits(self, gateway, commit, message):
        assert await gateway.waiting_since() is None
        await gateway.submit([message(1)])
        await gateway.submit([message(2)])
        first, second = await records(gateway)
        assert await gateway.waiting_since() == first.wall
        await commit({HERE: 1})
        assert await gateway.waiting_since() == second.wall
        await commit({HERE: 2})
        assert await gateway.waiting_since() is None

    async def test_records_are_found_by_place_and_by_the_time_they_were_accepted(self, gateway, message):
        for number in range(6):
            await gateway.submit([message(number)])
            await asyncio.sleep(0.003)
        walls = [record.wall for record in await records(gateway)]

        async def places(**where):
            return [record.offset for record in await records(gateway, **where)]

        assert await places(offset=4) == [4, 5]
        assert await places(since=walls[2]) == [n for n in range(6) if walls[n] >= walls[2]]
        assert await places(since=walls[1], until=walls[3]) == [n for n in range(6) if walls[1] <= walls[n] < walls[3]]
        assert await places(since=walls[5] + 1) == []
        assert await places(until=walls[0]) == []
        assert await places(offset=100) == []

    async def test_several_may_read_at_the_same_time_and_stop_when_they_like(self, gateway, message):
        await gateway.submit([message(n) for n in range(3000)])

        async def first_one():
            found = gateway.records(HERE)
            offset = (await anext(found)).offset
            await found.aclose()
            return offset

        assert await asyncio.gather(*(first_one() for _ in range(6))) == [0] * 6
        assert len(await entries(gateway)) == 3000
