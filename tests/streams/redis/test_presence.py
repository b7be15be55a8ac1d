"""Presence within one process, and through Redis."""

from __future__ import annotations

import pytest

from streams.coordination import presence as module
from streams.coordination.errors import CoordinationLostError
from streams.coordination.presence import LocalPresence
from streams.redis import RedisPresence
from tests.streams.redis.presence_contract import MOST, TYPING_MS, VIEWING_MS, PresenceContract

BOUNDS = {"viewing_ms": VIEWING_MS, "typing_ms": TYPING_MS, "most": MOST}


class TestLocalPresence(PresenceContract):
    @pytest.fixture
    def presence(self):
        return LocalPresence(**BOUNDS)


@pytest.mark.services
class TestRedisPresence(PresenceContract):
    @pytest.fixture
    async def presence(self, linked):
        return RedisPresence(await linked(), **BOUNDS)


async def test_the_memory_of_rooms_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_ROOMS", 10)
    clock = [0]
    presence = LocalPresence(steady=lambda: clock[0])
    for number in range(100):
        await presence.seen(f"room {number}", "s", "Ann")
    assert len(presence._rooms) == 10
    clock[0] = module.VIEWING_MS + 1
    await presence.seen("one more", "s", "Ann")
    assert list(presence._rooms) == ["one more"]


@pytest.mark.services
async def test_every_process_sees_who_is_there(linked):
    here, there = RedisPresence(await linked()), RedisPresence(await linked())
    await here.seen("room", "s1", "Ann", typing=True)
    await there.seen("room", "s2", "Bob")
    assert [(one.who, one.typing) for one in await there.present("room")] == [("Ann", True), ("Bob", False)]
    await there.left("room", "s1")
    assert [one.who for one in await here.present("room")] == ["Bob"]


@pytest.mark.services
async def test_rooms_leave_nothing_behind_and_are_not_named_in_redis(linked, prefix):
    link = await linked()
    presence = RedisPresence(link, **BOUNDS)
    await presence.seen("whatsapp/shop/+65 9123 4567", "s1", "Ann")
    (key,) = [key async for key in link.client.scan_iter(f"{prefix}:*")]
    assert b"9123" not in key
    assert 0 < await link.client.pttl(key) <= VIEWING_MS


@pytest.mark.services
async def test_without_redis_nobody_knows_who_is_there(linked, server):
    presence = RedisPresence(await linked())
    await presence.seen("room", "s1", "Ann")
    await server.kill()
    with pytest.raises(CoordinationLostError, match="out of reach"):
        await presence.present("room")
    with pytest.raises(CoordinationLostError):
        await presence.seen("room", "s1", "Ann")
