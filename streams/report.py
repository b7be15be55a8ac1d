"""The replay report (SPEC section 7): collected while a replay runs, the same bytes for the same trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any, TypeAlias

import msgspec

from actors.anomaly import Anomaly, record
from actors.effects import Effects
from actors.keys import channel_key
from actors.sla import Clock
from actors.state import Channel, ChannelState
from actors.times import rfc3339
from storage.sqlite.scratch import Scratch
from streams.engine import Engine

Report: TypeAlias = dict[str, Any]
REJECTED_LISTED = 100_000
"""Refused lines listed one by one; more are counted in the ledger only."""
BUFFERED = 20_000
"""Records kept in memory before they go to the scratch file."""
DELAYS_BUFFERED = 50_000
"""Different delays counted in memory before their counts go there."""


def encode_report(report: Report) -> bytes:
    """The report as JSON: one line per record of a list, one final newline."""
    return b"".join(report_chunks(report))


def report_chunks(report: Mapping[str, Any]) -> Iterator[bytes]:
    """The bytes of `encode_report`, piece by piece; lists may be any iterables."""
    encode = msgspec.json.encode
    separator = b"{\n"
    for name, value in report.items():
        yield separator + encode(name) + b": "
        separator = b",\n"
        if isinstance(value, dict | int):
            yield encode(value)
            continue
        between = b"[\n  "
        for item in value:
            yield between + encode(item)
            between = b",\n  "
        yield b"[]" if between == b"[\n  " else b"\n]"
    yield b"\n}\n"


class Collector:
    """Keeps the last word on every anomaly and every SLA clock, and every corrected delay by its exact value."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.anomalies: dict[str, Anomaly] = {}
        self.clocks: dict[tuple[str, int], Clock] = {}
        self.delays: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
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
                tally = delays[event.platform, event.account]
                tally[delay] = tally.get(delay, 0) + 1
        effects.clear()
        if len(self.anomalies) + len(self.clocks) > BUFFERED:
            self._unload()
        if sum(map(len, delays.values())) > DELAYS_BUFFERED:
            self._unload_delays()

    def reject(self, line: int, error: str) -> None:
        """Note a refused line."""
        if len(self.rejected) < REJECTED_LISTED:
            self.rejected.append({"line": line, "error": error})

    def report(self, engines: Sequence[Engine]) -> Mapping[str, Any]:
        """Everything, in order; `anomalies` and `sla` are iterators over the scratch file, to be used once."""
        self._unload()
        self._unload_delays()
        channels = sorted((c for e in engines for c in e.channels.values()), key=lambda c: (c.platform, c.account))
        nobody = [e.nobody.state for e in engines]
        states = [c.state for c in channels]
        return {
            "events": sum(s.accepted - s.rejected for s in (*states, *nobody)),
            "messages": sum(s.messages for s in states),
            "duplicates": sum(s.repeated for s in states),
            "rejected": self.rejected,
            "anomalies": (record(anomaly) for anomaly in self.scratch.anomalies()),
            "sla": (_clock(key, clock) for key, clock in self.scratch.clocks()),
            "channels": [self._channel(c) for c in channels],
            "ledger": _ledger(channels, nobody),
        }

    def _unload(self) -> None:
        self.scratch.put_anomalies(self.anomalies.values())
        self.scratch.put_clocks(self.clocks.items())
        self.anomalies.clear()
        self.clocks.clear()

    def _unload_delays(self) -> None:
        for names, tally in self.delays.items():
            self.scratch.add_delays(channel_key(*names), tally)
        self.delays.clear()

    def _channel(self, channel: Channel) -> dict[str, Any]:
        state = channel.state
        delays, total = self.scratch.delays(channel.key), self.scratch.delays_counted(channel.key)
        p50, p95, p99, longest = nearest_ranks(delays, total, (0.5, 0.95, 0.99, 1))
        return {
            "platform": channel.platform,
            "account": channel.account,
            "messages": state.messages,
            "duplicates": state.repeated,
            "delay_p50_s": p50,
            "delay_p95_s": p95,
            "delay_p99_s": p99,
            "delay_max_s": longest,
            "clock_offset_s": state.offset / 1000,
            "first_at": rfc3339(state.first_at),
            "last_at": rfc3339(state.last_at),
        }


def nearest_ranks(counts: Iterable[tuple[int, int]], total: int, quantiles: Sequence[float]) -> list[float | None]:
    """The quantiles of nearest rank, in seconds; None each when nothing was counted.

    `counts`: (value in ms, how often it was counted) by value, `total` in all. `quantiles` ascend.
    """
    ranks = [ceil(q * total) for q in quantiles]
    found: list[float | None] = []
    reached = 0
    for value, count in counts:
        reached += count
        while len(found) < len(ranks) and reached >= ranks[len(found)]:
            found.append(value / 1000)
    return found + [None] * (len(ranks) - len(found))


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
