"""Time and anomalies of the oracle: timers that fire in order, one open anomaly a subject."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from types import SimpleNamespace as Thing

SEVERITIES = ("info", "warning", "critical")


class Book:
    """What is open, what was found, and what is due."""

    def __init__(self):
        self.now = 0
        self.anomalies, self.open, self.timers, self.number = [], {}, [], count()

    def at(self, due, act):
        """Call `act` with `due` before the first event later than `due`."""
        heappush(self.timers, (due, next(self.number), act))

    def unless(self, due, waiting, name, act):
        """Call `act` at `due` if `name` is still waited for as it is from now on."""
        token = waiting[name] = object()

        def over(due):
            if waiting.get(name) is token:
                del waiting[name]
                act(due)

        self.at(due, over)

    def fire_timers(self, now):
        while self.timers and self.timers[0][0] < now:
            due, _, act = heappop(self.timers)
            act(due)

    def accuse(self, subject, kind, at, since, severity, *, message=None, vip=False, talk=None, **evidence):
        """Open an anomaly, or add to the one that is open."""
        found = self.open.get(subject)
        if found is None:
            step = min(2, SEVERITIES.index(severity) + bool(vip))
            found = self.open[subject] = Thing(
                kind=kind,
                severity=SEVERITIES[step],
                channel=subject[:2],
                conversation=talk,
                message=message,
                since=since,
            )
            found.opened_at, found.resolved_at, found.resolution, found.evidence = at, None, None, {}
            self.anomalies.append(found)
        found.evidence |= evidence
        return found

    def blame(self, label, kind, at, talk, held, severity="warning", **evidence):
        """Open an anomaly about a held message."""
        about = {"message": held.name, "vip": held.vip, "talk": talk.name}
        return self.accuse((*talk.key, *label, held.name), kind, at, held.sent, severity, **about, **evidence)

    def acquit(self, subject, at, resolution, **evidence):
        """Resolve what is open of a subject, if anything is."""
        anomaly = self.open.pop(subject, None)
        if anomaly is not None:
            anomaly.resolved_at, anomaly.resolution = at, resolution
            anomaly.evidence |= evidence

    def windows(self, subject, start, end):
        """The open disagreements of a channel or conversation whose window overlaps this one."""
        of = [s for s in self.open if s[:3] == subject and s[-3] == "window"]
        return [s for s in of if s[-2] < end and start < s[-1]]
