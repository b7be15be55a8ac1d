"""From the core's states to the rows that the store keeps for reading."""

from __future__ import annotations

from actors.detectors.silence import HOUR_MS, hourly_rates
from actors.effects import MinutePassed
from actors.sketch import Sketch
from actors.state import Channel
from storage.records import ChannelRow, LedgerRow, MinuteRow


def channel_row(channel: Channel) -> ChannelRow:
    """One channel as the monitor reads it."""
    state = channel.state
    return ChannelRow(
        key=channel.key,
        platform=channel.platform,
        account=channel.account,
        first_at=state.first_at,
        last_at=state.last_at,
        last_in_at=state.last_in_at,
        messages=state.messages,
        duplicates=state.repeated,
        offset_ms=state.offset,
        learned=state.learned,
        hourly=[round(rate * HOUR_MS, 3) for rate in hourly_rates(state)],
        auth_status=state.auth_status,
        auth_at=state.auth_at,
        auth_expires_at=state.expires_at,
    )


def ledger_row(channel: Channel) -> LedgerRow:
    """One channel's account."""
    state = channel.state
    return LedgerRow(
        channel=channel.key,
        accepted=state.accepted,
        stored=state.stored,
        duplicates=state.duplicates,
        rejected=state.rejected,
    )


def minute_row(minute: MinutePassed) -> MinuteRow:
    """One minute of a channel's traffic."""
    return MinuteRow(
        channel=minute.key,
        minute=minute.minute,
        inbound=minute.inbound,
        outbound=minute.outbound,
        duplicates=minute.repeats,
        delays=Sketch(minute.buckets).encode(),
    )
