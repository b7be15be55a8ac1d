"""What the message-health monitor shows, as records; encoded as they are for GET /monitor and for the live bus.

Every number's definition stands beside it here and in docs/detectors.md; all times and spans are in ms.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from services.health.heartbeats import Beat
from services.health.incidents import Incident
from services.health.platforms import PlatformHealth
from services.health.series import Point
from services.health.watchdog import Alarm


class Checked(Struct, frozen=True, kw_only=True):
    """How fresh the monitor is, and whether it covers every channel.

    `polling_ms`: while the live bus is interrupted, how often the store is read instead.
    """

    checked_at: int
    channels_bound: int = 0
    channels_checked: int = 0
    heartbeats: list[Beat] = []
    oldest_unprocessed_ms: int | None = None
    accepted: int = 0
    processed: int = 0
    loop_lag_ms: int = 0
    silent_since: int | None = None
    polling_ms: int | None = None
    alarms: list[Alarm] = []


class Counted(Struct, frozen=True, kw_only=True):
    """A number of messages or anomalies, since when the oldest of them is there, and its recent course.

    `muted` of them are covered by a mute: counted, but no alarm.
    """

    value: int
    oldest_at: int | None = None
    muted: int = 0
    spark: list[int] = []


class OldestWait(Struct, frozen=True, kw_only=True):
    """What has waited longest since it was accepted; `hop`: `queue`, `store` (applied, not yet saved) or `none`."""

    ms: int = 0
    hop: str = "none"


class EndToEnd(Struct, frozen=True, kw_only=True):
    """Delay from the platform to Weir over the range, plus what waits in Weir now; beside the same hour a week ago."""

    p50_ms: int | None = None
    p95_ms: int | None = None
    p50_last_week_ms: int | None = None
    p95_last_week_ms: int | None = None
    spark: list[int | None] = []


class Lost(Struct, frozen=True, kw_only=True):
    """Losses that are no failed answers.

    `suspected`: unresolved, noticed by a gap or a reference within the last two minutes; `confirmed`: unresolved, older
    or named by the platform itself; `fixed`: resolved, of those opened within 24 h.
    """

    suspected: int = 0
    confirmed: int = 0
    fixed: int = 0


class Tiles(Struct, frozen=True, kw_only=True):
    """The top row, most urgent first: unresolved anomalies, but `duplicates` are those opened within the range."""

    at_risk: Counted
    oldest_wait: OldestWait
    e2e: EndToEnd
    lost: Lost
    failed_out: Counted
    unreached: Counted
    attachments: Counted
    translations: Counted
    duplicates: Counted


class Series(Struct, frozen=True, kw_only=True):
    """The chart: steps of `step_ms`, ascending."""

    step_ms: int
    points: list[Point]


class Authorisation(Struct, frozen=True, kw_only=True):
    """The last state of a channel's authorisation that the platform told."""

    status: str | None = None
    expires_at: int | None = None


class ChannelHealth(Struct, frozen=True, kw_only=True):
    """One row of the matrix.

    `state`: ok, slow, down, recovering, no_data or silenced; `reason`: the trouble behind it, of a slow one the worst
    of loss, loss_outbound, delay and notification_missed, after which the screens call it. `expected`/`got`: inbound
    messages of the last hour. `p95_ms`: delay over the range. `delay` and `duplicate` count anomalies opened within the
    range, the other kinds unresolved ones. `hidden`: unresolved anomalies hidden by a larger trouble of the channel;
    `at_risk`: unresolved losses, delays, failed answers and unreached messages; `since`: when its worst trouble began.

    A channel is silenced when each trouble that would name its state is muted, or all of the channel is; `reason` and
    `since` are then those of the muted trouble. `muted`: its unresolved anomalies that are muted; `muted_until`: when
    the last mute of it that keeps anything quiet ends.
    """

    key: str
    platform: str
    account: str
    state: str
    reason: str | None = None
    last_in_at: int | None = None
    expected: int | None = None
    got: int = 0
    p95_ms: int | None = None
    loss: int = 0
    duplicate: int = 0
    out_of_sync: int = 0
    attachment_failed: int = 0
    notification_missed: int = 0
    translation_failed: int = 0
    out_fail: int = 0
    delay: int = 0
    hidden: int = 0
    auth: Authorisation = Authorisation()
    at_risk: int = 0
    since: int | None = None
    muted: int = 0
    muted_until: int | None = None


class MuteShown(Struct, frozen=True, kw_only=True):
    """A mute in force, and how many unresolved anomalies it keeps quiet; None means all."""

    id: str
    at: int
    until: int
    who: str
    reason: str
    kind: str | None = None
    platform: str | None = None
    account: str | None = None
    count: int = 0


class Heat(Struct, frozen=True, kw_only=True):
    """Anomalies opened within the range: one row per platform, one column per kind."""

    platforms: list[str]
    kinds: list[str]
    cells: list[list[int]]


class SlaExposure(Struct, frozen=True, kw_only=True):
    """Conversations of a platform by the state of their running response clock."""

    platform: str
    ok: int = 0
    at_risk: int = 0
    breached: int = 0


class Ledger(Struct, frozen=True, kw_only=True):
    """The account of every event ever accepted; `balanced`: accepted = stored + duplicates + rejected, per channel."""

    accepted: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    balanced: bool = True


class Snapshot(Struct, frozen=True, kw_only=True):
    """The whole screen at one moment; `state`: live, stale (not refreshed) or no_data (engine or monitor stopped)."""

    seq: int
    at: int
    state: str
    range: str
    monitor: Checked
    tiles: Tiles
    series: Series
    channels: list[ChannelHealth]
    heat: Heat
    sla: list[SlaExposure]
    incidents: list[Incident]
    incidents_total: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    platforms: list[PlatformHealth] = []
    mutes: list[MuteShown] = []
    """Those in force that touch what is looked at, the longest first; `mutes_total` counts them all."""
    mutes_total: int = 0


TAIL = 3
"""Points of the chart that a delta carries."""


def delta(snapshot: Snapshot) -> dict[str, Any]:
    """What is pushed: the snapshot with only the chart's last points."""
    body: dict[str, Any] = msgspec.to_builtins(snapshot)
    points = body["series"].pop("points")
    body["series"]["tail"] = points[-TAIL:]
    return body
