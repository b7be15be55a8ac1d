"""What happens to a channel: its clock, its silence, its authorisation, its checkpoints, its traffic and its account.

Rules of this file: an event has been given its observed time; timers due strictly before it fire first (`expire`).
"""

from __future__ import annotations

from hashlib import blake2b

from actors.detectors import auth, delay, out_of_sync, silence
from actors.effects import Effects, KeyRemembered, MinutePassed
from actors.events import Message
from actors.sketch import bucket_of
from actors.state import OUTBOUND, WEEK, Channel, Conversation

MINUTE_MS = 60_000


def expire(where: Channel, now: int, out: Effects, *, silence_until: int | None = None) -> None:
    """Fire every timer due before `now` (ms); silence only up to `silence_until` when that is given."""
    out_of_sync.expire(where, None, now, out)
    auth.expire(where, now, out)
    silence.expire(where, now if silence_until is None else min(now, silence_until), out)
    state = where.state
    state.due = min(out_of_sync.next_due(state), auth.next_due(where), state.silence_at)
    where.dirty = True


def label_of(kind: str, key: str) -> bytes:
    """What is remembered of an event's idempotency key and type: a digest of eight bytes, however long the key.

    Two keys of one digest would cost the second event. A channel that hears a million keys a week meets such a pair
    once in some 40 million weeks (n² / 2⁶⁵), and who makes up keys can only silence events of their own channel, which
    using a key twice does as well.
    """
    return blake2b(f"{kind}\x1f{key}".encode(), digest_size=8).digest()


def is_repeated_event(where: Channel, label: bytes, now: int, out: Effects) -> bool:
    """Whether an event with this label (see `label_of`) came within the last seven days; remembers it if not."""
    keys = where.keys
    seen = keys.get(label)
    if seen is not None:
        if now - seen <= WEEK:
            return True
        del keys[label]
    while keys and now - keys[(oldest := next(iter(keys)))] > WEEK:
        del keys[oldest]
    keys[label] = now
    out.keys.append(KeyRemembered(where.key, label, now))
    return False


def on_held(where: Channel, m: Message) -> None:
    """A message is held now, merged or not: checkpoints count it."""
    state = where.state
    if state.accepted == 1:
        state.begins = min(m.sent_at, state.first_at)
    if where.sent is not None:
        where.sent.add(m.sent_at)


def on_counted(where: Channel, c: Conversation, m: Message, flags: int, now: int, out: Effects) -> int | None:
    """A message that is no duplicate; returns its corrected delay in ms, None for history."""
    state = where.state
    state.messages += 1
    if m.history:
        state.history = True
        return None
    corrected = delay.on_message(where, c, m, now, out)
    if now // MINUTE_MS != state.minute:
        close_minute(where, now, out)
    bucket = _BUCKETS[corrected] if 0 <= corrected < USUAL_MS else bucket_of(corrected)
    buckets = state.buckets
    buckets[bucket] = buckets.get(bucket, 0) + 1
    if flags & OUTBOUND:
        state.outbound += 1
    else:
        state.inbound += 1
        silence.on_spoke(where, now, out)
    return corrected


USUAL_MS = 4_096
_BUCKETS = tuple(map(bucket_of, range(USUAL_MS)))
"""The buckets of usual delays: a logarithm costs more than a look, but a look into a big table costs more than both."""


def on_repeated(where: Channel, now: int, out: Effects) -> None:
    """A message that is a duplicate."""
    state = where.state
    state.repeated += 1
    if now // MINUTE_MS != state.minute:
        close_minute(where, now, out)
    state.minute_repeats += 1


def close_minute(where: Channel, now: int, out: Effects) -> None:
    """Hand over the traffic of the minute that is past and begin the one of `now`."""
    state = where.state
    if (minute := open_minute(where)) is not None:
        out.minutes.append(minute)
    state.minute = now // MINUTE_MS
    state.inbound = state.outbound = state.minute_repeats = 0
    state.buckets = {}


def open_minute(where: Channel) -> MinutePassed | None:
    """The traffic of the present minute so far; None when there was none."""
    state = where.state
    if not (state.inbound or state.outbound or state.minute_repeats):
        return None
    return MinutePassed(
        where.key, state.minute, state.inbound, state.outbound, state.minute_repeats, dict(state.buckets)
    )
