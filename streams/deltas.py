"""What one flush of one partition changed, as the live bus carries it."""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from actors.anomaly import Anomaly
from storage.records import Batch, ChannelRow, LedgerRow, MinuteRow

TOPIC = "deltas"


class Delta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rows that are new since the delta before; each replaces its predecessor whole. `saved_at` in ms.

    `conversations` are the keys of those that changed, `messages` counts the new ones.
    """

    partition: int
    version: int
    applied: int
    time: int
    saved_at: int
    messages: int = 0
    dead_letters: int = 0
    channels: list[ChannelRow] = field(default_factory=list[ChannelRow])
    minutes: list[MinuteRow] = field(default_factory=list[MinuteRow])
    ledger: list[LedgerRow] = field(default_factory=list[LedgerRow])
    anomalies: list[Anomaly] = field(default_factory=list[Anomaly])
    conversations: list[str] = field(default_factory=list[str])


def delta_of(batch: Batch, saved_at: int) -> Delta:
    """What a saved batch changed. Call it before the batch's effects are cleared."""
    mark = batch.mark
    return Delta(
        partition=mark.partition,
        version=mark.version,
        applied=mark.applied,
        time=mark.time,
        saved_at=saved_at,
        messages=len(batch.effects.messages),
        dead_letters=len(batch.dead_letters),
        channels=batch.channel_rows,
        minutes=batch.minutes,
        ledger=batch.ledger,
        anomalies=batch.effects.anomalies,
        conversations=[row.key for row in batch.conversations],
    )


encode_delta = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Delta).decode


def decode_delta(data: bytes) -> Delta:
    """The delta of these bytes."""
    return _decode(data)
