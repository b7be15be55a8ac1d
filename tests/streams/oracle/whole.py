"""The whole oracle: events in, anomalies and clocks out; and what it makes of everything that is no message."""

from __future__ import annotations

from types import SimpleNamespace as Thing

from tests.streams.oracle import deadlines
from tests.streams.oracle.messages import WEEK, Messages

SYNC, DAY = 30_000, 86_400_000


class Oracle(Messages):
    """Feed it events in order, then `finish`."""

    def __init__(self):
        super().__init__()
        self.channels, self.talks = {}, {}
        self.ledger = {"stored": 0, "duplicates": 0}

    def take(self, event):
        now = max(self.now, event["at"])
        self.fire(now)
        self.now = now
        self.ledger["stored" if self.apply(event, now) else "duplicates"] += 1

    def finish(self):
        """(anomalies, clocks, ledger) after 24 hours more, in which no silence is judged."""
        self.fire(self.now)
        for channel in self.channels.values():
            channel.spoken.clear()
        self.fire(self.now + DAY + 1)
        return self.anomalies, [clock for talk in self.talks.values() for clock in talk.clocks], self.ledger

    def fire(self, now):
        self.fire_timers(now)
        for talk in self.talks.values():
            for clock in talk.clocks:
                if clock.running:
                    deadlines.mark(clock, now)
        for where, channel in self.channels.items():
            self.hush(where, channel, now)

    def apply(self, event, now):
        if event["type"] == "clock":
            return True
        where = (event["platform"], event["account"])
        if where not in self.channels:
            self.channels[where] = Thing(
                first=now, counted=[], raws=[], spoken=[], sent=[], keys={}, waits={}, history=False
            )
            self.channels[where].begins = min(now, event.get("sent_at", now))
        channel = self.channels[where]
        label = (event["type"], event.get("event"))
        if label[1] is not None and event["type"] != "message":
            if now - channel.keys.get(label, -2 * WEEK) <= WEEK:
                return False
            channel.keys[label] = now
        return getattr(self, event["type"])(event, where, channel, now) is not False

    def talk(self, where, name, now):
        key = (*where, name)
        if key not in self.talks:
            talk = self.talks[key] = Thing(key=key, name=name, first=now, held={}, seen=set(), sent=[], early={})
            talk.first_seq, talk.high, talk.numbers, talk.awaited, talk.joined_late = None, 0, set(), {}, False
            talk.absent, talk.resends = {}, {}
            talk.clocks, talk.running, talk.whole, talk.frozen = [], None, None, False
        return self.talks[key]

    # What is told of messages

    def tell(self, event, where, _channel, now):
        talk = self.talk(where, event["conversation"], now)
        held = talk.held.get(event["message"])
        if held is None:
            talk.early.setdefault(event["message"], []).append((now, event))
        else:
            self.status(event, talk, held, now)

    receipt = attachment = notification = translation = tell

    def status(self, event, talk, held, now):
        quiet = held.merged or held.history
        match event["type"]:
            case "receipt" if held.out:
                self.receipt_of(event["status"], talk, held, now, quiet=quiet)
            case "attachment" if event["attachment"] in held.files:
                held.waits.pop(event["attachment"], None)
                if event["status"] == "ok":
                    self.acquit((*talk.key, "file", event["attachment"], held.name), now, "recovered")
                elif not quiet:
                    self.bad_file(talk, held, event["attachment"], event["status"], now)
            case "translation" if not held.out and not quiet:
                held.waits.pop("\0words", None)
                if event["status"] == "ok":
                    self.acquit((*talk.key, "words", held.name), now, "translated")
                else:
                    self.blame(("words",), "translation_failed", now, talk, held, status="failed")
            case "notification" if not held.out and not quiet and held.role in (None, "customer"):
                self.bell_of(event["status"], talk, held, now)
            case _:
                pass

    def receipt_of(self, status, talk, held, now, *, quiet):
        held.waits.pop("\0out", None)
        if status in ("delivered", "read"):
            held.good = True
            self.acquit((*talk.key, "out", held.name), now, "delivered")
            original = talk.resends.get(held.name)
            if original in talk.held:
                talk.held[original].waits.pop("\0out", None)
            self.acquit((*talk.key, "out", original), now, "resent")
        elif status == "failed" and not quiet and not held.good:
            self.blame(("out",), "loss", now, talk, held, "critical", cause="outbound", status="failed")

    def bell_of(self, status, talk, held, now):
        if status != "failed":
            held.waits.pop("\0bell", None)
            held.told = True
            self.acquit((*talk.key, "bell", held.name), now, "fired" if status == "fired" else "opened")
        elif not held.told:
            held.waits.pop("\0bell", None)
            self.blame(("bell",), "notification_missed", now, talk, held, status="failed")

    # Checkpoints

    def checkpoint(self, event, where, channel, now):
        name, times = event.get("conversation"), channel.sent
        if name is not None:
            talk = self.talk(where, name, now)
            times = talk.sent
            for message in event.get("messages") or ():
                if message not in talk.seen:
                    self.miss(talk, message, event["from"], "checkpoint", now)
            self.expect_range(talk, event, now)
        if event["from"] < channel.begins and not channel.history:
            return
        subject = (*where, name)
        if not self.agree(subject, event, times, now) and event.get("messages") is None:
            self.at(now + SYNC, lambda due: self.compare(subject, event, times, due))

    def agree(self, subject, event, times, at):
        if sum(event["from"] <= t < event["to"] for t in times) != event["count"]:
            return False
        jumps = [s for s in self.open if s[:3] == subject and s[-2] == "jump"]
        for jump in jumps:
            if event["from"] <= self.open[jump].since < event["to"]:
                self.acquit(jump, at, "agreed")
        for window in self.windows(subject, event["from"], event["to"]):
            self.acquit(window, at, "agreed")
        return True

    def compare(self, subject, event, times, due):
        if self.agree(subject, event, times, due):
            return
        numbers = {"ours": sum(event["from"] <= t < event["to"] for t in times), "theirs": event["count"]}
        for window in self.windows(subject, event["from"], event["to"]):
            self.open[window].evidence |= numbers
            return
        window = (*subject, "window", event["from"], event["to"])
        self.accuse(window, "out_of_sync", due, event["from"], "warning", talk=subject[2], **numbers)

    def expect_range(self, talk, event, now):
        low, top = event.get("first_seq"), event.get("last_seq")
        if low is None and top is None:
            return
        if talk.first_seq is None:
            low = top if low is None else low
            top = low if top is None else top
            numbers = range(low, top + 1)
            talk.first_seq, talk.high = low, top
        else:
            low = talk.first_seq if low is None else low
            top = max(talk.high, low) if top is None else top
            known = range(talk.first_seq, talk.high + 1)
            below = [n for n in range(max(low, talk.first_seq - 1000), talk.first_seq) if n not in talk.numbers]
            numbers = [*below, *(n for n in range(talk.high + 1, top + 1) if n not in known)]
            talk.first_seq, talk.high = min(low, talk.first_seq), max(top, talk.high)
        self.expect(talk, numbers, now, event["from"])

    # Authorisations and people

    def auth(self, event, where, channel, now):
        ends, subject = event.get("expires_at"), (*where, "auth")

        def expired(due):
            self.accuse(subject, "channel_silent", due, due, "critical", status="expired")

        if event["status"] in ("expired", "revoked"):
            channel.waits.clear()
            self.accuse(subject, "channel_silent", now, now, "critical", status=event["status"])
            return
        if event["status"] == "ok":
            channel.waits.clear()
            self.acquit(subject, now, "authorised")
        if ends is not None:
            channel.waits.clear()
            if ends < now:
                expired(now)
            else:
                self.unless(ends, channel.waits, "ends", expired)

    def action(self, event, where, _channel, now):
        talk = self.talk(where, event["conversation"], now)
        match event["what"]:
            case "opened":
                self.know(talk, now, "opened")
            case "closed":
                deadlines.closed(talk, now)
            case _:
                if talk.frozen and talk.running is None:
                    deadlines.start(talk, "next_response", now, now)

    def version(self, event, where, _channel, now):
        self.talk(where, event["conversation"], now)

    edit = delete = version
