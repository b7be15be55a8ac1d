"""Workload and SLA over HTTP: each number is as long as the list behind it, and nobody sees more than he may."""

import pytest

from actors.effects import ConversationChanged, SlaChanged
from api.views import rfc3339
from services.inbox.scope import NO_TEAM
from storage.inbox_records import DeskChange
from storage.records import AuditRow
from tests.api.people import People
from tests.storage.flushes import NOW, Flushes, clock, stored

WORKLOAD = "/api/v1/workload"
INBOX = "/api/v1/inbox"
SHOWN = {
    "open": {},
    "waiting": {"waiting": "true"},
    "at_risk": {"sla": "at_risk"},
    "breached": {"sla": "breached"},
}
HOUR = 3_600_000


@pytest.fixture
async def people(app, services):
    made = People(app, services)
    yield made
    await made.close()


async def team(root, name, members, channels):
    answer = await root.post("/api/v1/teams", json={"name": name, "members": members, "channels": channels})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def give(store, key, **fields):
    note = AuditRow(at=NOW, who="test", what="conversation.assigned", subject=key)
    row = await store.conversation(key)
    assert await store.change_desk(key, DeskChange(at=NOW, replaces=row.desk_version, **fields), note)


@pytest.fixture
async def shop(people, store):
    """Two teams and what neither holds, conversations of every kind among them; the clients by name."""
    clients = {
        name: await people.client(name, role)
        for name, role in (
            ("root", "admin"), ("sue", "supervisor"), ("eva", "supervisor"), ("ann", "agent"), ("bob", "agent"),
            ("vic", "viewer"), ("fay", "finance"),
        )
    }  # fmt: skip
    asia = await team(clients["root"], "Asia", ["sue", "ann"], ["shopee/*"])
    europe = await team(clients["root"], "Europe", ["eva", "bob"], ["ebay/uk"])
    places = [("shopee", "sg"), ("ebay", "uk"), ("ebay", "de"), ("line", "x")]
    effects = []
    for number in range(40):
        platform, account = places[number % 4]
        name = f"c{number}"
        key = f"{platform}/{account}/{name}"
        fields = {"platform": platform, "account": account, "direction": "out" if number % 3 == 0 else "in"}
        effects.append(stored("m1", name, **fields))
        if number % 5 == 1:
            effects.append(SlaChanged(key, clock(warned_at=NOW, due_at=NOW + number)))
        if number % 5 == 2:
            effects.append(SlaChanged(key, clock(breached_at=NOW, due_at=NOW - number)))
        if number % 11 == 10:
            effects.append(ConversationChanged(key, "closed", NOW + 1))
    await Flushes(store)(*effects)
    for number in range(40):
        platform, account = places[number % 4]
        key = f"{platform}/{account}/c{number}"
        match number % 7:
            case 1:
                await give(store, key, assignee="ann")
            case 2:
                await give(store, key, assignee="bob", team=europe)
            case 3:
                await give(store, key, team=asia)
            case 4:
                await give(store, key, snoozed_until=NOW * 2)
            case 5:
                await give(store, key, assignee="sue", team="gone")
            case _:
                pass
    return clients | {"asia": asia, "europe": europe}


async def board(client):
    answer = await client.get(WORKLOAD)
    assert answer.status_code == 200, answer.text
    return answer.json()


def links(told):
    """Every count of open conversations, with the address of the list behind it."""
    yield told["total"]["now"], {}
    yield told["unassigned"], {"tab": "unassigned"}
    for one in told["teams"]:
        yield one["figures"]["now"], {"team": one["id"]}
        for person in one["people"]:
            whose = {"tab": "unassigned"} if person["name"] is None else {"assignee": person["name"]}
            yield person["figures"]["now"], {"team": one["id"], **whose}
    for one in told["platforms"]:
        yield one["figures"]["now"], {"platform": one["platform"]}


@pytest.mark.parametrize("who", ["root", "sue", "eva"])
async def test_every_number_is_as_long_as_the_list_behind_it(shop, who):
    told = await board(shop[who])
    looked = 0
    for now, where in links(told):
        for name, more in SHOWN.items():
            found = (await shop[who].get(INBOX, params={"limit": 200, **where, **more})).json()
            assert (len(found["items"]), found["total"]) == (now[name], now[name]), (where, name)
            looked += bool(now[name])
            if name == "waiting" and now["due_at"] is not None:
                assert found["items"][0]["sla_due_at"] == rfc3339(now["due_at"]), where
    assert looked > 20
    assert told["total"]["now"]["due_at"] is not None


async def test_teams_come_by_name_with_their_members_and_nobody_first(shop):
    told = await board(shop["root"])
    assert [one["name"] for one in told["teams"]] == ["Asia", "Europe", None]
    asia, europe, none = told["teams"]
    assert [one["name"] for one in asia["people"]] == [None, "ann", "sue"]
    assert {"eva", "bob"} <= {one["name"] for one in europe["people"]}
    assert none["id"] == NO_TEAM
    # Each conversation is held by one team here: the parts are the whole.
    for name in SHOWN:
        assert sum(one["figures"]["now"][name] for one in told["teams"]) == told["total"]["now"][name]
        for one in told["teams"]:
            parts = [person["figures"]["now"][name] for person in one["people"]]
            assert sum(parts) == one["figures"]["now"][name]
        by_platform = [one["figures"]["now"][name] for one in told["platforms"]]
        assert sum(by_platform) == told["total"]["now"][name]


async def test_a_supervisor_sees_own_teams_and_what_no_team_holds(shop):
    told = await board(shop["sue"])
    assert [(one["name"], one["partial"]) for one in told["teams"]] == [("Asia", False), (None, False)]
    total = (await board(shop["root"]))["total"]["now"]["open"]
    assert 0 < told["total"]["now"]["open"] < total


async def test_only_supervisors_and_admins_see_it(shop):
    for name in ("ann", "vic", "fay"):
        answer = await shop[name].get(WORKLOAD)
        assert answer.status_code == 403
        assert "view_workload needs the role admin or supervisor" in answer.json()["detail"]


async def test_a_change_of_rights_or_teams_holds_at_once(shop):
    assert [one["name"] for one in (await board(shop["sue"]))["teams"]][:1] == ["Asia"]
    answer = await shop["root"].put(f"/api/v1/teams/{shop['asia']}", json={"members": ["ann"]})
    assert answer.status_code == 200
    names = [one["name"] for one in (await board(shop["sue"]))["teams"]]
    assert "Asia" not in names
    assert (await shop["root"].patch("/api/v1/users/sue", json={"role": "agent"})).status_code == 200
    assert (await shop["sue"].get(WORKLOAD)).status_code == 403


async def test_without_teams_everybody_who_may_answer_is_in_the_list(people, store):
    root = await people.client("root", "admin")
    await people.client("ann")
    await people.client("vic", "viewer")
    await Flushes(store)(stored("m1"))
    (only,) = (await board(root))["teams"]
    assert (only["id"], [one["name"] for one in only["people"]]) == (NO_TEAM, [None, "ann", "root"])
    assert only["figures"]["now"]["open"] == 1


async def test_who_has_an_inbox_open_is_online_and_who_may_not_answer_is_told(shop, services):
    await services.workload._online._presence.seen("agents", "s1", "ann")
    await shop["root"].patch("/api/v1/users/bob", json={"disabled": True})
    told = await board(shop["root"])
    people = {one["name"]: one for group in told["teams"] for one in group["people"] if one["name"]}
    assert (people["ann"]["online"], people["sue"]["online"]) == (True, False)
    assert (people["ann"]["active"], people["bob"]["active"]) == (True, False)


def ended(key, ordinal, start, **fields):
    fields = {"kind": "next_response", "started_at": start, "due_at": start + HOUR, "stopped": True} | fields
    return SlaChanged(key, clock(ordinal, **fields))


async def test_clocks_that_ended_are_told_of_the_day_and_the_week(people, store, services):
    root = await people.client("root", "admin")
    now = services.gateway.now()
    key = "shopee/shop/c1"
    hours = now - 5 * HOUR
    days = now - 70 * HOUR
    await Flushes(store)(
        stored("m1"), stored("m1", "c2", platform="ebay"),
        ended(key, 0, hours, kind="first_response", answered_at=hours + HOUR // 2),
        ended(key, 1, hours, kind="resolution", answered_at=hours + HOUR // 2),
        ended(key, 2, hours, answered_at=hours + HOUR // 4),
        ended(key, 3, hours, answered_at=hours + 3 * HOUR, breached_at=hours + HOUR),
        ended(key, 4, days, answered_at=days + HOUR // 8),
        ended(key, 5, now - 200 * HOUR, answered_at=now - 199 * HOUR),
        ended("ebay/shop/c2", 0, hours, kind="first_response", breached_at=hours + HOUR),
        ended("ebay/shop/c2", 1, hours),
    )  # fmt: skip
    await give(store, key, assignee="root")
    told = await board(root)
    day = {"in_time": 2, "late": 1, "unanswered": 1, "first_ms": HOUR // 2, "next_ms": (HOUR // 4 + 3 * HOUR) // 2}
    assert told["total"]["day"] == day
    assert told["total"]["week"] == day | {"in_time": 3, "next_ms": HOUR // 4}
    ebay, shopee = told["platforms"]
    assert (ebay["figures"]["day"]["unanswered"], shopee["figures"]["day"]["unanswered"]) == (1, 0)
    (only,) = told["teams"]
    mine = next(one for one in only["people"] if one["name"] == "root")
    assert mine["figures"]["day"] == day | {"unanswered": 0}
    assert told["at"] - told["week_since"] >= 7 * 24 * HOUR
