"""The inbox over HTTP: who sees what, who has what, and what is told of it."""

import asyncio

import pytest

from actors.effects import ConversationChanged, SlaChanged
from actors.events import Action
from services.inbox.desk import READ_EVERY_MS
from storage.inbox_records import DeskChange
from storage.records import AuditRow
from tests.api.people import People
from tests.storage.flushes import NOW, Flushes, clock, stored

INBOX = "/api/v1/inbox"
KEY = "shopee/shop/c1"
PATH = f"/api/v1/conversations/{KEY}"
FUTURE = "2099-01-01T00:00:00Z"


@pytest.fixture
async def people(app, services):
    made = People(app, services)
    yield made
    await made.close()


@pytest.fixture
async def save(store):
    return Flushes(store)


async def team(people, name, members=(), channels=(), **more):
    """A team of people who exist already."""
    admin = people.admin = getattr(people, "admin", None) or await people.client("root", "admin")
    body = {"name": name, "members": list(members), "channels": list(channels), **more}
    answer = await admin.post("/api/v1/teams", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def names(answer):
    assert answer.status_code == 200, answer.text
    return [row["conversation"] for row in answer.json()["items"]]


async def test_the_list_is_a_window_with_its_length_and_the_counts_of_every_tab(admin, save):
    await save(*[stored("m1", f"c{n}", at=NOW + n) for n in range(5)], SlaChanged(KEY, clock(warned_at=NOW)))
    answer = await admin.get(INBOX, params={"offset": 1, "limit": 2})
    assert names(answer) == ["c0", "c2"]
    told = answer.json()
    assert (told["total"], told["offset"]) == (5, 1)
    assert told["counts"] == {
        "mine": 0, "team": 0, "unassigned": 5, "at_risk": 1, "all": 5, "snoozed": 0, "sensitive": 0,
    }  # fmt: skip
    assert (await admin.get(f"{INBOX}/counts")).json() == told["counts"]
    assert names(await admin.get(INBOX, params={"tab": "at_risk"})) == ["c1"]
    filtered = await admin.get(INBOX, params={"sla": "at_risk", "limit": 1})
    assert (names(filtered), filtered.json()["total"]) == (["c1"], 1)


@pytest.mark.parametrize("wrong", [{"tab": "x"}, {"sort": "x"}, {"limit": 201}, {"offset": -1}, {"vip": "maybe"}])
async def test_a_window_that_is_none_is_refused(admin, wrong):
    assert (await admin.get(INBOX, params=wrong)).status_code == 422


async def test_rows_come_in_the_order_asked_for_and_only_those_one_may_see(people, save):
    await save(stored("m1", "c1"), stored("m1", "c2"), stored("m1", "c3", platform="ebay"))
    ann, bob = await people.client("ann"), await people.client("bob")
    await team(people, "Asia", ["ann"], ["shopee/*"])
    await team(people, "Europe", ["bob"], ["ebay/shop"])
    keys = ["ebay/shop/c3", "shopee/shop/c2", "x/y/z", "shopee/shop/c1"]
    assert names(await ann.post(f"{INBOX}/rows", json={"keys": keys})) == ["c2", "c1"]
    assert names(await bob.post(f"{INBOX}/rows", json={"keys": keys})) == ["c3"]
    assert (await ann.post(f"{INBOX}/rows", json={"keys": ["k"] * 501})).status_code == 422


async def test_what_one_may_not_see_is_not_there_wherever_one_asks(people, save):
    await save(stored("m1", "c1", text="secret"))
    stranger = await people.client("bob")
    await people.client("ann")
    await team(people, "Asia", ["ann"], ["shopee/shop"])
    await team(people, "Europe", ["bob"], ["ebay/*"])
    assert names(await stranger.get("/api/v1/conversations")) == []
    assert names(await stranger.get("/api/v1/conversations", params={"q": "secret"})) == []
    assert names(await stranger.get(INBOX)) == []
    assert (await stranger.get("/api/v1/search/messages", params={"q": "secret"})).json()["items"] == []
    palette = (await stranger.get("/api/v1/search", params={"q": "secret"})).json()
    assert [palette[kind] for kind in ("conversations", "contacts", "messages")] == [[], [], []]
    assert (await stranger.get("/api/v1/messages", params={"message": "m1"})).json()["items"] == []
    for method, path, body in (
        ("GET", PATH, None),
        ("GET", f"{PATH}/messages", None),
        ("GET", f"{PATH}/identities", None),
        ("GET", f"{PATH}/copies", None),
        ("GET", f"/api/v1/messages/{KEY}/m1/trace", None),
        ("GET", f"{PATH}/messages/m1/attachments/a1", None),
        ("POST", f"{PATH}/messages/m1/attachments/a1/refetch", None),
        ("POST", f"{PATH}/claim", {}),
        ("POST", f"{PATH}/assign", {"assignee": "bob"}),
        ("POST", f"{PATH}/status", {"status": "closed"}),
        ("POST", f"{PATH}/archive", {}),
        ("POST", f"{PATH}/opened", None),
        ("POST", f"{PATH}/messages", {"text": "hello"}),
    ):
        answer = await stranger.request(method, path, json=body, headers={"Idempotency-Key": "k1"})
        assert answer.status_code == 404, (method, path, answer.text)


async def test_a_change_of_team_holds_at_the_next_action_without_logging_in_again(people, save):
    await save(stored("m1"))
    bob = await people.client("bob")
    await people.client("ann")
    asia = await team(people, "Asia", ["ann"], ["shopee/shop"])
    assert (await bob.post(f"{PATH}/claim", json={})).status_code == 404
    await people.admin.put(f"/api/v1/teams/{asia['id']}", json={"members": ["ann", "bob"]})
    assert (await bob.post(f"{PATH}/claim", json={})).status_code == 200
    await people.admin.post(f"{PATH}/assign", json={"assignee": None})
    await people.admin.put(f"/api/v1/teams/{asia['id']}", json={"members": ["ann"]})
    assert (await bob.post(f"{PATH}/archive", json={})).status_code == 404
    assert (await bob.get(PATH)).status_code == 404


async def test_another_role_holds_at_the_next_action_without_logging_in_again(people, save):
    await save(stored("m1"))
    bob, root = await people.client("bob"), await people.client("root", "admin")
    assert (await bob.post(f"{PATH}/claim", json={})).status_code == 200
    assert (await root.patch("/api/v1/users/bob", json={"role": "viewer"})).status_code == 200
    answer = await bob.post(f"{PATH}/archive", json={})
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "assign needs the role admin or supervisor or agent or after_sales; bob has viewer",
    )
    assert (await bob.get(PATH)).status_code == 200


async def test_whoever_takes_it_has_it_and_the_next_one_is_told_who_and_since_when(people, save, store):
    await save(stored("m1"))
    ann, bob = await people.client("ann"), await people.client("bob")
    row = (await ann.post(f"{PATH}/claim", json={"version": 0})).json()
    assert (row["assignee"], row["desk_version"], row["automatic"]) == ("ann", 1, False)
    lost = await bob.post(f"{PATH}/claim", json={"version": 0})
    told = lost.json()
    assert (lost.status_code, told["assignee"], told["assigned_at"]) == (409, "ann", row["assigned_at"])
    assert told["row"]["assignee"] == "ann"
    assert (await ann.post(f"{PATH}/claim", json={})).json()["desk_version"] == 1
    assert [row.what for row in (await store.audit(5, subject=KEY)).items] == ["conversation.claimed"]


async def test_only_somebody_who_may_answer_it_can_have_it(services, people, save):
    await save(stored("m1"))
    ann = await people.client("ann")
    for name, role in (("bob", "agent"), ("fay", "finance"), ("gone", "agent"), ("sue", "supervisor")):
        await people.client(name, role)
    await services.accounts.change("gone", who="test", disabled=True)
    asia = await team(people, "Asia", ["ann", "sue", "gone", "fay"], ["shopee/shop"])
    europe = await team(people, "Europe", ["bob"], ["ebay/shop"])
    for name, why in (
        ("bob", "belongs to none of the teams"), ("fay", "role finance"), ("gone", "active"), ("nobody", "active"),
    ):  # fmt: skip
        refused = await ann.post(f"{PATH}/assign", json={"assignee": name})
        assert refused.status_code == 422
        assert why in refused.json()["detail"]
    assert (await ann.post(f"{PATH}/assign", json={"team": "nope"})).status_code == 422
    assert (await ann.post(f"{PATH}/assign", json={})).status_code == 422
    given = (await ann.post(f"{PATH}/assign", json={"assignee": "sue"})).json()
    assert (given["assignee"], given["team"]) == ("sue", None)
    moved = (await people.admin.post(f"{PATH}/assign", json={"team": europe["id"]})).json()
    assert (moved["assignee"], moved["team"]) == (None, europe["id"])
    both = (await people.admin.post(f"{PATH}/assign", json={"assignee": "ann", "team": asia["id"]})).json()
    assert (both["assignee"], both["team"]) == ("ann", asia["id"])


async def test_an_assignment_on_what_has_changed_since_is_a_conflict(admin, people, save):
    await save(stored("m1"))
    await people.client("ann")
    await people.client("bob")
    assert (await admin.post(f"{PATH}/assign", json={"assignee": "ann", "version": 0})).status_code == 200
    late = await admin.post(f"{PATH}/assign", json={"assignee": "bob", "version": 0})
    assert (late.status_code, late.json()["assignee"]) == (409, "ann")
    assert (await admin.post(f"{PATH}/assign", json={"assignee": "bob", "version": 1})).json()["assignee"] == "bob"


async def test_a_person_beats_a_rule_that_was_faster(services, people, save, store):
    await save(stored("m1"))
    ann = await people.client("ann")
    await people.client("bob")
    row = await store.conversation(KEY)
    given = await services.desk.automatically(row, assignee="bob", rule="test")
    assert (given.assignee, given.automatic) == ("bob", True)
    assert (await ann.post(f"{PATH}/claim", json={"version": 1})).status_code == 409
    assert (await ann.post(f"{PATH}/claim", json={"version": 0})).json()["assignee"] == "ann"
    assert await services.desk.automatically(given, assignee="bob", rule="test") is None
    assert await services.desk.automatically(row, assignee="bob", rule="test") is None


async def test_closing_and_reopening_go_through_the_log(people, save, logged, store):
    await save(stored("m1"), SlaChanged(KEY, clock()))
    ann = await people.client("ann")
    closed = (await ann.post(f"{PATH}/status", json={"status": "closed"})).json()
    assert (closed["status"], closed["sla"]) == ("closed", None)
    await save(ConversationChanged(KEY, "closed", NOW + 5))
    again = await ann.post(f"{PATH}/status", json={"status": "closed"})
    assert again.json()["status"] == "closed"
    assert (await ann.post(f"{PATH}/status", json={"status": "open"})).json()["status"] == "open"
    told = [(entry.what, entry.agent) for entry in await logged() if isinstance(entry, Action)]
    assert told == [("closed", "ann"), ("reopened", "ann")]
    noted = [row.what for row in (await store.audit(5, subject=KEY)).items]
    assert noted == ["conversation.reopened", "conversation.closed"]


async def test_a_snoozed_conversation_is_out_of_the_way_until_its_time_or_until_it_is_opened(people, save):
    await save(stored("m1"))
    ann = await people.client("ann")
    for wrong in ({}, {"until": 5}, {"until": "2999-01-01T00:00:00Z"}, {"until": "soon"}):
        assert (await ann.post(f"{PATH}/status", json={"status": "snoozed", **wrong})).status_code == 422
    in_an_hour = {"status": "snoozed", "until": FUTURE.replace("2099", "2027")}
    row = (await ann.post(f"{PATH}/status", json=in_an_hour)).json()
    assert row["snoozed_until"] == "2027-01-01T00:00:00.000Z"
    assert (names(await ann.get(INBOX)), names(await ann.get(INBOX, params={"tab": "snoozed"}))) == ([], ["c1"])
    assert (await ann.post(f"{PATH}/status", json={"status": "open"})).json()["snoozed_until"] is None
    assert names(await ann.get(INBOX)) == ["c1"]
    assert (await ann.post(f"{PATH}/status", json={"status": "asleep"})).status_code == 422


async def test_an_archived_conversation_is_found_in_the_archive(people, save):
    await save(stored("m1"))
    ann = await people.client("ann")
    assert (await ann.post(f"{PATH}/archive", json={"archived": True})).json()["archived"] is True
    assert (names(await ann.get(INBOX)), names(await ann.get(INBOX, params={"tab": "archived"}))) == ([], ["c1"])
    assert (await ann.post(f"{PATH}/archive", json={"archived": False})).json()["archived"] is False
    assert names(await ann.get(INBOX)) == ["c1"]


async def test_every_reading_is_noted_once_in_ten_minutes_and_counts_as_read_by_who_may_answer(
    services, people, save, logged, store, monkeypatch
):
    await save(stored("m1"))
    ann, ivy = await people.client("ann"), await people.client("ivy", "viewer")
    assert (await ivy.post(f"{PATH}/opened")).json()["unread"] == 1
    for _ in range(3):
        assert (await ann.post(f"{PATH}/opened")).json()["unread"] == 0
    assert [entry.agent for entry in await logged() if isinstance(entry, Action)] == ["ann"] * 3
    noted = [(row.who, row.what) for row in (await store.audit(9, subject=KEY)).items]
    assert noted == [("ann", "conversation.read"), ("ivy", "conversation.read")]
    later = services.gateway.now() + READ_EVERY_MS
    monkeypatch.setattr(services.gateway, "now", lambda: later)
    await ann.post(f"{PATH}/opened")
    assert len((await store.audit(9, subject=KEY, who="ann")).items) == 2


async def test_one_thing_is_done_to_many_and_told_one_by_one(people, save, logged):
    await save(*[stored("m1", f"c{n}") for n in range(4)], stored("m1", "x", platform="ebay"))
    ann = await people.client("ann")
    await people.client("bob")
    await team(people, "Asia", ["ann"], ["shopee/*"])
    await team(people, "Europe", ["bob"], ["ebay/*"])
    keys = [f"shopee/shop/c{n}" for n in range(3)] + ["ebay/shop/x", "no/such/key"]

    async def do(**wish):
        answer = await ann.post(f"{INBOX}/bulk", json={"keys": keys, **wish})
        assert answer.status_code == 200, answer.text
        return [one["state"] for one in answer.json()["items"]]

    assert await do(do="assign", assignee="ann") == ["done"] * 3 + ["gone"] * 2
    assert await do(do="assign", assignee="bob") == ["refused"] * 3 + ["gone"] * 2
    assert await do(do="snooze", until="2027-01-01T00:00:00Z") == ["done"] * 3 + ["gone"] * 2
    rows = (await ann.post(f"{INBOX}/rows", json={"keys": keys})).json()["items"]
    assert [row["snoozed_until"] for row in rows] == ["2027-01-01T00:00:00.000Z"] * 3
    assert await do(do="wake") == ["done"] * 3 + ["gone"] * 2
    rows = (await ann.post(f"{INBOX}/rows", json={"keys": keys})).json()["items"]
    assert [row["snoozed_until"] for row in rows] == [None] * 3
    assert await do(do="archive") == ["done"] * 3 + ["gone"] * 2
    assert await do(do="unarchive") == ["done"] * 3 + ["gone"] * 2
    assert await do(do="close") == ["done"] * 3 + ["gone"] * 2
    assert len([entry for entry in await logged() if isinstance(entry, Action)]) == 3
    rows = (await ann.post(f"{INBOX}/rows", json={"keys": keys})).json()["items"]
    assert [row["assignee"] for row in rows] == ["ann"] * 3
    for wrong in (
        {"do": "dance"}, {"do": "assign"}, {"do": "snooze"}, {"do": "label"}, {"do": "close", "keys": []},
        {"do": "close", "keys": ["k"] * 501},
    ):  # fmt: skip
        assert (await ann.post(f"{INBOX}/bulk", json={"keys": keys, **wrong})).status_code == 422


async def test_a_viewer_sees_everything_and_changes_nothing(people, save):
    await save(stored("m1"))
    ivy = await people.client("ivy", "viewer")
    assert names(await ivy.get(INBOX)) == ["c1"]
    for path in ("claim", "assign", "status", "archive"):
        assert (await ivy.post(f"{PATH}/{path}", json={})).status_code == 403
    assert (await ivy.post(f"{INBOX}/bulk", json={"keys": [KEY], "do": "archive"})).status_code == 403
    assert (await ivy.post("/api/v1/teams", json={"name": "Asia"})).status_code == 403


async def test_a_token_counts_as_its_role_without_a_team(people, save, as_role):
    await save(stored("m1"), stored("m1", "free", platform="ebay"))
    await people.client("ann")
    await team(people, "Asia", ["ann"], ["shopee/*"])
    async with await as_role("agent") as program, await as_role("admin") as root:
        assert names(await program.get(INBOX)) == ["free"]
        assert sorted(names(await root.get(INBOX))) == ["c1", "free"]


async def test_a_team_is_made_changed_and_deleted_with_a_row_in_the_log_for_each(people, store):
    await people.client("ann")
    made = await team(people, "Asia", ["ann"], ["shopee/shop", "ebay/*"])
    root = people.admin
    assert (made["members"], made["channels"], made["routing"], made["version"]) == (
        ["ann"], ["shopee/shop", "ebay/*"], False, 1,
    )  # fmt: skip
    path = f"/api/v1/teams/{made['id']}"
    for wrong, status in (
        ({"name": " "}, 422), ({"members": ["nobody"]}, 422), ({"channels": ["shopee"]}, 422),
        ({"channels": ["a/b/c"]}, 422), ({"name": "x" * 61}, 422), ({"version": 7, "name": "Y"}, 409),
        ({"nam": 1}, 422),
    ):  # fmt: skip
        assert (await root.put(path, json=wrong)).status_code == status, wrong
    assert (await root.post("/api/v1/teams", json={"name": "asia"})).status_code == 409
    changed = (await root.put(path, json={"name": "East", "routing": True, "version": 1})).json()
    assert (changed["name"], changed["members"], changed["routing"], changed["version"]) == ("East", ["ann"], True, 2)
    listed = (await root.get("/api/v1/users")).json()["items"]
    assert {row["name"]: row["teams"] for row in listed}["ann"] == [{"id": made["id"], "name": "East"}]
    assert (await root.delete(path)).status_code == 204
    assert (await root.delete(path)).status_code == 404
    assert (await root.put(path, json={"name": "Z"})).status_code == 404
    assert (await root.get("/api/v1/teams")).json()["items"] == []
    rows = (await store.audit(9, subject=f"team {made['id']}")).items
    assert [row.what for row in rows] == ["team.deleted", "team.changed", "team.added"]
    assert (rows[1].before["name"], rows[1].after["name"]) == ("Asia", "East")


async def test_languages_and_capacity_of_a_person_are_kept(people):
    await people.client("ann")
    root = await people.client("root", "admin")
    changed = (await root.patch("/api/v1/users/ann", json={"langs": ["DE", "zh-Hant", "de"], "capacity": 5})).json()
    assert (changed["langs"], changed["capacity"]) == (["de", "zh-hant"], 5)
    for wrong in ({"langs": ["german"]}, {"langs": ["x"]}, {"capacity": -1}, {"capacity": 1001}):
        assert (await root.patch("/api/v1/users/ann", json=wrong)).status_code == 422


async def test_every_process_is_told_of_a_change_of_the_desk(services, save, people):
    await save(stored("m1"))
    ears = services.desk._telling._bus.subscribe("desk")
    ann = await people.client("ann")
    await ann.post(f"{PATH}/claim", json={})
    heard = (await asyncio.wait_for(anext(ears), 5)).data
    assert (heard["key"], heard["what"], heard["who"], heard["assignee"]) == (KEY, "claimed", "ann", "ann")
    ears.close()


async def test_the_counts_of_many_scopes_are_those_of_their_lists(people, save, store):
    places = [("shopee", "a"), ("shopee", "b"), ("ebay", "a"), ("line", "z")]
    effects = [stored("m1", f"c{n}", platform=p, account=a, at=NOW + n) for n, (p, a) in enumerate(places * 6)]
    await save(*effects, SlaChanged("shopee/a/c4", clock(warned_at=NOW)))
    clients = [await people.client(name) for name in ("ann", "bob")] + [await people.client("sue", "supervisor")]
    asia = await team(people, "Asia", ["ann", "sue"], ["shopee/*"])
    await team(people, "Europe", ["bob"], ["ebay/a", "shopee/b"])
    for n, fields in enumerate(({"assignee": "ann"}, {"team": asia["id"]}, {"assignee": "bob"}, {"team": "gone"})):
        for key in [f"{p}/{a}/c{m}" for m, (p, a) in enumerate(places * 6) if m % 5 == n]:
            await store.change_desk(
                key, DeskChange(at=NOW, replaces=0, **fields), AuditRow(at=NOW, who="x", what="x", subject=key)
            )
    await store.change_desk(
        "line/z/c19",
        DeskChange(at=NOW, replaces=0, snoozed_until=4_000_000_000_000),
        AuditRow(at=NOW, who="x", what="x", subject="x"),
    )
    for client in [*clients, people.admin]:
        counts = (await client.get(f"{INBOX}/counts")).json()
        for tab in ("mine", "team", "unassigned", "at_risk", "all", "snoozed"):
            # A filter that all of them fit makes the store count by itself.
            counted = (await client.get(INBOX, params={"tab": tab, "vip": False, "limit": 200})).json()
            assert (tab, counts[tab]) == (tab, counted["total"])
            assert counted["total"] == len(counted["items"])
