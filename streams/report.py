"""The replay report (SPEC section 7): collected while a replay runs, the same bytes for the same trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any, TypeAlias

import msgspec

from actors.anomaly import Anomaly, record
from actors.effects import Effects
from actors.sla import Clock
from actors.state import Channel, ChannelState
from actors.times import rfc3339
from streams.engine import Engine

Report: TypeAlias = dict[str, Any]
REJECTED_LISTED = 100_000
"""Refused lines listed one by one; more are counted in the ledger only."""


def encode_report(report: Report) -> bytes:
    """The report as JSON, one final newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


class Collector:
    """Keeps the last word on every anomaly and every SLA clock, and every corrected delay by its exact value."""

    def __init__(self) -> None:
        self.anomalies: dict[str, Anomaly] = {}
        self.clocks: dict[tuple[str, int], Clock] = {}
        self.delays: dict[tuple[str, str], dict[int, int]] = {}
        self.rejected: list[dict[str, Any]] = []

    def collect(self, effects: Effects) -> None:
        """Take over what happened and clear it."""
        for anomaly in effects.anomalies:
            self.anomalies[anomaly.id] = anomaly
        for change in effects.sla:
            self.clocks[change.key, change.clock.ordinal] = change.clock
        delays = self.delays
        for stored in effects.messages:
            delay = stored.delay
            if delay is not None:
                event = stored.event
                channel = (event.platform, event.account)
                tally = delays.get(channel)
                if tally is None:
                    tally = delays[channel] = {}
                tally[delay] = tally.get(delay, 0) + 1
        effects.clear()

    def reject(self, line: int, error: str) -> None:
        """Note a refused line."""
        if len(self.rejected) < REJECTED_LISTED:
            self.rejected.append({"line": line, "error": error})

    def report(self, engines: Sequence[Engine]) -> Report:
        """Everything as one JSON object."""
        channels = sorted((c for e in engines for c in e.channels.values()), key=lambda c: (c.platform, c.account))
        nobody = [e.nobody.state for e in engines]
        states = [c.state for c in channels]
        return {
            "events": sum(s.accepted - s.rejected for s in (*states, *nobody)),
            "messages": sum(s.messages for s in states),
            "duplicates": sum(s.repeated for s in states),
            "rejected": self.rejected,
            "anomalies": [
                record(a) for a in sorted(self.anomalies.values(), key=lambda a: (a.opened_at, a.kind, a.id))
            ],
            "sla": [_clock(key, c) for (key, _), c in sorted(self.clocks.items(), key=_clock_order)],
            "channels": [self._channel(c) for c in channels],
            "ledger": _ledger(channels, nobody),
        }

    def _channel(self, channel: Channel) -> dict[str, Any]:
        state = channel.state
        tally = self.delays.get((channel.platform, channel.account), {})
        return {
            "platform": channel.platform,
            "account": channel.account,
            "messages": state.messages,
            "duplicates": state.repeated,
            "delay_p50_s": nearest_rank(tally, 0.5),
            "delay_p95_s": nearest_rank(tally, 0.95),
            "delay_p99_s": nearest_rank(tally, 0.99),
            "delay_max_s": max(tally) / 1000 if tally else None,
            "clock_offset_s": state.offset / 1000,
            "first_at": rfc3339(state.first_at),
            "last_at": rfc3339(state.last_at),
        }


def nearest_rank(tally: dict[int, int], q: float) -> float | None:
    """The quantile of nearest rank, in seconds, of counts by value in ms; None when nothing was counted."""
    rank = ceil(q * sum(tally.values()))
    for value in sorted(tally):
        rank -= tally[value]
        if rank <= 0:
            return value / 1000
    return None


def _clock_order(item: tuple[tuple[str, int], Clock]) -> tuple[int, str, int]:
    (key, ordinal), clock = item
    return clock.started_at, key, ordinal


def _clock(key: str, clock: Clock) -> dict[str, Any]:
    return {
        "conversation": key,
        "kind": clock.kind,
        "started_at": rfc3339(clock.started_at),
        "due_at": rfc3339(clock.due_at),
        "warned_at": _optional(clock.warned_at),
        "breached_at": _optional(clock.breached_at),
        "answered_at": _optional(clock.answered_at),
    }


def _optional(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


def _ledger(channels: Sequence[Channel], nobody: Iterable[ChannelState]) -> dict[str, Any]:
    orphans = list(nobody)
    rows: list[dict[str, Any]] = [
        {"platform": c.platform, "account": c.account} | _account([c.state]) for c in channels
    ]
    if any(state.accepted for state in orphans):
        rows.append({"platform": None, "account": None} | _account(orphans))
    return _account([*(c.state for c in channels), *orphans]) | {"channels": rows}


def _account(states: Iterable[ChannelState]) -> dict[str, Any]:
    total: dict[str, Any] = {"accepted": 0, "stored": 0, "duplicates": 0, "rejected": 0}
    for state in states:
        for name in total:
            total[name] += getattr(state, name)
    return total
