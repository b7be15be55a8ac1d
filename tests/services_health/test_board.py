from __future__ import annotations

from msgspec.structs import replace

from actors.sketch import Sketch
from services.health.backlog import Reading
from services.health.board import NO_DATA_MS, STALE_MS, Readings, Scope, aged, build
from services.health.heartbeats import Beat
from services.health.traffic import Total
from services.health.watchdog import judge
from storage.records import AnomalyCount, ChannelRow, LedgerRow

NOW = 1_795_312_800_000
PARTS = ("engine", "persister", "gateway", "monitor", "watchdog")


def verdict(*silent, oldest_ms=None, stuck=None, bound=2, checked=2):
    beats = [Beat(part=p, at=NOW - (60_000 if p in silent else 0), ok=p not in silent) for p in PARTS]
    backlog = Reading(at=NOW, accepted=50, processed=0 if stuck else 50, oldest_ms=oldest_ms, stuck=stuck or {})
    return judge(beats, backlog, (bound, checked), (3, NOW), NOW)


def channel(account, platform="shopee", **more):
    given = {"first_at": NOW - 86_400_000, "last_at": NOW, "messages": 100, "learned": 100} | more
    return ChannelRow(key=f"{platform}/{account}", platform=platform, account=account, **given)


def count(kind, n=1, *, account="a", platform="shopee", status="open", cause="", severity="critical", at=NOW - 60_000):
    return AnomalyCount(
        platform=platform,
        account=account,
        kind=kind,
        status=status,
        severity=severity,
        count=n,
        oldest=at,
        latest=at,
        cause=cause,
    )


def readings(**given):
    basis = {
        "now": NOW,
        "range": "15m",
        "range_ms": 900_000,
        "verdict": verdict(),
        "checked_at": NOW,
        "partitions": 4,
        "channels": [channel("a"), channel("b", "ebay")],
        "hour_began": NOW - 3_540_000,
    }
    return Readings(**(basis | given))


def screen(*, scope=None, **given):
    return build(readings(**given), scope or Scope(), 7)


def rows(snapshot):
    return {row.key: row for row in snapshot.channels}


def test_a_screen_without_trouble_is_live_and_every_channel_ok():
    snapshot = screen()
    assert snapshot.state == "live"
    assert [row.state for row in snapshot.channels] == ["ok", "ok"]
    assert snapshot.tiles.at_risk.value == 0
    assert snapshot.ledger.balanced


def test_at_risk_counts_unresolved_losses_delays_failed_answers_and_unreached_messages():
    unresolved = [
        count("loss", 2, cause="gap"),
        count("loss", 3, cause="outbound", at=NOW - 500_000),
        count("delay", 1),
        count("notification_missed", 4),
        count("translation_failed", 5),
        count("attachment_failed", 6),
    ]
    tiles = screen(unresolved=unresolved, opened=[count("duplicate", 7, status="resolved")]).tiles
    assert (tiles.at_risk.value, tiles.at_risk.oldest_at) == (10, NOW - 500_000)
    assert tiles.failed_out.value == 3
    assert tiles.unreached.value == 4
    assert tiles.translations.value == 5
    assert tiles.attachments.value == 6
    assert tiles.duplicates.value == 7


def test_losses_are_suspected_at_first_and_confirmed_by_age_or_by_the_platform():
    unresolved = [
        count("loss", 5, cause="gap"),
        count("loss", 2, cause="checkpoint"),
        count("loss", 9, cause="outbound"),
    ]
    old = [count("loss", 3, cause="gap"), count("loss", 2, cause="checkpoint")]
    day = [count("loss", 4, cause="gap", status="resolved"), count("loss", 8, cause="outbound", status="resolved")]
    lost = screen(unresolved=unresolved, lost_since_long=old, lost_in_a_day=day).tiles.lost
    assert (lost.suspected, lost.confirmed, lost.fixed) == (2, 5, 4)


def test_the_worst_trouble_names_the_state_of_a_channel():
    states = {
        "down": [count("channel_silent", cause="auth"), count("delay")],
        "slow": [count("delay")],
    }
    for state, unresolved in states.items():
        assert rows(screen(unresolved=unresolved))["shopee/a"].state == state
    row = rows(screen(unresolved=states["down"]))["shopee/a"]
    assert (row.reason, row.since, row.hidden) == ("auth", NOW - 60_000, 1)


def test_a_missing_attachment_shows_in_its_column_and_leaves_the_channel_ok():
    row = rows(screen(unresolved=[count("attachment_failed"), count("translation_failed")]))["shopee/a"]
    assert (row.state, row.attachment_failed, row.translation_failed) == ("ok", 1, 1)


def test_a_channel_that_was_in_trouble_a_minute_ago_is_recovering():
    row = rows(screen(troubled_until={"shopee/a": NOW - 60_000}))["shopee/a"]
    assert row.state == "recovering"
    assert rows(screen(troubled_until={"shopee/a": NOW - 600_000}))["shopee/a"].state == "ok"


def test_a_channel_that_never_spoke_has_no_data():
    assert screen(channels=[channel("a", messages=0, learned=0)]).channels[0].state == "no_data"


def test_every_channel_has_no_data_once_the_engine_has_stopped():
    snapshot = screen(verdict=verdict("engine"), unresolved=[count("channel_silent", cause="silence")])
    assert snapshot.state == "no_data"
    assert {row.state for row in snapshot.channels} == {"no_data"}
    assert snapshot.monitor.silent_since == NOW - 60_000


def test_channels_of_a_stuck_partition_are_down_and_the_banner_says_accepted_and_processed():
    stuck = verdict(oldest_ms=298_000, stuck=dict.fromkeys(range(4), NOW - 298_000))
    snapshot = screen(verdict=stuck)
    assert {(row.state, row.reason) for row in snapshot.channels} == {("down", "queue")}
    assert (snapshot.tiles.oldest_wait.ms, snapshot.tiles.oldest_wait.hop) == (298_000, "queue")
    (alarm,) = snapshot.monitor.alarms
    assert (alarm.kind, alarm.severity) == ("queue", "critical")
    assert (alarm.evidence["accepted"], alarm.evidence["processed"]) == (50, 0)


def test_what_waits_in_weir_is_part_of_the_way_from_end_to_end():
    sketch = Sketch()
    sketch.add(1_000)
    whole = Total(delays=sketch)
    assert abs((screen(whole=whole).tiles.e2e.p50_ms or 0) - 1_000) <= 10
    waiting = screen(whole=whole, verdict=verdict(oldest_ms=20_000))
    assert abs((waiting.tiles.e2e.p50_ms or 0) - 21_000) <= 10


def test_a_young_channel_is_expected_to_have_spoken_only_since_it_is_known():
    hourly = [60.0] * 24
    young = channel("a", first_at=NOW - 600_000, hourly=hourly)
    old = channel("b", "ebay", hourly=hourly)
    unlearned = channel("c", hourly=hourly, learned=3)
    found = rows(screen(channels=[young, old, unlearned], got={"shopee/a": 9}))
    assert (found["shopee/a"].expected, found["shopee/a"].got) == (10, 9)
    assert found["ebay/b"].expected == 59
    assert found["shopee/c"].expected is None


def test_channels_come_by_severity_then_risk():
    unresolved = [
        count("loss", 1, account="few", cause="gap"),
        count("loss", 9, account="many", cause="gap"),
        count("channel_silent", account="dumb", cause="silence"),
    ]
    names = ("fine", "few", "many", "dumb")
    snapshot = screen(channels=[channel(n) for n in names], unresolved=unresolved)
    assert [row.account for row in snapshot.channels] == ["dumb", "many", "few", "fine"]


def test_losses_stand_before_failed_answers_delays_and_missed_notifications_however_many_those_are():
    unresolved = [
        count("notification_missed", 90, account="unheard"),
        count("delay", 20, account="late"),
        count("loss", 5, account="unsent", cause="outbound"),
        count("loss", 1, account="lost", cause="gap"),
    ]
    names = ("unheard", "late", "unsent", "lost")
    snapshot = screen(channels=[channel(n) for n in names], unresolved=unresolved)
    assert [row.account for row in snapshot.channels] == ["lost", "unsent", "late", "unheard"]
    assert [row.reason for row in snapshot.channels] == ["loss", "loss_outbound", "delay", "notification_missed"]


def test_a_filter_leaves_nothing_of_other_channels():
    unresolved = [count("loss", 2, cause="gap"), count("loss", 5, account="b", platform="ebay", cause="gap")]
    ledger = [
        LedgerRow(channel="shopee/a", accepted=3, stored=2, duplicates=1),
        LedgerRow(channel="ebay/b", accepted=1, stored=1),
        LedgerRow(channel="~0", accepted=4, rejected=4),
    ]
    snapshot = screen(scope=Scope(platform="ebay"), unresolved=unresolved, opened=unresolved, ledger=ledger)
    assert [row.key for row in snapshot.channels] == ["ebay/b"]
    assert snapshot.tiles.at_risk.value == 5
    assert snapshot.heat.platforms == ["ebay"]
    assert snapshot.ledger.accepted == 1
    assert screen(ledger=ledger).ledger.rejected == 4


def test_a_ledger_out_of_balance_in_one_channel_is_out_of_balance():
    ledger = [LedgerRow(channel="shopee/a", accepted=3, stored=2), LedgerRow(channel="ebay/b", accepted=1, stored=2)]
    assert not screen(ledger=ledger).ledger.balanced


def test_heat_cells_add_up_to_the_anomalies_opened():
    opened = [count("loss", 2), count("delay", 3, status="resolved"), count("loss", 4, account="b", platform="ebay")]
    heat = screen(opened=opened).heat
    assert sum(map(sum, heat.cells)) == 9
    assert heat.cells[heat.platforms.index("ebay")][heat.kinds.index("loss")] == 4


def test_hidden_incidents_are_not_listed_but_counted():
    unresolved = [count("channel_silent", cause="silence"), count("loss", 6, cause="gap")]
    snapshot = screen(unresolved=unresolved)
    assert [(i.kind, i.hidden) for i in snapshot.incidents] == [("channel_silent", 6)]
    row = rows(snapshot)["shopee/a"]
    assert (row.loss, row.hidden, row.at_risk) == (6, 6, 6)


def test_an_old_snapshot_is_never_shown_as_live():
    fresh = screen()
    assert aged(fresh, verdict(), NOW).state == "live"
    assert aged(fresh, verdict(), NOW + STALE_MS + 1).state == "stale"
    old = aged(fresh, verdict(), NOW + NO_DATA_MS + 1)
    assert (old.state, old.monitor.silent_since) == ("no_data", NOW)
    assert {row.state for row in old.channels} == {"no_data"}


def test_a_snapshot_taken_before_the_engine_stopped_is_shown_without_data():
    assert aged(screen(), verdict("engine"), NOW).state == "no_data"


def test_the_auth_column_shows_what_the_platform_last_told():
    row = screen(channels=[replace(channel("a"), auth_status="expiring", auth_expires_at=NOW + 1)]).channels[0]
    assert (row.auth.status, row.auth.expires_at) == ("expiring", NOW + 1)
