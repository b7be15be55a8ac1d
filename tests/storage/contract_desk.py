"""The inbox's part of the storage port: the desk of a conversation, the list in its order, who sees what, teams."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest

from actors.effects import ConversationChanged, SlaChanged
from actors.events import Sender, Value
from storage.inbox_records import DeskChange, InboxFilter, Scope, Team
from storage.records import AuditRow, ConversationFilter
from tests.storage.flushes import NOW, Flushes, anomaly, clock, customer, stored

KEY = "shopee/shop/c1"
WEEK = 7 * 86_400_000
AGENT = Sender(id="a", name="Ann", role="agent")


def note(what="conversation.assigned", subject=KEY):
    return AuditRow(at=NOW, who="ann", what=what, subject=subject)


def change(replaces=0, **fields):
    return DeskChange(at=NOW + 50, replaces=replaces, **fields)


async def listed(store, offset=0, limit=200, **where):
    rows, total = await store.inbox(InboxFilter(**({"now": NOW} | where)), offset, limit)
    return [row.conversation for row in rows], total


class DeskContract:
    async def test_a_conversation_is_on_nobodys_desk_at_first(self, store):
        await Flushes(store)(stored("m1"))
        row = await store.conversation(KEY)
        assert (row.assignee, row.team, row.assigned_at, row.automatic) == (None, None, None, False)
        assert (row.snoozed_until, row.archived, row.desk_version) == (None, False, 0)

    async def test_a_change_of_the_desk_holds_for_one_version_and_is_in_the_log(self, store, second):
        await Flushes(store)(stored("m1"))
        row = await store.change_desk(KEY, change(assignee="ann", team="t1"), note())
        assert (row.assignee, row.team, row.assigned_at, row.desk_version) == ("ann", "t1", NOW + 50, 1)
        assert row == await second.conversation(KEY)
        assert await second.change_desk(KEY, change(assignee="bob"), note("never")) is None
        row = await second.change_desk(KEY, change(1, assignee=None), note("conversation.unassigned"))
        assert (row.assignee, row.team, row.assigned_at, row.desk_version) == (None, "t1", None, 2)
        told = (await store.audit(5, subject=KEY)).items
        assert [row.what for row in told] == ["conversation.unassigned", "conversation.assigned"]

    async def test_of_many_who_take_it_at_once_one_has_it(self, store, second):
        await Flushes(store)(stored("m1"))
        takers = [(one, f"agent{n}") for n, one in enumerate([store, second] * 4)]
        found = await asyncio.gather(*(one.change_desk(KEY, change(assignee=name), note()) for one, name in takers))
        won = [row.assignee for row in found if row is not None]
        row = await store.conversation(KEY)
        assert won == [row.assignee]
        assert row.desk_version == 1
        assert len((await store.audit(20, subject=KEY)).items) == 1

    async def test_what_nobody_knows_cannot_be_put_on_a_desk(self, store):
        assert await store.change_desk("shopee/shop/nobody", change(assignee="ann"), note()) is None
        assert (await store.audit(5)).items == []

    async def test_many_desks_change_at_once_each_by_itself(self, store):
        await Flushes(store)(*[stored("m1", f"c{n}") for n in range(20)])
        await store.change_desk("shopee/shop/c3", change(assignee="bob"), note())
        keys = [f"shopee/shop/c{n}" for n in range(20)]
        found = await store.change_desks([(key, change(assignee="ann"), note(subject=key)) for key in keys])
        assert [row and row.assignee for row in found] == ["ann"] * 3 + [None] + ["ann"] * 16
        found = await store.rows([keys[5], "x/y/z", keys[3], keys[5]])
        assert [row.conversation for row in found] == [
            "c5",
            "c3",
            "c5",
        ]

    async def test_the_engine_leaves_the_desk_alone(self, store):
        save = Flushes(store)
        await save(stored("m1"))
        until = NOW + 9_000
        await store.change_desk(KEY, change(assignee="ann", team="t1", snoozed_until=until, archived=True), note())
        await save(
            stored("m2", at=NOW + 1, direction="out", sender=AGENT),
            stored("m0", at=NOW + 2, sent_at=NOW - 9, history=True),
            SlaChanged(KEY, clock()),
            ConversationChanged(KEY, "opened", NOW + 3),
        )
        row = await store.conversation(KEY)
        assert (row.assignee, row.team, row.snoozed_until, row.archived) == ("ann", "t1", until, True)
        assert (row.desk_version, row.messages) == (1, 3)

    async def test_what_hides_a_conversation_ends_when_the_customer_writes(self, store):
        save = Flushes(store)
        await save(stored("m1"), stored("m1", "c2"), stored("m1", "c3"))
        for name in ("c1", "c2", "c3"):
            key = f"shopee/shop/{name}"
            await store.change_desk(key, change(assignee="ann", snoozed_until=NOW + 9_000, archived=True), note())
        await save(stored("m2", at=NOW + 1), ConversationChanged("shopee/shop/c2", "reopened", NOW + 1))
        assert await listed(store, tab="mine", me="ann") == (["c2", "c1"], 2)
        assert await listed(store, tab="archived") == (["c3"], 1)
        assert (await store.conversation(KEY)).snoozed_until is None

    async def test_unread_counts_what_came_since_somebody_looked_or_answered(self, store):
        save = Flushes(store)

        async def unread():
            return (await store.conversation(KEY)).unread

        await save(stored("m1"), stored("m2"), stored("m3", merged_into="m2"), stored("m0", history=True))
        assert await unread() == 2
        await save(stored("m1"), stored("m4", at=NOW + 1))
        assert await unread() == 3
        await save(ConversationChanged(KEY, "opened", NOW + 2))
        assert await unread() == 0
        await save(stored("m5", at=NOW + 3), stored("m6", at=NOW + 5), ConversationChanged(KEY, "opened", NOW + 4))
        assert await unread() == 1
        await save(
            stored("m7", at=NOW + 6), stored("a", at=NOW + 7, direction="out", sender=AGENT), stored("m8", at=NOW + 8)
        )
        assert await unread() == 1
        bot = Sender(id="b", role="bot")
        await save(stored("b", at=NOW + 9, direction="out", sender=bot), stored("m9", at=NOW + 9))
        assert await unread() == 2
        await save(ConversationChanged(KEY, "closed", NOW + 10))
        assert await unread() == 2

    async def test_a_conversation_opened_in_the_flush_it_began_with_is_read(self, store):
        await Flushes(store)(stored("m1"), ConversationChanged(KEY, "opened", NOW + 4))
        assert (await store.conversation(KEY)).unread == 0

    async def test_the_latest_value_told_stays(self, store):
        save = Flushes(store)
        await save(stored("m1", value=Value(amount="12.50", currency="EUR")), stored("m2", "c2"))
        await save(stored("m2", at=NOW + 1), stored("m3", value=Value(amount="much")))
        row = await store.conversation(KEY)
        assert row.value == Value(amount=12.5, currency="EUR")
        await save(stored("m4", at=NOW + 2, value=Value(amount=3)))
        assert (await store.conversation(KEY)).value == Value(amount=3.0)
        assert (await store.conversation("shopee/shop/c2")).value is None

    async def test_the_first_in_the_list_is_what_is_due_first(self, store):
        await Flushes(store)(
            stored("m1", "late", at=NOW + 1), SlaChanged("shopee/shop/late", clock(due_at=NOW + 500)),
            stored("m1", "soon", at=NOW + 9), SlaChanged("shopee/shop/soon", clock(due_at=NOW + 100)),
            stored("m1", "waits", at=NOW + 5), stored("m1", "waits-longer", at=NOW + 4),
            stored("m1", "answered", at=NOW + 2, direction="out"),
            stored("m1", "answered-later", at=NOW + 3, direction="out"),
        )  # fmt: skip
        names = ["soon", "late", "waits-longer", "waits", "answered-later", "answered"]
        assert await listed(store) == (names, 6)
        for offset, limit in product(range(8), (1, 2, 7)):
            assert await listed(store, offset, limit) == (names[offset : offset + limit], 6)
            rows, _ = await store.inbox(InboxFilter(now=NOW), offset, limit, counted=False)
            assert [row.conversation for row in rows] == names[offset : offset + limit]

    async def test_the_list_comes_newest_oldest_or_dearest_first(self, store):
        await Flushes(store)(
            stored("m1", "c1", at=NOW + 1, value=Value(amount=5)),
            stored("m1", "c2", at=NOW + 2),
            stored("m1", "c3", at=NOW + 3, value=Value(amount=50)),
        )
        assert await listed(store, sort="newest") == (["c3", "c2", "c1"], 3)
        assert await listed(store, sort="oldest") == (["c1", "c2", "c3"], 3)
        assert await listed(store, sort="value") == (["c3", "c1", "c2"], 3)
        assert await listed(store, 1, 2, sort="value") == (["c1", "c2"], 3)

    async def test_each_tab_has_its_own(self, store):
        names = ("mine", "anns", "free", "risky", "asleep", "awake", "closed", "kept")
        await Flushes(store)(
            *[stored("m1", name, at=NOW + n) for n, name in enumerate(names)],
            SlaChanged("shopee/shop/risky", clock(warned_at=NOW)),
            ConversationChanged("shopee/shop/closed", "closed", NOW + 99),
        )
        changes = {
            "mine": {"assignee": "bob"}, "anns": {"assignee": "ann", "team": "t1"}, "risky": {"assignee": "ann"},
            "asleep": {"assignee": "bob", "snoozed_until": NOW + 9_000}, "awake": {"snoozed_until": NOW - 1},
            "kept": {"archived": True},
        }  # fmt: skip
        for name, fields in changes.items():
            assert await store.change_desk(f"shopee/shop/{name}", change(**fields), note())
        scope = Scope(everything=True, teams=("t1",))

        async def tab(name):
            return sorted((await listed(store, tab=name, me="bob", scope=scope))[0])

        assert await tab("mine") == ["mine"]
        assert await tab("team") == ["anns"]
        assert await tab("unassigned") == ["awake", "free"]
        assert await tab("at_risk") == ["risky"]
        assert await tab("all") == ["anns", "awake", "free", "mine", "risky"]
        assert await tab("snoozed") == ["asleep"]
        assert await tab("closed") == ["closed"]
        assert await tab("archived") == ["kept"]

    async def test_the_list_is_filtered(self, store):
        await Flushes(store)(
            stored("m1", "c1", sender=customer(id_="u1"), order="ORD-1", lang="de", text="wo ist mein paket"),
            stored("m1", "c2", at=NOW + 1, account="other", vip=True, lang="en", sender=customer(id_="u2")),
            stored("m1", "c3", at=NOW + 2, platform="ebay", text="hello"),
            SlaChanged(KEY, clock(warned_at=1)),
            anomaly(1, conversation="c3", platform="ebay"),
            anomaly(2, conversation="c2", kind="delay", account="other", status="resolved", opened_at=NOW),
            anomaly(3, conversation="c1", kind="delay", status="resolved", opened_at=NOW - WEEK - 1),
            anomaly(4, conversation="c1", status="resolved"),
        )
        await store.change_desk("ebay/shop/c3", change(assignee="ann", team="t1"), note())

        async def found(**where):
            return sorted((await listed(store, **where))[0])

        assert await found() == ["c1", "c2", "c3"]
        assert await found(platform="shopee") == ["c1", "c2"]
        assert await found(account="other") == ["c2"]
        assert await found(lang="de") == ["c1"]
        assert await found(vip=True) == ["c2"]
        assert await found(vip=False) == ["c1", "c3"]
        assert await found(sla="at_risk") == ["c1"]
        assert await found(assignee="ann") == ["c3"]
        assert await found(team="t1") == ["c3"]
        assert await found(contact="u2") == ["c2"]
        assert await found(order="ord1") == ["c1"]
        assert await found(anomaly="loss") == ["c3"]
        assert await found(anomaly="delay") == ["c2"]
        assert await found(anomaly="duplicate") == []
        assert await found(q="paket") == ["c1"]
        assert await found(q="---") == []

    async def test_troubles_are_those_unresolved_and_for_a_week_those_of_single_messages(self, store):
        old = {"status": "resolved", "resolved_at": NOW}
        await Flushes(store)(
            stored("m1"), stored("m1", "c2"), stored("m1", "c1", account="other"),
            anomaly(1, conversation="c1", kind="loss"), anomaly(2, conversation="c1", kind="loss"),
            anomaly(3, conversation="c1", kind="delay", opened_at=NOW - WEEK, **old),
            anomaly(4, conversation="c1", kind="duplicate", opened_at=NOW - WEEK - 1, **old),
            anomaly(5, conversation="c1", kind="attachment_failed", opened_at=NOW, **old),
            anomaly(6, conversation="c1", kind="translation_failed", account="other", opened_at=NOW - 9 * WEEK),
        )  # fmt: skip
        assert (await store.conversation(KEY)).troubles == ["delay", "loss"]
        assert [row.troubles for row in (await store.conversations(ConversationFilter(account="shop"), 5)).items] in (
            [["delay", "loss"], []],
            [[], ["delay", "loss"]],
        )
        assert [row.troubles for row in await store.rows(["shopee/other/c1", "shopee/shop/c2"])] == [
            ["translation_failed"],
            [],
        ]

    @pytest.mark.parametrize(
        "scope",
        [
            Scope(),
            Scope(me="ann"),
            Scope(teams=("t1",), living=("t1", "t2")),
            Scope(me="bob", strays=True),
            Scope(strays=True, living=("t1", "t2"), held_platforms=("ebay",), held_channels=(("shopee", "shop"),)),
            Scope(teams=("t1",), channels=(("shopee", "shop"),), living=("t1",), held_channels=(("shopee", "shop"),)),
            Scope(
                me="ann", teams=("t2",), platforms=("shopee", "ebay"), living=("t1", "t2"), strays=True,
                held_platforms=("shopee", "ebay"), held_channels=(("shopee", "other"),),
            ),
            Scope(everything=True),
        ],
    )  # fmt: skip
    async def test_both_say_the_same_of_who_sees_what(self, store, scope):
        places = list(product(("shopee", "ebay"), ("shop", "other"), (None, "ann", "bob"), (None, "t1", "t2", "gone")))
        await Flushes(store)(
            *[stored("m1", f"c{n}", platform=place[0], account=place[1]) for n, place in enumerate(places)]
        )
        keys = [f"{platform}/{account}/c{n}" for n, (platform, account, _, _) in enumerate(places)]
        changes = [change(assignee=assignee, team=team) for _, _, assignee, team in places]
        done = await store.change_desks([(key, one, note()) for key, one in zip(keys, changes, strict=True)])
        seen = sorted(row.conversation for row in done if scope.sees(row))
        assert sorted((await listed(store, scope=scope))[0]) == seen
        page = await store.conversations(ConversationFilter(scope=scope), 500)
        assert sorted(row.conversation for row in page.items) == seen
        team = sorted(row.conversation for row in done if scope.ours(row) and scope.sees(row))
        assert sorted((await listed(store, scope=scope, tab="team"))[0]) == team

    async def test_open_conversations_are_counted_by_what_decides_who_sees_them(self, store):
        await Flushes(store)(
            *[stored("m1", f"c{n}") for n in range(6)],
            stored("m1", "x", platform="ebay"),
            SlaChanged("shopee/shop/c1", clock(warned_at=NOW)),
            ConversationChanged("shopee/shop/c5", "closed", NOW + 1),
        )
        for name, fields in (
            ("c2", {"assignee": "ann", "team": "t1"}), ("c3", {"snoozed_until": NOW + 9}), ("c4", {"archived": True}),
        ):  # fmt: skip
            await store.change_desk(f"shopee/shop/{name}", change(**fields), note())
        found = sorted(
            (one.platform, one.assignee or "", one.team, one.awake, one.snoozed, one.at_risk)
            for one in await store.inbox_groups(NOW)
        )
        assert found == [
            ("ebay", "", None, 1, 0, 0),
            ("shopee", "", None, 2, 1, 1),
            ("shopee", "ann", "t1", 1, 0, 0),
        ]

    async def test_snoozes_that_end_are_found_in_order(self, store):
        await Flushes(store)(*[stored("m1", f"c{n}") for n in range(5)])
        for n, until in enumerate((50, 10, 30, None, 40)):
            fields = {"snoozed_until": until and NOW + until}
            await store.change_desk(f"shopee/shop/c{n}", change(**fields), note())
        assert await store.snoozed_until(NOW + 10, NOW + 40, 5) == [
            (NOW + 30, "shopee/shop/c2"),
            (NOW + 40, "shopee/shop/c4"),
        ]
        assert await store.snoozed_until(NOW, NOW + 99, 1) == [(NOW + 10, "shopee/shop/c1")]

    async def test_a_team_is_kept_by_version_and_every_change_is_in_the_log(self, store, second):
        team = Team(id="t1", name="Europe", created_at=NOW, members=["ann"], channels=["shopee/*"])
        assert await store.save_team(team, note("team.added", "team t1"))
        assert not await second.save_team(team, note("never", "team t1"))
        later = Team(id="t1", name="Asia", created_at=NOW, members=["ann", "bob"], routing=True, version=2)
        assert await second.save_team(later, note("team.changed", "team t1"), replaces=1)
        assert not await store.save_team(later, note("never", "team t1"), replaces=1)
        assert await store.save_team(Team(id="t2", name="America", created_at=NOW), note("team.added", "team t2"))
        assert [one.id for one in await store.teams()] == ["t2", "t1"]
        assert (await store.teams())[1] == later
        assert await store.delete_team("t1", note("team.deleted", "team t1"))
        assert not await second.delete_team("t1", note("never", "team t1"))
        assert [one.id for one in await second.teams()] == ["t2"]
        told = [row.what for row in (await store.audit(9, subject="team t1")).items]
        assert told == ["team.deleted", "team.changed", "team.added"]
