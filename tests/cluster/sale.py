"""The trace of a simulated sale with every kind of trouble, in parts, and what `weir replay` finds in it.

Live, time goes on by itself as soon as everything in the log is applied. So that nothing depends on when a part is
posted, hours pass in the trace between two parts: however long the product waits for the next one, live time stays
within the pause. Each part ends with a clock in the middle of its pause: what is due by then fires at once live, and
in replay when the next event comes. The last clock is so late that every grace and every response time is over.

The sale begins on a fixed day: the trace is the same wherever the test runs.
"""

import json
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime

from actors.times import rfc3339
from loadtest.options import INCIDENTS, TROUBLES, SimulationOptions
from loadtest.simulator import simulate
from tests.weir.processes import weir_command

START = int(datetime(2024, 11, 11, tzinfo=UTC).timestamp() * 1000)
SMALL = SimulationOptions(
    messages=500,
    conversations=40,
    channels=5,
    hours=0.2,
    seed=1,
    start=START,
    faults=dict.fromkeys(TROUBLES, 0.02) | dict.fromkeys(INCIDENTS, 0.35),
)
"""As much as the tests' database can take on a busy machine: it looks through a collection for every update."""
LARGE = SimulationOptions(
    messages=2_000,
    channels=12,
    seed=20,
    start=START,
    faults=dict.fromkeys(TROUBLES, 0.012) | dict.fromkeys(INCIDENTS, 0.08),
)
PARTS = 5
HOUR_MS = 3_600_000
PAUSE_MS = 6 * HOUR_MS
WAIT_MS = PAUSE_MS // 2
"""How much time may really pass between two parts."""
SETTLED_MS = 26 * HOUR_MS
TIMES = ("at", "sent_at", "from", "to", "expires_at")


class Sale:
    """`events` in order; `parts` to be posted one by one, as NDJSON with lines that are refused; replay's `report`."""

    def __init__(self, options, folder):
        trace, report = folder / "trace.ndjson", folder / "report.json"
        parts = with_pauses(list(simulate(options, lambda _: None)))
        self.events = [event for part in parts for event in part]
        self.parts = [b"".join(lines(part)) for part in parts]
        self.ends = rfc3339(self.events[-1]["at"])
        trace.write_bytes(b"".join(self.parts))
        done = weir_command("replay", trace, "--report", report)
        assert done.returncode == 0, done.stderr
        self.report = json.loads(report.read_bytes())

    @property
    def channels(self):
        """(platform, account) of every shop."""
        return sorted({(event["platform"], event["account"]) for event in self.events if "account" in event})

    @property
    def anomalies(self):
        """What replay found up to the last event, by id; the 24 hours that it lets pass afterwards left out."""
        return {a["id"]: a for a in self.report["anomalies"] if a["opened_at"] < self.ends}

    @property
    def ledger(self):
        """Accepted, stored, duplicates, rejected: in all (None) and by channel; what has no channel is only in all."""
        rows = self.report["ledger"]["channels"]
        return {None: account(self.report["ledger"])} | {
            (row["platform"], row["account"]): account(row) for row in rows if row["platform"] is not None
        }

    def troubles(self):
        """How often each trouble was found: (kind, which of that kind)."""
        return Counter((a["kind"], variant(a)) for a in self.anomalies.values())


def with_pauses(events):
    """The events in parts, PAUSE_MS put into the story after each, and a clock into each pause."""
    cuts = [events[len(events) * number // PARTS]["at"] for number in range(1, PARTS)]
    parts = [[] for _ in range(PARTS)]
    for event in events:
        later = {name: moved(event[name], cuts) for name in TIMES if event.get(name) is not None}
        parts[bisect_left(cuts, event["at"])].append(event | later)
    for part in parts:
        wait = SETTLED_MS if part is parts[-1] else WAIT_MS
        part.append({"type": "clock", "at": part[-1]["at"] + wait})
    return parts


def moved(at, cuts):
    """A time of the story as it was simulated (ms), with the pauses before it."""
    return at + PAUSE_MS * bisect_left(cuts, at)


def lines(part):
    """A part as NDJSON. One line has a known channel, one none, and one is no JSON at all: they are refused."""
    at = part[-1]["at"]
    shop = {name: part[0].get(name) for name in ("platform", "account")}
    yield from (json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in part)
    yield json.dumps({"type": "gossip", "at": at} | shop).encode() + b"\n"
    yield json.dumps({"type": "message", "at": at, "text": "whose?"}).encode() + b"\n"
    yield b'{"type": "message"\n'


def account(row):
    """The ledger's four numbers."""
    return {name: row[name] for name in ("accepted", "stored", "duplicates", "rejected")}


def variant(anomaly):
    """What of its kind it is."""
    evidence = anomaly["evidence"]
    if anomaly["kind"] == "delay":
        return "channel" if anomaly["message"] is None else "single"
    return evidence.get("cause") or evidence.get("match")
