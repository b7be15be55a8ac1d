from __future__ import annotations

import json

import pytest

from actors.errors import RejectedError
from actors.events import Auth
from services.anomalies import Anomalies
from services.deeds import FALSE_ALARM, LONGEST_CAUSE
from services.errors import ConflictError, NotFoundError
from services.health.incident_desk import IncidentDesk, hops
from services.health.incidents import incident_id
from storage.records import MessageRow
from tests.services_health.town import START, wrote

LOSS = incident_id("shopee", "shop-sg", "loss")
DELAY = incident_id("shopee", "shop-sg", "delay")
AUTH = incident_id("shopee", "shop-sg", "auth")


class TownGateway:
    """Submits straight to the town's engine."""

    def __init__(self, town):
        self.town = town

    def now(self):
        return self.town.now

    async def submit(self, entries):
        if entries:
            await self.town.tell(*entries)


@pytest.fixture
def desk(town):
    gateway = TownGateway(town)
    return IncidentDesk(
        store=town.store,
        gateway=gateway,
        reader=town.log,
        incidents=town.monitor(),
        resync=Anomalies(town.store, gateway),
    )


async def lose(town, *, until=5, first=1):
    await town.tell(wrote(first, START, seq=first), wrote(until, START + 1_000, seq=until))
    await town.pass_to(START + 30_000)


async def test_resolving_an_incident_resolves_every_anomaly_of_it(town, desk):
    await lose(town)
    outcome = await desk.resolve(LOSS, who="ann", cause="platform outage")
    assert (outcome.changed, outcome.incident.status, outcome.incident.open) == (3, "resolved", 0)
    found = await town.anomalies(kind="loss")
    assert {(a.status, a.resolution, a.cause) for a in found} == {("resolved", "manual", "platform outage")}
    (row,) = (await town.store.audit(10)).items
    assert (row.who, row.what) == ("ann", "incident.resolved")
    assert row.after == {"cause": "platform outage", "anomalies": 3}


async def test_acknowledging_keeps_it_open_and_names_the_person(town, desk):
    await lose(town)
    outcome = await desk.acknowledge(LOSS, who="li")
    assert (outcome.changed, outcome.incident.status, outcome.incident.by) == (3, "acknowledged", "li")
    assert {(a.status, a.acknowledged_by) for a in await town.anomalies(kind="loss")} == {("acknowledged", "li")}


async def test_acknowledging_again_changes_nothing(town, desk):
    await lose(town)
    await desk.acknowledge(LOSS, who="li")
    assert (await desk.acknowledge(LOSS, who="ann")).changed == 0
    assert {a.acknowledged_by for a in await town.anomalies(kind="loss")} == {"li"}


async def test_a_false_alarm_is_remembered_as_the_cause(town, desk):
    await lose(town)
    await desk.false_alarm(LOSS, who="ann")
    assert {a.cause for a in await town.anomalies(kind="loss")} == {FALSE_ALARM}


async def test_acting_on_lost_messages_leaves_failed_answers_alone(town, desk):
    await lose(town)
    await town.tell(wrote(90, START + 31_000, direction="out", seq=6))
    await town.pass_to(START + 120_000)
    await desk.resolve(LOSS, who="ann")
    assert [a.status for a in await town.anomalies(kind="loss", cause="outbound")] == ["open"]


async def test_more_anomalies_than_one_page_are_all_resolved(town, desk):
    await lose(town, until=705)
    outcome = await desk.resolve(LOSS, who="ann")
    assert outcome.changed == 703
    assert await town.anomalies(kind="loss", unresolved=True) == []


async def test_resync_without_a_connector_says_so(town, desk):
    await lose(town)
    with pytest.raises(ConflictError, match="no connector"):
        await desk.resync(LOSS, who="ann")


async def test_an_unknown_incident_is_not_found(desk):
    for act in (desk.detail, desk.acknowledge):
        with pytest.raises(NotFoundError, match="no incident"):
            await act("0" * 16, **({"who": "ann"} if act == desk.acknowledge else {}))


async def test_a_cause_longer_than_a_page_is_refused(town, desk):
    await lose(town)
    with pytest.raises(RejectedError, match="2000"):
        await desk.resolve(LOSS, who="ann", cause="x" * 2001)


async def test_the_detail_of_a_slow_channel_names_the_platform_and_the_largest_delay(town, desk):
    await town.tell(*[wrote(n, START + n, delay=35_000 + 1_000 * n) for n in range(30)])
    detail = await desk.detail(DELAY)
    assert detail.incident.count == 31
    assert detail.incident.status == "open"
    assert detail.impact.messages == 30
    assert detail.impact.max_delay_ms == 64_000
    assert 45_000 < detail.hops.platform_ms <= 64_000
    assert detail.hops.gateway_ms == 0
    assert len(detail.anomalies) == 20
    assert detail.actions[0]["text_key"].startswith("action.")


async def test_the_detail_of_lost_authorisation_lists_what_it_hides(town, desk):
    await lose(town)
    await town.tell(Auth(platform="shopee", account="shop-sg", at=START + 31_000, status="revoked"))
    detail = await desk.detail(AUTH)
    assert {i.guide for i in detail.hides} == {"loss", "notification_missed"}
    assert detail.impact.messages == detail.incident.hidden > 3
    assert [a["action"] for a in detail.actions] == ["reauthorise", "resync"]


def row(delay, wait):
    """A message logged at 1,000, `delay` after it was sent, and stored `wait` later."""
    given = {"direction": "in", "sent_at": 1_000 - delay, "at": 1_000, "delay": delay, "stored_at": 1_000 + wait}
    return MessageRow(key="k", message="m", **given), 1_000


def test_the_guilty_hop_is_the_slowest_one():
    assert hops([row(100, 90_000), row(200, 80_000), row(90_000, 1)]).guilty == "queue"
    assert hops([row(50_000, 20)]).guilty == "platform"
    assert hops([row(100, 20)]).guilty is None
    assert hops([]).guilty is None


def test_a_message_no_longer_in_the_log_says_nothing_of_the_queue():
    assert hops([(row(100, 90_000)[0], None)]).queue_ms is None


async def test_a_hostile_cause_is_kept_as_it_was_written(town, desk, public_data):
    lines = (public_data / "bad_input" / "strings.jsonl").read_text(encoding="utf-8").strip().split("\n")
    await lose(town)
    for line in lines:
        cause = json.loads(line)["payload"][:LONGEST_CAUSE]
        await desk.resolve(LOSS, who=cause, cause=cause)
        (row,) = (await town.store.audit(1)).items
        assert (row.who, row.after["cause"]) == (cause, cause)
