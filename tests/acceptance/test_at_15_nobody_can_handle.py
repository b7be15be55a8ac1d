"""AT-15: a channel that nobody can answer is told at the change that causes it, before any message comes."""

import asyncio


async def gaps(client):
    answer = await client.get("/api/v1/coverage")
    assert answer.status_code == 200, answer.text
    return [(gap["platform"], gap["account"], gap["kind"], gap["people"]) for gap in answer.json()["items"]]


async def test_when_the_last_right_goes_it_is_told_at_once_and_what_comes_then_is_seen_as_a_fallback(office):
    ann, sue = await office.client("ann"), await office.client("sue", "supervisor")
    await office.client("bob")
    root = await office.admin()
    mail = await office.team("Mail", ["ann"], ["email/shop"])
    await office.team("Asia", ["bob"], ["shopee/*"])
    assert await gaps(root) == []
    ears = office.weir.services.coverage._bus.subscribe("coverage")

    assert (await root.patch("/api/v1/users/ann", json={"role": "viewer"})).status_code == 200

    assert await gaps(root) == await gaps(sue) == [("email", "shop", "nobody", 0)]
    assert (await ann.get("/api/v1/coverage")).status_code == 403
    await asyncio.wait_for(anext(ears), 5)
    ears.close()
    (noted,) = (await office.store.audit(5, what="coverage.")).items
    assert (noted.who, noted.what, noted.subject) == ("root", "coverage.nobody", "channel email/shop")
    assert (noted.after["people"], noted.after["teams"]) == (0, ["Mail"])

    (key,) = await office.write(1, platform="email")
    unassigned = (await sue.get("/api/v1/inbox", params={"tab": "unassigned"})).json()
    assert [row["key"] for row in unassigned["items"]] == [key]
    assert unassigned["counts"]["unassigned"] == 1

    await root.put(f"/api/v1/teams/{mail['id']}", json={"members": ["ann", "sue"]})
    assert await gaps(root) == []


async def test_two_teams_on_one_channel_are_told_as_double_handling(office):
    await office.client("ann")
    await office.client("bob")
    root = await office.admin()
    await office.team("Day", ["ann"], ["shopee/shop"])
    night = await office.team("Night", ["bob"], ["shopee/shop"])
    assert await gaps(root) == [("shopee", "shop", "several", 2)]
    assert [row.what for row in (await office.store.audit(5, what="coverage.")).items] == ["coverage.several"]
    # Whoever names a channel has it before whoever has the whole platform.
    await root.put(f"/api/v1/teams/{night['id']}", json={"channels": ["shopee/*"]})
    assert await gaps(root) == []


async def test_a_disabled_person_and_a_deleted_team_leave_a_channel_alone_too(office):
    await office.client("ann")
    root = await office.admin()
    await office.team("Asia", ["ann"], ["shopee/shop"])
    other = await office.team("Europe", ["ann"], ["ebay/shop"])
    await office.write(1, platform="ebay")
    await root.patch("/api/v1/users/ann", json={"disabled": True})
    assert await gaps(root) == [("ebay", "shop", "nobody", 0), ("shopee", "shop", "nobody", 0)]
    await root.patch("/api/v1/users/ann", json={"disabled": False})
    await root.delete(f"/api/v1/teams/{other['id']}")
    assert await gaps(root) == [("ebay", "shop", "no_team", 3)]


async def test_without_any_team_everybody_answers_everything(office):
    await office.client("ann")
    await office.write(1)
    assert await gaps(await office.admin()) == []
