"""The condition of a channel, as one word: its worst trouble names it, unless a mute keeps that quiet. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from services.health.incidents import Incident
from services.health.mutes import last_to_end
from storage.records import ChannelRow, Mute

RECOVERING_MS = 180_000
DOWNING = ("auth", "channel_silent")
SLOWING = ("loss", "loss_outbound", "delay", "notification_missed")
"""Unresolved troubles that make a channel down or slow, the worst first; the others show in their own columns."""
STATE_ORDER = {"down": 0, "slow": 1, "no_data": 2, "recovering": 3, "silenced": 4, "ok": 5}
REASON_ORDER = {reason: rank for rank, reason in enumerate(SLOWING)}


class Condition(Struct, frozen=True):
    """`reason` and `since` (ms) belong to the trouble that names the state; None without one."""

    state: str
    reason: str | None = None
    since: int | None = None


def condition(
    channel: ChannelRow,
    troubles: Mapping[str, Incident],
    mutes: Sequence[Mute],
    *,
    now: int,
    stuck_since: int | None,
    troubled_until: int | None,
) -> Condition:
    """How a channel is at `now` (ms).

    `troubles`: its open incidents by guide; `stuck_since`: since when its partition is not processed;
    `troubled_until`: when it was last seen down or slow.
    """
    loud = {guide: trouble for guide, trouble in troubles.items() if trouble.muted_by is None}
    found = _of_troubles(loud, stuck_since)
    if found is not None:
        return found
    quiet = _of_troubles(troubles, None)
    if quiet is not None:
        return Condition("silenced", quiet.reason, quiet.since)
    if last_to_end(mutes, channel.platform, channel.account) is not None:
        return Condition("silenced")
    if troubled_until is not None and now - troubled_until < RECOVERING_MS:
        return Condition("recovering", None, troubled_until)
    return Condition("ok") if channel.messages else Condition("no_data", "never_heard", channel.first_at)


def _of_troubles(troubles: Mapping[str, Incident], stuck_since: int | None) -> Condition | None:
    """The condition that the worst of these names."""
    for guide in DOWNING:
        if guide in troubles:
            return Condition("down", guide, troubles[guide].since)
    if stuck_since is not None:
        return Condition("down", "queue", stuck_since)
    for guide in SLOWING:
        if guide in troubles:
            return Condition("slow", guide, troubles[guide].since)
    return None
