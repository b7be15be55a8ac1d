"""Partitions of a process apply one at a time, a run at a stretch; none that waits for the store holds up another."""

import asyncio

from streams.partition import Turn


async def test_whoever_holds_the_turn_keeps_it_over_his_breaths_and_the_others_come_after():
    lock, told = asyncio.Lock(), []

    async def applies(name):
        turn = Turn(lock)
        try:
            for _ in range(3):
                await turn.take()
                told.append(name)
                await asyncio.sleep(0)
        finally:
            turn.give()

    await asyncio.gather(applies("a"), applies("b"))
    assert told == ["a"] * 3 + ["b"] * 3


async def test_whoever_gives_the_turn_away_lets_the_others_pass():
    lock, told, there = asyncio.Lock(), [], asyncio.Event()
    waiting, other = Turn(lock), Turn(lock)

    async def waits():
        await waiting.take()
        waiting.give()
        await there.wait()
        await waiting.take()
        told.append("waited")
        waiting.give()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    await other.take()
    told.append("other")
    there.set()
    await asyncio.sleep(0)
    other.give()
    await task
    assert told == ["other", "waited"]


async def test_one_that_is_cancelled_while_it_waits_takes_nothing_with_it():
    lock = asyncio.Lock()
    holder, waiting = Turn(lock), Turn(lock)
    await holder.take()
    task = asyncio.create_task(waiting.take())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    waiting.give()
    assert lock.locked()
    holder.give()
    assert not lock.locked()
