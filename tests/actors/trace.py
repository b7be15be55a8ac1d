"""Readable traces: events as plain calls with times in seconds, and a replay's report read back in the same seconds.

Second 0 is Monday 2026-11-23 00:00 UTC. Everything goes through the intake as JSON lines, as a trace file would.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

from actors.thresholds import ThresholdSet, parse_assignment
from streams.replay import Replay, ReplayOptions

T0 = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
MINUTE, HOUR, DAY = 60, 3_600, 86_400
TIMES = ("since", "opened_at", "resolved_at", "started_at", "due_at", "warned_at", "breached_at", "answered_at")


def ms(second):
    """A trace's second as milliseconds since the epoch."""
    return T0 + round(second * 1000)


def seconds(text):
    """A report's time as a trace's second."""
    if text is None:
        return None
    return (round(datetime.fromisoformat(text).timestamp() * 1000) - T0) / 1000


def event(kind, at, **fields):
    """Any event; a field set to None is left out."""
    whole = {"type": kind, "platform": "shopee", "account": "sg-1", "at": ms(at)} | fields
    return {name: value for name, value in whole.items() if value is not None}


def message(name, at, *, sent=None, conversation="c1", direction="in", **fields):
    """A customer's message, sent when it is observed unless `sent` says otherwise."""
    sent_at = ms(at if sent is None else sent)
    return event("message", at, conversation=conversation, message=name, sent_at=sent_at, direction=direction, **fields)


def answer(name, at, *, role="agent", **fields):
    """A message of ours."""
    return message(name, at, direction="out", sender={"id": "a1", "role": role} if role else None, **fields)


def told(kind, name, at, status, *, conversation="c1", **fields):
    """What was told of a message: a receipt, a notification, a translation."""
    return event(kind, at, conversation=conversation, message=name, status=status, **fields)


def receipt(name, at, status, **fields):
    return told("receipt", name, at, status, **fields)


def notification(name, at, status="fired", **fields):
    return told("notification", name, at, status, medium="desktop", **fields)


def translation(name, at, status="ok", **fields):
    return told("translation", name, at, status, **fields)


def file_status(name, file, at, status, **fields):
    return told("attachment", name, at, status, attachment=file, **fields)


def checkpoint(at, start, end, count, **fields):
    """What the platform holds in [start, end)."""
    return event("checkpoint", at, **{"from": ms(start), "to": ms(end), "count": count}, **fields)


def auth(at, status, **fields):
    return event("auth", at, status=status, **fields)


def action(at, what, *, conversation="c1", **fields):
    return event("action", at, what=what, conversation=conversation, **fields)


def clock(at):
    """Time has passed."""
    return {"type": "clock", "at": ms(at)}


def thresholds(*assignments):
    """The thresholds after `--set` of each assignment."""
    settings = ThresholdSet()
    for text in assignments:
        settings = settings.changed(*parse_assignment(text))
    return settings


def as_lines(events):
    """The bytes of a trace's lines."""
    return [json.dumps(item).encode() for item in events]


def report_of(events, *, settings=(), policies=(), **options):
    """The report of a trace given as events."""
    replay = Replay(ReplayOptions(thresholds=thresholds(*settings), policies=tuple(policies), **options))
    try:
        for number, line in enumerate(as_lines(events), 1):
            replay.line(number, line)
        return replay.finish()
    finally:
        replay.close()


class Found:
    """A report, its anomalies and SLA rows as objects with times in seconds."""

    def __init__(self, report):
        self.report = report
        self.anomalies = [readable(item) for item in report["anomalies"]]
        self.sla = [readable(item) for item in report["sla"]]

    def of(self, kind, **evidence):
        """The anomalies of a kind whose evidence has these values, in order."""
        return [a for a in self.anomalies if a.kind == kind and evidence.items() <= a.evidence.items()]

    def one(self, kind, **evidence):
        """The only anomaly of a kind with this evidence."""
        found = self.of(kind, **evidence)
        assert len(found) == 1, found
        return found[0]

    def clocks(self, kind):
        """The SLA rows of a kind, in order."""
        return [row for row in self.sla if row.kind == kind]

    def clock(self, kind):
        """The only SLA row of a kind."""
        rows = self.clocks(kind)
        assert len(rows) == 1, rows
        return rows[0]


def readable(record):
    """One record of the report with its times in seconds."""
    return SimpleNamespace(**{k: seconds(v) if k in TIMES else v for k, v in record.items()})


def run(*events, **options):
    """Replay events and read the report; no line may be rejected."""
    found = Found(report_of(events, **options))
    assert found.report["rejected"] == []
    return found
