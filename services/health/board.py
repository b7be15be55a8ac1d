"""From readings to the monitor's snapshot: every number of the screen is calculated here. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from actors.anomaly import KINDS
from actors.keys import channel_key, partition_of, split_key
from services.health.condition import REASON_ORDER, STATE_ORDER, condition
from services.health.incidents import Incident, group, guide_of
from services.health.mutes import covers, last_to_end
from services.health.platforms import compare
from services.health.series import Point
from services.health.snapshot import (
    Authorisation,
    ChannelHealth,
    Checked,
    Counted,
    EndToEnd,
    Heat,
    Ledger,
    Lost,
    MuteShown,
    OldestWait,
    Series,
    SlaExposure,
    Snapshot,
    Tiles,
)
from services.health.traffic import Total, expected_inbound
from services.health.watchdog import Verdict
from storage.records import AnomalyCount, ChannelRow, LedgerRow, Mute

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
SUSPECTED_MS = 2 * MINUTE_MS
STALE_MS = 5_000
"""A snapshot that was not refreshed for this long is stale, and after NO_DATA_MS no data at all."""
NO_DATA_MS = 30_000
LEARNED_LEAST = 50
"""Messages learned before a channel's expected number means anything."""
INCIDENTS_MOST = 60
MUTES_MOST = 20
AT_RISK = frozenset({"loss", "delay", "notification_missed"})


class Scope(Struct, frozen=True, kw_only=True):
    """What a viewer looks at; None means all."""

    platform: str | None = None
    account: str | None = None

    def holds(self, platform: str, account: str) -> bool:
        """Whether a channel is looked at."""
        return self.platform in (None, platform) and self.account in (None, account)


EVERYTHING = Scope()


class Readings(Struct, kw_only=True):
    """All that is read for one snapshot, of every channel unless it says otherwise. Times in ms."""

    now: int
    range: str
    range_ms: int
    verdict: Verdict
    checked_at: int
    partitions: int = 1
    channels: list[ChannelRow] = field(default_factory=list)
    unresolved: list[AnomalyCount] = field(default_factory=list)
    opened: list[AnomalyCount] = field(default_factory=list)
    """Anomalies opened within the range, resolved ones too."""
    lost_since_long: list[AnomalyCount] = field(default_factory=list)
    """Unresolved losses that opened more than SUSPECTED_MS ago."""
    lost_in_a_day: list[AnomalyCount] = field(default_factory=list)
    """Losses opened within 24 h."""
    traffic: dict[str, Total] = field(default_factory=dict)
    """Of the scope looked at, by channel, over the range."""
    whole: Total | None = None
    """Of the scope looked at, over the range."""
    got: dict[str, int] = field(default_factory=dict)
    """Inbound messages by channel in the hour that began at `hour_began`."""
    hour_began: int = 0
    last_week: Total | None = None
    p95_spark: list[int | None] = field(default_factory=list)
    at_risk_spark: list[int] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    """Of the scope looked at."""
    step_ms: int = 60_000
    sla: dict[str, dict[str, int]] = field(default_factory=dict)
    ledger: list[LedgerRow] = field(default_factory=list)
    applied_unsaved: bool = False
    """The oldest record that waits is applied and only waits to be saved."""
    troubled_until: dict[str, int] = field(default_factory=dict)
    """By channel: when it was last seen down or slow."""
    mutes: list[Mute] = field(default_factory=list)
    """Those in force at `now`."""


def build(r: Readings, scope: Scope, seq: int) -> Snapshot:
    """The snapshot of what `scope` looks at."""
    unresolved = [c for c in r.unresolved if scope.holds(c.platform, c.account)]
    opened = [c for c in r.opened if scope.holds(c.platform, c.account)]
    channels = [c for c in r.channels if scope.holds(c.platform, c.account)]
    incidents = group(unresolved, opened, r.mutes)
    state = "no_data" if r.verdict.silent_since is not None else "live"
    rows = matrix(r, channels, unresolved, opened, incidents)
    if state == "no_data":
        rows = [replace(row, state="no_data", reason="monitor") for row in rows]
    shown = [i for i in incidents if i.hidden_by is None]
    mutes = mutes_shown(r.mutes, scope, incidents)
    return Snapshot(
        seq=seq,
        at=r.now,
        state=state,
        range=r.range,
        monitor=checked(r),
        tiles=tiles(r, scope, unresolved, opened, incidents),
        series=Series(step_ms=r.step_ms, points=r.points),
        channels=sorted(rows, key=_row_order),
        heat=heat(channels, opened),
        sla=sla(r, scope),
        incidents=shown[:INCIDENTS_MOST],
        incidents_total=len(shown),
        ledger=ledger(r.ledger, scope),
        platforms=compare({key: part for key, part in r.traffic.items() if in_scope(key, scope)}, opened),
        mutes=mutes[:MUTES_MOST],
        mutes_total=len(mutes),
    )


def mutes_shown(mutes: list[Mute], scope: Scope, incidents: list[Incident]) -> list[MuteShown]:
    """The mutes that touch what is looked at, each with the unresolved anomalies it covers."""
    return [
        MuteShown(
            id=mute.id,
            at=mute.at,
            until=mute.until,
            who=mute.who,
            reason=mute.reason,
            kind=mute.kind,
            platform=mute.platform,
            account=mute.account,
            count=sum(i.open for i in incidents if covers(mute, i.platform, i.account, i.guide)),
        )
        for mute in mutes
        if scope.platform in (None, mute.platform or scope.platform)
        and scope.account in (None, mute.account or scope.account)
    ]


def aged(snapshot: Snapshot, verdict: Verdict, now: int) -> Snapshot:
    """The same snapshot as it must be shown at `now` (ms): what was not refreshed lately is never shown as live."""
    age = now - snapshot.monitor.checked_at
    if age > NO_DATA_MS or verdict.silent_since is not None:
        silent_since = verdict.silent_since or snapshot.monitor.checked_at
        monitor = replace(snapshot.monitor, heartbeats=verdict.beats, alarms=verdict.alarms, silent_since=silent_since)
        rows = [replace(row, state="no_data", reason="monitor") for row in snapshot.channels]
        return replace(snapshot, state="no_data", monitor=monitor, channels=rows)
    return replace(snapshot, state="stale") if age > STALE_MS and snapshot.state == "live" else snapshot


def checked(r: Readings) -> Checked:
    """How fresh the monitor is."""
    v = r.verdict
    return Checked(
        checked_at=r.checked_at,
        channels_bound=v.channels_bound,
        channels_checked=v.channels_checked,
        heartbeats=v.beats,
        oldest_unprocessed_ms=v.backlog.oldest_ms,
        accepted=v.backlog.accepted,
        processed=v.backlog.processed,
        loop_lag_ms=v.loop_lag_ms,
        silent_since=v.silent_since,
        alarms=v.alarms,
    )


def tiles(
    r: Readings,
    scope: Scope,
    unresolved: list[AnomalyCount],
    opened: list[AnomalyCount],
    incidents: list[Incident],
) -> Tiles:
    """The top row."""
    muted = {(i.platform, i.account, i.guide) for i in incidents if i.muted_by is not None}
    wait = r.verdict.backlog.oldest_ms or 0
    hop = "none" if wait == 0 else "store" if r.applied_unsaved else "queue"
    outbound = [c for c in unresolved if c.cause == "outbound"]
    risk = counted((c for c in unresolved if c.kind in AT_RISK), muted)
    return Tiles(
        at_risk=replace(risk, spark=r.at_risk_spark),
        oldest_wait=OldestWait(ms=wait, hop=hop),
        e2e=end_to_end(r, wait),
        lost=lost(r, scope, unresolved),
        failed_out=counted(outbound, muted),
        unreached=counted((c for c in unresolved if c.kind == "notification_missed"), muted),
        attachments=counted(c for c in unresolved if c.kind == "attachment_failed"),
        translations=counted(c for c in unresolved if c.kind == "translation_failed"),
        duplicates=counted(c for c in opened if c.kind == "duplicate"),
    )


def counted(counts: Iterable[AnomalyCount], muted: Collection[tuple[str, str, str]] = ()) -> Counted:
    """How many there are, when the first of them opened, and how many are of `muted` (platform, account, trouble)."""
    chosen = list(counts)
    return Counted(
        value=sum(c.count for c in chosen),
        oldest_at=min((c.oldest for c in chosen), default=None),
        muted=sum(c.count for c in chosen if (c.platform, c.account, guide_of(c.kind, c.cause)) in muted),
    )


def end_to_end(r: Readings, wait: int) -> EndToEnd:
    """Delays over the range of the channels looked at; what waits in Weir now comes on top."""
    p50, p95 = (None, None) if r.whole is None else (r.whole.p50, r.whole.p95)
    week = r.last_week
    return EndToEnd(
        p50_ms=None if p50 is None else p50 + wait,
        p95_ms=None if p95 is None else p95 + wait,
        p50_last_week_ms=None if week is None else week.p50,
        p95_last_week_ms=None if week is None else week.p95,
        spark=r.p95_spark,
    )


def lost(r: Readings, scope: Scope, unresolved: list[AnomalyCount]) -> Lost:
    """Suspected, confirmed and fixed losses of what customers wrote."""
    now = sum(c.count for c in unresolved if is_inbound_loss(c))
    named = sum(c.count for c in unresolved if is_inbound_loss(c) and c.cause == "checkpoint")
    old = sum(
        c.count
        for c in r.lost_since_long
        if is_inbound_loss(c) and c.cause != "checkpoint" and scope.holds(c.platform, c.account)
    )
    confirmed = min(now, named + old)
    fixed = sum(
        c.count
        for c in r.lost_in_a_day
        if is_inbound_loss(c) and c.status == "resolved" and scope.holds(c.platform, c.account)
    )
    return Lost(suspected=now - confirmed, confirmed=confirmed, fixed=fixed)


def is_inbound_loss(c: AnomalyCount) -> bool:
    """A loss that is no failed answer of ours."""
    return c.kind == "loss" and c.cause != "outbound"


def matrix(
    r: Readings,
    channels: list[ChannelRow],
    unresolved: list[AnomalyCount],
    opened: list[AnomalyCount],
    incidents: list[Incident],
) -> list[ChannelHealth]:
    """One row per channel."""
    now_by, opened_by = _by_channel(unresolved), _by_channel(opened)
    troubles: dict[str, dict[str, Incident]] = defaultdict(dict)
    for incident in incidents:
        if incident.open:
            troubles[channel_key(incident.platform, incident.account)][incident.guide] = incident
    return [_health(r, c, now_by.get(c.key, []), opened_by.get(c.key, []), troubles.get(c.key, {})) for c in channels]


def _health(
    r: Readings,
    c: ChannelRow,
    unresolved: list[AnomalyCount],
    opened: list[AnomalyCount],
    troubles: dict[str, Incident],
) -> ChannelHealth:
    now = _sums(unresolved)
    stuck = r.verdict.backlog.stuck
    found = condition(
        c,
        troubles,
        r.mutes,
        now=r.now,
        stuck_since=stuck.get(partition_of(c.platform, c.account, r.partitions)) if stuck else None,
        troubled_until=r.troubled_until.get(c.key),
    )
    quiet = [i for i in troubles.values() if i.muted_by is not None]
    whole = last_to_end(r.mutes, c.platform, c.account)
    ends = [i.muted_until for i in quiet if i.muted_until is not None] + ([whole.until] if whole is not None else [])
    part = r.traffic.get(c.key)
    expected = expected_inbound(c.hourly, max(r.hour_began, c.first_at), r.now)
    return ChannelHealth(
        key=c.key,
        platform=c.platform,
        account=c.account,
        state=found.state,
        reason=found.reason,
        last_in_at=c.last_in_at,
        expected=round(expected) if c.learned >= LEARNED_LEAST else None,
        got=r.got.get(c.key, 0),
        p95_ms=None if part is None else part.p95,
        loss=sum(x.count for x in unresolved if is_inbound_loss(x)),
        duplicate=sum(x.count for x in opened if x.kind == "duplicate"),
        out_of_sync=now["out_of_sync"],
        attachment_failed=now["attachment_failed"],
        notification_missed=now["notification_missed"],
        translation_failed=now["translation_failed"],
        out_fail=sum(x.count for x in unresolved if x.cause == "outbound"),
        delay=sum(x.count for x in opened if x.kind == "delay"),
        hidden=sum(i.open for i in troubles.values() if i.hidden_by is not None),
        auth=Authorisation(status=c.auth_status, expires_at=c.auth_expires_at),
        at_risk=sum(x.count for x in unresolved if x.kind in AT_RISK),
        since=found.since,
        muted=sum(i.open for i in quiet),
        muted_until=max(ends, default=None),
    )


def heat(channels: list[ChannelRow], opened: list[AnomalyCount]) -> Heat:
    """Anomalies opened within the range, platforms by kinds."""
    platforms = sorted({c.platform for c in channels} | {c.platform for c in opened})
    cells = {(p, k): 0 for p in platforms for k in KINDS}
    for c in opened:
        cells[c.platform, c.kind] = cells.get((c.platform, c.kind), 0) + c.count  # pyright: ignore[reportArgumentType]
    return Heat(platforms=platforms, kinds=list(KINDS), cells=[[cells[p, k] for k in KINDS] for p in platforms])


def sla(r: Readings, scope: Scope) -> list[SlaExposure]:
    """By platform; those without a running clock are left out."""
    return [
        SlaExposure(platform=platform, ok=n.get("ok", 0), at_risk=n.get("at_risk", 0), breached=n.get("breached", 0))
        for platform, n in sorted(r.sla.items())
        if scope.platform in (None, platform)
    ]


def ledger(rows: list[LedgerRow], scope: Scope) -> Ledger:
    """The account of the channels looked at; what belongs to no channel counts when all are."""
    chosen = [row for row in rows if in_scope(row.channel, scope)]
    return Ledger(
        accepted=sum(row.accepted for row in chosen),
        stored=sum(row.stored for row in chosen),
        duplicates=sum(row.duplicates for row in chosen),
        rejected=sum(row.rejected for row in chosen),
        balanced=all(row.accepted == row.stored + row.duplicates + row.rejected for row in chosen),
    )


def in_scope(channel: str, scope: Scope) -> bool:
    """Whether the channel of this key is looked at; what belongs to no channel is only when everything is."""
    return scope == EVERYTHING or scope.holds(*(*split_key(channel), "")[:2])


def _by_channel(counts: list[AnomalyCount]) -> dict[str, list[AnomalyCount]]:
    result: dict[str, list[AnomalyCount]] = defaultdict(list)
    for c in counts:
        result[channel_key(c.platform, c.account)].append(c)
    return result


def _sums(counts: list[AnomalyCount]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for c in counts:
        sums[c.kind] += c.count
    return sums


def _row_order(row: ChannelHealth) -> tuple[int, int, int, int, str]:
    reason = REASON_ORDER.get(row.reason or "", 0)
    return (STATE_ORDER[row.state], reason, -row.at_risk, row.since or 0, row.key)
