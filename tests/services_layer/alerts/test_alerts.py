"""Whom a message is to reach, what keeps it quiet, and what counts as told."""

from __future__ import annotations

import pytest

from actors.errors import RejectedError
from services.alerts.alerts import URGENT_MS
from services.alerts.deciding import is_quiet
from services.errors import ConflictError, NotFoundError
from storage.alert_records import AlertFilter, AlertSettings
from tests.services_layer.alerts.bell import KEY, NOW, Changed, message


async def test_whoever_has_the_conversation_is_told_and_nobody_else(alerts, store):
    [alert] = await alerts.for_change(Changed(), message())
    assert (alert.person, alert.key, alert.message, alert.urgency) == ("ann", KEY, "m1", "normal")
    assert (alert.title, alert.text) == ("Arun Linh", "Where is my parcel?")
    expected = await store.alert(alert.id)
    assert (expected.fate, expected.due_at, expected.reason) == ("expected", None, None)


async def test_asked_twice_it_expects_once(alerts, store):
    first = await alerts.for_change(Changed(), message())
    second = await alerts.for_change(Changed(), message())
    assert [one.id for one in first] == [one.id for one in second]
    await alerts.for_change(Changed(), message("m2"))
    assert len((await store.alerts(AlertFilter(), 9)).items) == 2


@pytest.mark.parametrize(
    "change",
    [{"sla": "at_risk"}, {"sla": "breached"}, {"vip": True}, {"sensitive": True}, {"labels": ["refund", "complaint"]}],
)
async def test_what_is_urgent_and_nobodys_goes_to_those_of_the_team_who_are_there(alerts, store, change):
    found = await alerts.for_change(Changed(assignee=None, **change), message())
    assert [(one.person, one.urgency) for one in found] == [("bob", "urgent")]
    told = {one.person: (one.fate, one.reason) for one in await store.alerts_of_message(KEY, "m1")}
    assert told == {"bob": ("expected", None), "cem": ("excluded", "role_excludes")}
    assert (await store.alert(found[0].id)).due_at == NOW + URGENT_MS


async def test_what_is_neither_urgent_nor_anybodys_rings_nowhere(alerts, store):
    assert await alerts.for_change(Changed(assignee=None), message()) == []
    assert (await store.alerts(AlertFilter(), 9)).items == []


async def test_when_nobody_of_the_team_is_there_the_next_rung_is_due_at_once(alerts, store, online):
    online.clear()
    assert await alerts.for_change(Changed(assignee=None, vip=True), message()) == []
    [expected] = await store.alerts_due(NOW, 9)
    assert (expected.person, expected.fate, expected.reason) == ("", "excluded", "nobody_online")


@pytest.mark.parametrize(
    ("row", "wrote"),
    [
        (Changed(status="closed"), message()),
        (Changed(), message(direction="out")),
        (Changed(), message(history=True)),
        (Changed(), None),
    ],
)
async def test_what_is_no_news_for_an_agent_rings_nowhere(alerts, row, wrote):
    assert await alerts.for_change(row, wrote) == []


async def test_a_deadline_that_comes_near_is_told_once(alerts, store):
    risky = Changed(sla="at_risk")
    [first] = await alerts.for_change(risky)
    [again] = await alerts.for_change(risky)
    [broken] = await alerts.for_change(Changed(sla="breached"))
    assert (first.why, first.urgency) == ("deadline", "urgent")
    assert first.id == again.id != broken.id
    assert len((await store.alerts(AlertFilter(), 9)).items) == 2


async def test_who_is_given_a_conversation_hears_of_it_unless_he_took_it_himself(alerts, gate):
    assert [one.why for one in await alerts.for_change(Changed(), by="sam")] == ["assigned"]
    assert await alerts.for_change(Changed(), by="ann") == []
    gate.time += 120_000
    assert await alerts.for_change(Changed(), by="sam") == []


class TestWhatKeepsItQuiet:
    async def test_a_muted_channel_is_noted_with_its_reason(self, alerts, store):
        await alerts.wishes.change("ann", muted=["shopee/shop"])
        assert await alerts.for_change(Changed(vip=True), message()) == []
        [expected] = await store.alerts_of_message(KEY, "m1")
        assert (expected.fate, expected.reason, expected.due_at) == ("excluded", "muted_by_user", NOW + URGENT_MS)
        assert len(await alerts.for_change(Changed(key="ebay/a/c", platform="ebay", account="a"), message())) == 1

    async def test_quiet_hours_are_by_the_persons_own_clock(self, alerts, store):
        # It is 16:53 in Shanghai.
        await alerts.wishes.change("ann", quiet=(16 * 60, 17 * 60, "Asia/Shanghai"))
        assert await alerts.for_change(Changed(), message()) == []
        assert (await store.alerts_of_message(KEY, "m1"))[0].reason == "quiet_hours"
        await alerts.wishes.change("ann", quiet="never")
        assert len(await alerts.for_change(Changed(), message("m2"))) == 1

    @pytest.mark.parametrize(
        ("minute", "quiet"), [(21 * 60 + 59, False), (22 * 60, True), (60, True), (7 * 60 - 1, True), (7 * 60, False)]
    )
    def test_a_night_goes_over_midnight(self, minute, quiet):
        midnight = NOW - NOW % 86_400_000
        wishes = AlertSettings(person="ann", quiet_from=22 * 60, quiet_to=7 * 60)
        assert is_quiet(wishes, midnight + minute * 60_000) is quiet

    @pytest.mark.parametrize(
        "change",
        [
            {"muted": ["shopee"]},
            {"muted": ["a/b/c"]},
            {"muted": ["a/b"] * 201},
            {"quiet": (10, 10, "UTC")},
            {"quiet": (0, 1440, "UTC")},
            {"quiet": (0, 60, "Mars/Olympus")},
            {"quiet": (0, 60, "../etc/passwd")},
        ],
    )
    async def test_nonsense_is_refused(self, alerts, change):
        with pytest.raises(RejectedError):
            await alerts.wishes.change("ann", **change)


class TestWhatAScreenSays:
    async def test_what_rang_is_an_event_and_counts_once_for_two_screens(self, alerts, gate):
        [alert] = await alerts.for_change(Changed(vip=True), message())
        gate.time += 300
        fired = await alerts.receipt(alert.id, "ann", "fired")
        await alerts.receipt(alert.id, "ann", "fired")
        await alerts.receipt(alert.id, "ann", "failed", "permission_denied")
        assert (fired.fate, fired.fired_at, fired.due_at) == ("fired", NOW + 300, NOW + URGENT_MS)
        assert [(one.status, one.medium, one.message) for one in gate.events] == [("fired", "desktop", "m1")]

    async def test_what_was_opened_needs_no_further_rung(self, alerts, gate, store):
        [alert] = await alerts.for_change(Changed(vip=True), message())
        await alerts.receipt(alert.id, "ann", "fired")
        await alerts.opened(KEY, "ann")
        assert await store.alerts_due(NOW + 10 * URGENT_MS, 9) == []
        assert [one.status for one in gate.events] == ["fired", "seen"]

    async def test_a_refused_permission_is_due_for_the_next_rung_at_once(self, alerts, gate, store):
        [alert] = await alerts.for_change(Changed(vip=True), message())
        failed = await alerts.receipt(alert.id, "ann", "failed", "permission_denied")
        assert (failed.fate, failed.reason) == ("failed", "permission_denied")
        assert [one.id for one in await store.alerts_due(NOW, 9)] == [alert.id]
        assert [one.status for one in gate.events] == ["failed"]
        again = await alerts.receipt(alert.id, "ann", "fired")
        assert again.fate == "fired"

    async def test_one_failure_of_two_is_no_missed_message(self, alerts, gate):
        async def concerned(_row):
            return [["ann", "bob"]]

        alerts._concerned = concerned
        found = {one.person: one.id for one in await alerts.for_change(Changed(assignee=None, vip=True), message())}
        await alerts.receipt(found["ann"], "ann", "failed", "permission_denied")
        assert gate.events == []
        await alerts.receipt(found["bob"], "bob", "failed", "no_sound")
        assert [one.status for one in gate.events] == ["failed"]

    async def test_an_alert_of_somebody_else_does_not_exist(self, alerts):
        [alert] = await alerts.for_change(Changed(), message())
        with pytest.raises(NotFoundError):
            await alerts.receipt(alert.id, "bob", "fired")
        with pytest.raises(NotFoundError):
            await alerts.receipt("nothing", "ann", "fired")

    async def test_a_failure_has_a_reason(self, alerts):
        [alert] = await alerts.for_change(Changed(), message())
        with pytest.raises(RejectedError, match="reason"):
            await alerts.receipt(alert.id, "ann", "failed")

    async def test_how_much_reaches_each_person_is_a_share_of_what_was_to(self, alerts):
        for number in range(4):
            [alert] = await alerts.for_change(Changed(), message(f"m{number}"))
            if number:
                await alerts.receipt(alert.id, "ann", *(("fired",) if number > 1 else ("failed", "no_sound")))
        assert await alerts.reach(NOW) == [("ann", {"expected": 1, "failed": 1, "fired": 2}, 0.5)]


class TestAddresses:
    async def test_an_address_is_kept_masked_in_the_log_and_taken_away_again(self, alerts, store):
        await alerts.wishes.add_way("ann", "email", "ann@example.com")
        wishes = await alerts.wishes.add_way("ann", "webhook", "https://hooks.example.com/secret/token")
        assert [way.kind for way in wishes.ways] == ["email", "webhook"]
        told = str((await store.audit(9, subject="alerts of ann")).items)
        assert "ann@example.com" not in told
        assert "secret" not in told
        assert "secret" not in repr(wishes)
        with pytest.raises(ConflictError):
            await alerts.wishes.add_way("ann", "email", "ann@example.com")
        await alerts.wishes.drop_way("ann", wishes.ways[0].id)
        assert [way.kind for way in (await alerts.wishes.of("ann")).ways] == ["webhook"]
        with pytest.raises(NotFoundError):
            await alerts.wishes.drop_way("ann", wishes.ways[0].id)

    async def test_a_dead_address_stays_in_sight_and_may_be_given_anew(self, alerts):
        [way] = (await alerts.wishes.add_way("ann", "email", "ann@example.com")).ways
        [dead] = (await alerts.wishes.end_way("ann", way.id, "550 no such user")).ways
        assert (dead.ended_at, dead.reason) == (NOW, "550 no such user")
        [again] = (await alerts.wishes.add_way("ann", "email", "ann@example.com")).ways
        assert again.ended_at is None

    @pytest.mark.parametrize(
        ("kind", "address"),
        [
            ("email", "ann"),
            ("email", "a b@example.com"),
            ("email", "a@b\r\nBcc: x@y"),
            ("webhook", "http://hooks.example.com/"),
            ("webhook", "https://ann:pw@hooks.example.com/"),
            ("webhook", "https://"),
            ("webhook", "javascript:alert(1)"),
            ("pigeon", "coop"),
        ],
    )
    async def test_what_is_no_address_is_refused(self, alerts, kind, address):
        with pytest.raises(RejectedError):
            await alerts.wishes.add_way("ann", kind, address)
