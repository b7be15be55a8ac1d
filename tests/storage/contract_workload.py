"""The workload's part of the storage port: what is open in groups, and how response clocks ended."""

from __future__ import annotations

from actors.effects import ConversationChanged, SlaChanged
from storage.inbox_records import DeskChange, InboxFilter, Scope
from storage.records import AuditRow
from tests.storage.flushes import NOW, Flushes, clock, stored


async def put(store, name, **fields):
    key = f"shopee/shop/{name}"
    note = AuditRow(at=NOW, who="ann", what="conversation.assigned", subject=key)
    assert await store.change_desk(key, DeskChange(at=NOW, replaces=0, **fields), note)


def sla(name, ordinal=0, **fields):
    return SlaChanged(f"shopee/shop/{name}", clock(ordinal, **fields))


def shown(groups):
    return sorted(
        (one.platform, one.assignee or "", one.team or "", one.open, one.waiting, one.at_risk, one.breached, one.due_at)
        for one in groups
    )


class WorkloadContract:
    async def test_what_is_open_is_counted_by_who_has_it_and_how_it_stands(self, store):
        await Flushes(store)(
            *[stored("m1", name) for name in ("asks", "late", "later", "risky", "calm", "asleep", "kept", "done")],
            stored("m1", "told", direction="out"), stored("m1", "x", platform="ebay", direction="out"),
            stored("m1", "bot", direction="out"),
            sla("late", breached_at=NOW + 5, due_at=NOW + 5), sla("later", breached_at=NOW + 7, due_at=NOW + 7),
            sla("risky", warned_at=NOW, due_at=NOW + 60), sla("calm", due_at=NOW + 90), sla("bot", due_at=NOW + 80),
            sla("asleep", breached_at=NOW + 1, due_at=NOW + 1), sla("kept", breached_at=NOW + 1, due_at=NOW + 1),
            ConversationChanged("shopee/shop/done", "closed", NOW + 9),
        )  # fmt: skip
        await put(store, "risky", assignee="ann", team="t1")
        await put(store, "calm", assignee="ann", team="t1")
        await put(store, "told", assignee="bob")
        await put(store, "asleep", snoozed_until=NOW + 9_000)
        await put(store, "kept", archived=True)
        assert shown(await store.open_groups(NOW)) == [
            ("ebay", "", "", 1, 0, 0, 0, None),
            ("shopee", "", "", 4, 4, 0, 2, NOW + 5),
            ("shopee", "ann", "t1", 2, 2, 1, 0, NOW + 60),
            ("shopee", "bob", "", 1, 0, 0, 0, None),
        ]
        assert sum(one.open for one in await store.open_groups(NOW + 9_000)) == 9

    async def test_what_is_counted_is_what_the_list_shows(self, store):
        await Flushes(store)(
            *[stored("m1", f"c{n}", direction=("in", "out")[n % 2]) for n in range(8)],
            *[sla(f"c{n}", warned_at=NOW, breached_at=(None, NOW)[n % 2]) for n in (1, 4, 5)],
        )
        for n in (0, 1, 4):
            await put(store, f"c{n}", team="t1")
        held = Scope(teams=("t1",))
        groups = [one for one in await store.open_groups(NOW) if held.sees(one)]
        for name, where in (
            ("open", {}), ("waiting", {"waiting": True}), ("at_risk", {"sla": "at_risk"}),
            ("breached", {"sla": "breached"}),
        ):  # fmt: skip
            rows, total = await store.inbox(InboxFilter(now=NOW, holder=held, **where), 0, 50)
            assert len(rows) == total == sum(getattr(one, name) for one in groups), name
        waits = sorted(row.conversation for row in (await store.inbox(InboxFilter(now=NOW, waiting=True), 0, 50))[0])
        rest = sorted(row.conversation for row in (await store.inbox(InboxFilter(now=NOW, waiting=False), 0, 50))[0])
        assert (waits, rest) == (["c0", "c1", "c2", "c4", "c5", "c6"], ["c3", "c7"])

    async def test_clocks_that_ended_come_with_who_has_their_conversation_now(self, store):
        save = Flushes(store)
        late = {"breached_at": NOW + 1000, "answered_at": NOW + 5000, "stopped": True}
        await save(
            *[stored("m1", name) for name in ("c1", "c2")],
            sla("c1", answered_at=NOW + 400, stopped=True),
            sla("c1", 1, kind="resolution", answered_at=NOW + 400, stopped=True),
            sla("c1", 2, kind="next_response", **late),
            sla("c2", breached_at=NOW + 1000, stopped=True),
            sla("c2", 1, kind="next_response", stopped=True),
            sla("c2", 2, kind="next_response", breached_at=NOW + 1000),
        )
        await put(store, "c1", assignee="ann", team="t1")

        async def ended(since):
            found, whole = await store.ended_clocks(since, 50)
            assert whole == since
            return sorted(
                (one.assignee, one.team, one.kind, one.started_at, one.ended_at - NOW, one.answered, one.breached)
                for one in found
                if one.platform == "shopee" and one.account == "shop" and one.assignee
            ), [(one.ended_at - NOW, one.answered, one.breached) for one in found if one.assignee is None]

        assert await ended(NOW) == (
            [
                ("ann", "t1", "first_response", NOW, 400, True, False),
                ("ann", "t1", "next_response", NOW, 5000, True, True),
            ],
            [(1000, False, True)],
        )
        assert [len(some) for some in await ended(NOW + 401)] == [1, 1]
        assert [len(some) for some in await ended(NOW + 1001)] == [1, 0]
        assert [len(some) for some in await ended(NOW + 5001)] == [0, 0]

    async def test_of_too_many_clocks_the_latest_are_told_and_since_when_they_are_all_there(self, store):
        spans = [n * 100 for n in range(1, 9)]
        await Flushes(store)(
            stored("m1"),
            *[
                sla("c1", n, kind="next_response", due_at=NOW + span, answered_at=NOW + span - 50, stopped=True)
                for n, span in enumerate(spans)
            ],
        )
        found, whole = await store.ended_clocks(NOW, 5)
        assert NOW < whole < NOW + 800
        assert sorted(one.ended_at - NOW for one in found) == [s - 50 for s in spans if NOW + s - 50 >= whole]
        assert 0 < len(found) <= 5
