"""AT-46: what comes while nobody is there waits in its order, and is given out when somebody comes."""

import asyncio

from services.inbox.online import ROOM

ALL = 60


async def here(office, name):
    await office.weir.presence.seen(ROOM, f"screen of {name}", name)


async def gone(office, name):
    await office.weir.presence.left(ROOM, f"screen of {name}")


async def has(office, name, count):
    """Wait until somebody has so many; the keys."""
    async with asyncio.timeout(60):
        while True:
            rows, _ = await office.store.inbox(office.mine(name), 0, 200)
            if len(rows) >= count:
                return [row.key for row in rows]
            await asyncio.sleep(0.05)


async def staffed(office, **people):
    for name, capacity in people.items():
        await office.client(name, capacity=capacity)
    return await office.team("Asia", list(people), ["shopee/*"], routing=True)


async def test_nobody_who_is_absent_is_given_anything_and_who_comes_gets_as_much_as_she_can_take(office):
    await staffed(office, ann=20, bob=25)
    keys = await office.write(ALL)
    routing = office.weir.services.desk_duty  # the duty runs by itself: nothing is called here
    assert routing is not None
    await here(office, "ann")
    assert await has(office, "ann", 20) == keys[:20]
    rows = await office.rows(keys)
    assert [row.assignee for row in rows] == ["ann"] * 20 + [None] * 40
    await here(office, "bob")
    assert await has(office, "bob", 25) == keys[20:45]
    rows = await office.rows(keys)
    assert [row.assignee for row in rows[45:]] == [None] * 15
    assert all(row.automatic for row in rows[:45])


async def test_who_had_it_last_gets_it_again_unless_she_is_not_there(office):
    team = await staffed(office, ann=50, bob=50)
    root = await office.admin()
    await root.put(f"/api/v1/teams/{team['id']}", json={"routing": False})
    keys = await office.write(4)
    for key in keys:
        await root.post(f"/api/v1/conversations/{key}/assign", json={"assignee": "ann"})
        await root.post(f"/api/v1/conversations/{key}/assign", json={"assignee": None})
    await here(office, "bob")
    await here(office, "ann")
    await root.put(f"/api/v1/teams/{team['id']}", json={"routing": True})
    assert await has(office, "ann", 4) == keys
    await gone(office, "ann")
    await root.put(f"/api/v1/teams/{team['id']}", json={"routing": False})
    for key in keys:
        await root.post(f"/api/v1/conversations/{key}/assign", json={"assignee": None})
    await root.put(f"/api/v1/teams/{team['id']}", json={"routing": True})
    assert await has(office, "bob", 4) == keys


async def test_without_the_switch_nothing_is_given_out(office):
    await office.client("ann")
    await office.client("zoe")
    await office.team("Asia", ["ann"], ["shopee/*"])
    other = await office.team("Europe", ["zoe"], ["ebay/*"], routing=True)
    keys = await office.write(5)
    theirs = await office.write(1, platform="ebay")
    await here(office, "ann")
    await here(office, "zoe")
    assert await has(office, "zoe", 1) == theirs
    assert [row.assignee for row in await office.rows(keys)] == [None] * 5
    assert other["routing"] is True
