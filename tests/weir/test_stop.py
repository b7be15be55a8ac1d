"""A process that is told to stop before it has started stops all the same."""

import asyncio

from weir.config import Config
from weir.wiring import opened


async def test_what_was_never_started_stops(data_dir):
    async with opened(Config(data_dir=str(data_dir), partitions=2)) as weir:
        await weir.stop()
        assert not weir.vitals.accepting


async def test_a_start_that_is_broken_off_stops(data_dir):
    async with opened(Config(data_dir=str(data_dir), partitions=2)) as weir:
        starting = asyncio.create_task(weir.start())
        while not weir.thresholds.current() or not asyncio.all_tasks() - {asyncio.current_task(), starting}:  # noqa: ASYNC110 # until it is under way
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await weir.stop()
        assert not weir.vitals.accepting
