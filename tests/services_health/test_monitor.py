from __future__ import annotations

import asyncio

import msgspec
import pytest
from msgspec import to_builtins

from actors.errors import RejectedError
from actors.events import Auth, Checkpoint, Notification, Receipt
from services.health.monitor import TOPIC
from storage.errors import StoreBusyError
from tests.services_health.town import START, wrote

MINUTE = 60_000
TOP = {
    "seq",
    "at",
    "state",
    "range",
    "monitor",
    "tiles",
    "series",
    "channels",
    "heat",
    "sla",
    "incidents",
    "incidents_total",
    "ledger",
    "platforms",
    "mutes",
    "mutes_total",
}


def fired(number, at, conversation="c1", **more):
    return Notification(
        platform="shopee",
        account="shop-sg",
        at=at,
        conversation=conversation,
        message=f"m{number}",
        status="fired",
        medium="desktop",
        **more,
    )


async def test_the_first_snapshot_of_an_empty_product_is_whole(town):
    snapshot = to_builtins(await town.monitor().snapshot())
    assert set(snapshot) == TOP
    assert snapshot["state"] == "live"
    assert snapshot["channels"] == []
    assert len(snapshot["series"]["points"]) == 180
    assert snapshot["tiles"]["lost"] == {"suspected": 0, "confirmed": 0, "fixed": 0}
    assert snapshot["ledger"]["balanced"]


async def test_what_happened_is_on_the_screen(town):
    await town.tell(wrote(1, START, seq=1), fired(1, START + 100))
    await town.tell(wrote(4, START + 2_000, seq=4, delay=1_500), fired(4, START + 2_100))
    await town.pass_to(START + MINUTE)
    town.beat()
    snapshot = await town.monitor().refresh()
    (row,) = snapshot.channels
    assert (row.key, row.state, row.reason, row.loss, row.got) == ("shopee/shop-sg", "slow", "loss", 2, 2)
    assert snapshot.tiles.at_risk.value == 2
    assert snapshot.tiles.lost.suspected == 2
    (incident,) = snapshot.incidents
    assert (incident.kind, incident.count, incident.severity) == ("loss", 2, "critical")
    assert incident.evidence["cause"] == "gap"
    assert snapshot.ledger.accepted == snapshot.ledger.stored == 4
    assert snapshot.sla[0].ok == 1
    assert sum(p[5] for p in snapshot.series.points) == 2


async def test_a_suspected_loss_is_confirmed_by_time_and_fixed_when_it_comes(town):
    monitor = town.monitor()
    await town.tell(wrote(1, START, seq=1), wrote(3, START + 1_000, seq=3))
    await town.pass_to(START + 30_000)
    assert (await monitor.refresh()).tiles.lost.suspected == 1
    town.now += 3 * MINUTE
    town.beat()
    lost = (await town.monitor().refresh()).tiles.lost
    assert (lost.suspected, lost.confirmed) == (0, 1)
    await town.tell(wrote(2, town.now, seq=2))
    lost = (await town.monitor().refresh()).tiles.lost
    assert (lost.suspected, lost.confirmed, lost.fixed) == (0, 0, 1)


async def test_a_failed_answer_is_a_tile_and_an_incident_of_its_own(town):
    await town.tell(wrote(1, START, direction="out"))
    failed = Receipt(
        platform="shopee", account="shop-sg", at=START + 500, conversation="c1", message="m1", status="failed"
    )
    await town.tell(failed)
    snapshot = await town.monitor().refresh()
    assert snapshot.tiles.failed_out.value == 1
    assert snapshot.tiles.lost.suspected == snapshot.tiles.lost.confirmed == 0
    assert [(i.guide, i.evidence["status"]) for i in snapshot.incidents] == [("loss_outbound", "failed")]
    assert snapshot.channels[0].out_fail == 1


async def test_lost_authorisation_takes_the_channel_down_and_hides_what_follows(town):
    await town.tell(wrote(1, START, seq=1), wrote(3, START + 1_000, seq=3))
    await town.tell(Auth(platform="shopee", account="shop-sg", at=START + 2_000, status="expired"))
    await town.pass_to(START + MINUTE)
    snapshot = await town.monitor().refresh()
    (row,) = snapshot.channels
    assert (row.state, row.reason, row.auth.status) == ("down", "auth", "expired")
    assert [i.guide for i in snapshot.incidents if i.status == "open"] == ["auth"]
    assert snapshot.incidents[0].hidden == row.hidden == row.at_risk > 0


async def test_a_channel_that_recovers_says_so_before_it_is_ok(town):
    monitor = town.monitor()
    await town.tell(wrote(1, START), Auth(platform="shopee", account="shop-sg", at=START, status="revoked"))
    await town.tell(fired(1, START + 1))
    assert (await monitor.refresh()).channels[0].state == "down"
    await town.tell(Auth(platform="shopee", account="shop-sg", at=START + 5_000, status="ok"))
    await becomes(monitor, "recovering")
    town.now += 4 * MINUTE
    town.beat()
    await becomes(monitor, "ok")


async def becomes(monitor, state):
    """Refresh until the channel shows this state: what is read from the store is read twice a second at most."""
    while (await monitor.refresh()).channels[0].state != state:  # noqa: ASYNC110 # the reading's age has no event
        await asyncio.sleep(0.02)


async def test_a_delta_is_published_with_rising_numbers_and_the_tail_of_the_chart(town):
    monitor = town.monitor()
    ear = town.bus.subscribe(TOPIC)
    await monitor.refresh()
    await monitor.refresh()
    first, second = (await anext(ear)).data, (await anext(ear)).data
    assert second["seq"] == first["seq"] + 1
    assert set(first) == TOP
    assert set(first["series"]) == {"step_ms", "tail"}
    assert len(first["series"]["tail"]) == 3
    assert len(msgspec.json.encode(first)) < 4_000


async def test_the_snapshot_goes_on_where_the_deltas_are(town):
    monitor = town.monitor()
    await monitor.refresh()
    last = await monitor.refresh()
    assert (await monitor.snapshot()).seq == last.seq


@pytest.mark.parametrize("range_", ["1h", "6h", "24h"])
async def test_longer_ranges_and_filters_show_the_same_messages(town, range_):
    await town.tell(wrote(1, START), wrote(2, START + 1, account="other", conversation="c2"))
    monitor = town.monitor()
    whole = await monitor.snapshot(range_)
    one = await monitor.snapshot(range_, "shopee", "other")
    step_s = whole.series.step_ms / 1000

    def messages(snapshot):
        return sum(round(p[1] * max(1.0, min(step_s, (town.now - p[0]) / 1000))) for p in snapshot.series.points)

    assert messages(whole) == 2
    assert messages(one) == 1
    assert [row.account for row in one.channels] == ["other"]


async def test_an_unknown_range_is_refused(town):
    with pytest.raises(RejectedError, match="15m, 1h, 6h, 24h"):
        await town.monitor().snapshot("1y")


async def test_the_whole_screen_is_grey_once_the_engine_is_silent(town):
    monitor = town.monitor()
    await town.tell(wrote(1, START), fired(1, START))
    assert (await monitor.refresh()).state == "live"
    town.now += 11_000
    town.beat("engine")
    snapshot = await monitor.snapshot()
    assert snapshot.state == "no_data"
    assert {row.state for row in snapshot.channels} == {"no_data"}
    assert snapshot.monitor.silent_since == START
    assert [alarm.evidence for alarm in snapshot.monitor.alarms] == [{"part": "engine"}]


async def test_the_last_snapshot_grows_stale_when_the_database_is_out_of_reach(town):
    class Broken:
        def __getattr__(self, name):
            async def refuse(*_, **__):
                raise StoreBusyError("database is locked")

            return refuse

    monitor = town.monitor()
    await monitor.refresh()
    monitor._store = Broken()
    with pytest.raises(StoreBusyError):
        await monitor.refresh()
    town.now += 6_000
    town.beat()
    assert (await monitor.snapshot()).state == "stale"
    town.now += 60_000
    town.beat()
    assert (await monitor.snapshot()).state == "no_data"


async def test_the_coverage_line_counts_the_channels_whose_engine_runs(town):
    class Half:
        def checked_channels(self, bound):
            return bound & {"shopee/shop-sg"}

        def applied_unsaved(self):
            return False

    await town.tell(wrote(1, START), wrote(2, START, account="forgotten", conversation="c2"))
    monitor = town.monitor(checks=Half())
    await monitor.refresh()
    town.beat()
    snapshot = await monitor.refresh()
    assert (snapshot.monitor.channels_bound, snapshot.monitor.channels_checked) == (2, 1)
    assert [alarm.kind for alarm in snapshot.monitor.alarms] == ["coverage"]


async def test_the_monitor_keeps_itself_fresh_and_stops(town):
    monitor = town.monitor()
    ear = town.bus.subscribe(TOPIC)
    await monitor.start()
    await anext(ear)
    await anext(ear)
    await monitor.stop()


async def test_a_late_checkpoint_confirms_a_loss_at_once(town):
    await town.tell(wrote(1, START))
    check = Checkpoint(
        platform="shopee",
        account="shop-sg",
        at=START + 1_000,
        conversation="c1",
        start=START - MINUTE,
        end=START + 1,
        count=2,
        messages=["m1", "gone"],
    )
    await town.tell(check)
    await town.pass_to(START + 30_000)
    lost = (await town.monitor().refresh()).tiles.lost
    assert (lost.suspected, lost.confirmed) == (0, 1)
