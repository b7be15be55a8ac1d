"""Whom a message was to reach, and how people want to be told."""

from __future__ import annotations

import msgspec

from storage.alert_records import AlertFilter, AlertSettings, ExpectedAlert, Told, Way
from storage.records import AuditRow
from tests.storage.flushes import NOW

AUDIT = AuditRow(at=NOW, who="ann", what="alerts.changed", subject="alerts of ann")
KEY = "shopee/shop/c1"


def alert(id_, at=NOW, person="ann", **more):
    return ExpectedAlert(**({"key": KEY, "message": "m1", "why": "message"} | more), id=id_, person=person, at=at)


def later(one, **more):
    return msgspec.structs.replace(one, version=one.version + 1, **more)


class AlertContract:
    async def test_what_a_person_wants_comes_back_whole(self, store):
        assert await store.alert_settings("ann") is None
        first = AlertSettings(
            person="ann",
            muted=["ebay/shop"],
            quiet_from=1320,
            quiet_to=420,
            zone="Asia/Shanghai",
            ways=[Way(id="w1", kind="email", address="ann@example.com")],
            version=1,
        )
        assert await store.put_alert_settings(first, AUDIT)
        assert await store.alert_settings("ann") == first
        assert not await store.put_alert_settings(first, AUDIT)
        second = msgspec.structs.replace(first, muted=[], quiet_from=None, version=2)
        assert await store.put_alert_settings(second, AUDIT)
        assert not await store.put_alert_settings(second, AUDIT)
        assert await store.alert_settings("ann") == second
        assert len((await store.audit(5)).items) == 2

    async def test_a_person_is_expected_to_hear_of_a_message_once(self, store):
        first = alert("a1", urgency="urgent", due_at=NOW + 120_000)
        await store.add_alerts([first, alert("a2", person="bob")])
        fired = later(first, fate="fired", fired_at=NOW + 500, due_at=None)
        assert await store.change_alert(fired)
        assert not await store.change_alert(fired)
        await store.add_alerts([first, alert("a3", person="cem")])
        assert await store.alert("a1") == fired
        assert await store.alert("nothing") is None
        assert [one.person for one in await store.alerts_of_message(KEY, "m1")] == ["ann", "bob", "cem"]
        assert await store.alerts_of_message(KEY, "m2") == []

    async def test_more_than_a_statement_holds_are_noted_at_once(self, store):
        await store.add_alerts([alert(f"a{n:04}", NOW + n) for n in range(600)])
        found = await store.alerts(AlertFilter(), 500)
        rest = await store.alerts(AlertFilter(), 500, found.next)
        assert [one.id for one in found.items + rest.items] == [f"a{n:04}" for n in reversed(range(600))]
        assert rest.next is None

    async def test_pages_are_of_one_person_or_conversation_and_newest_first(self, store):
        rows = [alert("a1"), alert("a2", person="bob"), alert("a3", NOW + 1), alert("a4", key="shopee/shop/c2")]
        await store.add_alerts(rows)
        first = await store.alerts(AlertFilter(person="ann"), 2)
        assert [one.id for one in first.items] == ["a3", "a4"]
        assert [one.id for one in (await store.alerts(AlertFilter(person="ann"), 2, first.next)).items] == ["a1"]
        assert [one.id for one in (await store.alerts(AlertFilter(key="shopee/shop/c2"), 2)).items] == ["a4"]
        assert [one.id for one in (await store.alerts(AlertFilter(since=NOW + 1), 9)).items] == ["a3"]

    async def test_only_what_still_waits_for_a_rung_is_due(self, store):
        rows = [alert("a1", due_at=NOW + 9), alert("a2", due_at=NOW + 5), alert("a3"), alert("a4", due_at=NOW + 10)]
        await store.add_alerts(rows)
        assert [one.id for one in await store.alerts_due(NOW + 9, 10)] == ["a2", "a1"]
        assert [one.id for one in await store.alerts_due(NOW + 9, 1)] == ["a2"]
        told = Told(rung="email", at=NOW, status="failed", whom="ann", detail="550 no such user")
        assert await store.change_alert(later(rows[1], due_at=None, rungs=[told]))
        assert [one.id for one in await store.alerts_due(NOW + 9, 10)] == ["a1"]
        assert (await store.alert("a2")).rungs == [told]

    async def test_fates_are_counted_by_person_without_tests(self, store):
        rows = [
            alert("a1", fate="seen"),
            alert("a2", fate="seen"),
            alert("a3", fate="failed"),
            alert("a4", person="b/ob", fate="excluded"),
            alert("a5", person="b/ob", why="test"),
            alert("a6", NOW - 1, fate="seen"),
        ]
        await store.add_alerts(rows)
        assert await store.alert_fates(NOW) == {"ann": {"seen": 2, "failed": 1}, "b/ob": {"excluded": 1}}
        await store.change_alert(later(rows[2], fate="seen"))
        assert (await store.alert_fates(NOW))["ann"] == {"seen": 3}

    async def test_old_ones_are_forgotten(self, store):
        await store.add_alerts([alert("a1"), alert("a2", NOW + 1)])
        assert await store.forget_alerts(NOW + 1) == 1
        assert [one.id for one in (await store.alerts(AlertFilter(), 5)).items] == ["a2"]
