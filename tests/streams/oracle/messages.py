"""What the oracle makes of a message: duplicates, gaps, references, delays, silence, and the graces that start."""

from __future__ import annotations

from functools import partial
from math import ceil, log
from types import SimpleNamespace as Thing
from unicodedata import normalize

from tests.streams.oracle.book import Book
from tests.streams.oracle.deadlines import agent_wrote, customer_wrote

WEEK, HOUR = 604_800_000, 3_600_000
DELAY, LOSS, OUTBOUND, CONTENT, FILE, BELL, WORDS = 30_000, 20_000, 60_000, 5_000, 7_000, 15_000, 20_000
CHANCE, LEARN, QUIET = 0.1, 3, 60_000


def body(m):
    """What makes two messages the same."""
    files = [(f.get("kind"), f.get("mime"), f.get("size"), f.get("url")) for f in m.get("attachments", ())]
    return m["direction"], (m.get("sender") or {}).get("id"), normalize("NFC", m.get("text") or "").strip(), files


def has_twin(talk, m):
    mine = body(m)
    if not mine[1] or (len(m.get("text") or "") < 8 and not mine[3]):
        return False
    others = (h for h in talk.held.values() if h.name != m["message"])
    return any(body(h.m) == mine and abs(h.sent - m["sent_at"]) <= CONTENT for h in others)


class Messages(Book):
    """The part of the oracle that takes messages."""

    def message(self, m, where, channel, now):
        talk, name = self.talk(where, m["conversation"], now), m["message"]
        known = talk.held.get(name)
        if known is not None and now - known.at <= WEEK:
            self.copy(talk, known, m, now)
            return False
        twin = has_twin(talk, m)
        held = Thing(
            name=name, m=m, at=now, sent=m["sent_at"], out=m["direction"] == "out", vip=bool(m.get("vip")), merged=twin
        )
        held.history, held.role = bool(m.get("history")), (m.get("sender") or {}).get("role")
        held.files, held.waits = [f["id"] for f in m.get("attachments", ())], {}
        held.good, held.told, held.copies = False, False, None
        talk.held.pop(name, None)
        talk.held[name] = held
        talk.seen.add(name)
        talk.sent.append(held.sent)
        channel.sent.append(held.sent)
        self.arrive(talk, channel, held, now)
        if twin:
            self.copy(talk, held, m, now)
            return False
        if held.history:
            channel.history = True
        else:
            self.count(channel, where, talk, held, now)
            self.begin(talk, held, now)
        for then, status in talk.early.pop(name, ()):
            if now - then <= WEEK:
                self.status(status, talk, held, now)
        return True

    def copy(self, talk, held, m, now):
        if m.get("history"):
            return
        if held.copies is None:
            held.copies = self.blame(("duplicate",), "duplicate", now, talk, held, "info", copies=0)
            self.acquit((*talk.key, "duplicate", held.name), now, "merged")
        held.copies.evidence["copies"] += 1

    def arrive(self, talk, channel, held, now):
        how = "resynced" if held.m.get("via") == "resync" else "arrived_late"
        if held.m.get("seq") is not None:
            self.numbered(talk, held, held.m["seq"], how, now)
        if talk.absent.pop(held.name, None) is None:
            self.acquit((*talk.key, "id", held.name), now, how)
        if how == "resynced":
            for subject, times in ((talk.key, talk.sent), ((*talk.key[:2], None), channel.sent)):
                for window in self.windows(subject, held.sent, held.sent + 1):
                    if sum(window[-2] <= t < window[-1] for t in times) == self.open[window].evidence["theirs"]:
                        self.acquit(window, now, "resynced")

    def numbered(self, talk, held, seq, how, now):
        talk.numbers.add(seq)
        high = talk.high
        if talk.first_seq is None:
            talk.first_seq = talk.high = seq
            talk.joined_late = seq > 1
        elif seq <= high:
            if talk.awaited.pop(seq, None) is None:
                self.acquit((*talk.key, "seq", seq), now, how, message=held.name)
        else:
            talk.high = seq
            if seq - high > 1000 and not held.history:
                talk.first_seq = seq
                jump = {"message": held.name, "vip": held.vip, "talk": talk.name, "ours": high, "theirs": seq}
                self.accuse((*talk.key, "jump", seq), "out_of_sync", now, held.sent, "warning", **jump)
            elif not held.history:
                self.expect(talk, range(high + 1, seq), now, held.sent)

    def expect(self, talk, numbers, now, since):
        for number in numbers:
            if number not in talk.awaited:
                evidence = {"talk": talk.name, "seq": number, "cause": "gap"}
                subject = (*talk.key, "seq", number)
                self.unless(
                    now + LOSS,
                    talk.awaited,
                    number,
                    lambda due, s=subject, e=evidence: self.accuse(s, "loss", due, since, "critical", **e),
                )

    def count(self, channel, where, talk, held, now):
        raw = now - held.sent
        if raw >= -600_000:
            channel.raws.append(raw)
        offset = min(0, 0, *channel.raws[-20:])
        delay = raw - offset
        channel.counted.append(delay)
        if delay > DELAY:
            severity = "warning" if delay >= 10 * DELAY else "info"
            self.blame(("delay",), "delay", now, talk, held, severity, delay_s=delay / 1000)
            self.acquit((*talk.key, "delay", held.name), now, "arrived")
        if len(channel.counted) >= 20:
            last = sorted(channel.counted[-20:])
            median = (last[9] + last[10]) / 2
            if median <= DELAY:
                self.acquit((*where, "median"), now, "recovered")
            elif (*where, "median") not in self.open:
                self.accuse((*where, "median"), "delay", now, held.sent, "warning", delay_s=median / 1000)
        if not held.out:
            self.acquit((*where, "silence"), now, "spoke")
            channel.spoken.append(now)

    def hush(self, where, channel, now):
        """Whether a channel has been silent too long before `now`, hour by hour."""
        if len(channel.spoken) < LEARN or (*where, "silence") in self.open:
            return
        rates, since = learned(channel), channel.spoken[-1]
        need, at = -log(CHANCE), since
        while at < now:
            until = (at // HOUR + 1) * HOUR
            rate = rates[at // HOUR % 24]
            if rate * (until - at) >= need:
                due = max(at + ceil(need / rate), since + QUIET)
                if due < now:
                    self.accuse((*where, "silence"), "channel_silent", due, since, "critical")
                return
            need -= rate * (until - at)
            at = until

    def begin(self, talk, held, now):
        """Start the clocks and graces of a message that counts."""
        m, name = held.m, held.name
        if not held.out:
            for file in held.files:
                self.unless(now + FILE, held.waits, file, partial(self.bad_file, talk, held, file, "none"))
        target = m.get("reply_to")
        late = talk.joined_late and now - talk.first <= HOUR
        if target is not None and target != name and target not in talk.seen and not late:
            self.miss(talk, target, m["sent_at"], "reference", now)
        if held.out:
            self.send(talk, held, now)
            return
        if m.get("lang") == "th":
            words = (("words",), "translation_failed")
            self.unless(
                now + WORDS, held.waits, "\0words", lambda due: self.blame(*words, due, talk, held, status="none")
            )
        if held.role in (None, "customer"):
            bell = (("bell",), "notification_missed")
            self.unless(now + BELL, held.waits, "\0bell", lambda due: self.blame(*bell, due, talk, held, status="none"))
            customer_wrote(talk, held.sent, now)

    def send(self, talk, held, now):
        if held.m.get("resend_of") not in (None, held.name):
            talk.resends[held.name] = held.m["resend_of"]
        none = {"cause": "outbound", "status": "none"}
        out = (("out",), "loss")
        self.unless(
            now + OUTBOUND, held.waits, "\0out", lambda due: self.blame(*out, due, talk, held, "critical", **none)
        )
        if held.role in (None, "agent"):
            self.know(talk, now, "answered")
            agent_wrote(talk, held.sent)

    def know(self, talk, now, resolution):
        """Somebody opened or answered the conversation."""
        for held in talk.held.values():
            waited = held.waits.pop("\0bell", None) is not None
            held.told |= waited or (*talk.key, "bell", held.name) in self.open
            self.acquit((*talk.key, "bell", held.name), now, resolution)

    def miss(self, talk, target, since, cause, now):
        subject = (*talk.key, "id", target)
        if target not in talk.absent and subject not in self.open:
            about = {"message": target, "talk": talk.name, "cause": cause}
            self.unless(
                now + LOSS,
                talk.absent,
                target,
                lambda due: self.accuse(subject, "loss", due, since, "critical", **about),
            )

    def bad_file(self, talk, held, file, status, at):
        self.blame(("file", file), "attachment_failed", at, talk, held, attachment=file, status=status)


def learned(channel):
    """Messages per ms for each hour of the day, in the time lived up to the last one."""
    lived, said = [0] * 24, [0] * 24
    at, last = channel.first, channel.spoken[-1]
    while at < last:
        until = min(last, (at // HOUR + 1) * HOUR)
        lived[at // HOUR % 24] += until - at
        at = until
    for spoken in channel.spoken:
        said[spoken // HOUR % 24] += 1
    return [n / t if t else 0 for n, t in zip(said, lived, strict=True)]
