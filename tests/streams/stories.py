"""Random stories for property tests: few names and few instants, so that events meet each other and their graces."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.actors.trace import DAY, HOUR, auth, event, message, ms, told

CHANNELS = st.sampled_from([("shopee", "a")] * 3 + [("ebay", "a/b")])
NAMES = st.sampled_from([f"m{n}" for n in range(8)])
CONVERSATIONS = st.sampled_from(["c1"] * 3 + ["c%/\u0000😀"])
STEPS = st.sampled_from([0, 0.001, 1, 1, 1, 2, 2, 5, 5, 10, 14.999, 15, 20, 30, 60.001, 600, HOUR, 9 * HOUR])
LATE = st.sampled_from([0, 0, 0, 1, 2, 31, 400, -5, -700, 9 * HOUR])
TEXTS = st.sampled_from([None, "ok", "where is my parcel", " where is my parcel", "สินค้าไม่ตรงปก"])
CUSTOMER, BOT, AGENT = ({"id": role[0], "role": role} for role in ("customer", "bot", "agent"))
PEOPLE = st.sampled_from([None, {"id": "u1"}, CUSTOMER, BOT, AGENT])
FILES = st.sampled_from([None, None, [{"id": "f1"}], [{"id": "f1"}, {"id": "f2", "kind": "pdf"}]])
STATUSES = {
    "receipt": ["accepted", "delivered", "read", "failed"],
    "notification": ["fired", "seen", "failed"],
    "translation": ["ok", "failed"],
    "attachment": ["ok", "failed", "corrupt"],
}

messages = st.builds(
    lambda late, name, **fields: lambda at: message(name, at, sent=at - late, **fields),
    LATE,
    NAMES,
    conversation=CONVERSATIONS,
    direction=st.sampled_from(["in", "in", "out"]),
    text=TEXTS,
    sender=PEOPLE,
    attachments=FILES,
    lang=st.sampled_from([None, None, "en", "th"]),
    seq=st.sampled_from([None, 1, 2, 3, 4, 5, 6, 8, 1500]),
    reply_to=st.one_of(st.none(), st.none(), NAMES),
    resend_of=st.one_of(st.none(), st.none(), NAMES),
    vip=st.sampled_from([None, None, None, True]),
    history=st.sampled_from([None, None, None, None, True]),
    via=st.sampled_from([None, "push", "resync"]),
)
statuses = st.sampled_from(sorted(STATUSES)).flatmap(
    lambda kind: st.builds(
        lambda name, status, **fields: (
            lambda at: told(kind, name, at, status, **fields, **({"attachment": "f1"} if kind == "attachment" else {}))
        ),
        NAMES,
        st.sampled_from(STATUSES[kind]),
        conversation=CONVERSATIONS,
        event=st.sampled_from([None, None, "k1", "k2"]),
    )
)


def _checkpoint(at, back, width, count, conversation, names, first_seq, last_seq):
    fields = {"conversation": conversation}
    if conversation is not None:
        fields |= {"messages": names, "first_seq": first_seq, "last_seq": last_seq}
        count = count if names is None else len(names)
        if first_seq is not None and last_seq is not None and first_seq > last_seq:
            del fields["first_seq"]
    start = ms(at - back)
    return event("checkpoint", at, **{"from": start, "to": start + width * 1000, "count": count}, **fields)


checkpoints = st.builds(
    lambda *args: lambda at: _checkpoint(at, *args),
    st.sampled_from([0, 5, 60, HOUR]),
    st.sampled_from([1, 60, 2 * HOUR]),
    st.integers(0, 3),
    st.one_of(st.none(), CONVERSATIONS),
    st.one_of(st.none(), st.lists(NAMES, max_size=3, unique=True)),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 3, 9]),
)
auths = st.builds(
    lambda status, ends: lambda at: auth(at, status, expires_at=None if ends is None else ms(at + ends)),
    st.sampled_from(["ok", "expiring", "expired", "revoked"]),
    st.sampled_from([None, -1, 30, HOUR]),
)
actions = st.builds(
    lambda what, conversation: lambda at: event("action", at, what=what, conversation=conversation),
    st.sampled_from(["opened", "closed", "reopened"]),
    CONVERSATIONS,
)
versions = st.builds(
    lambda kind, name, conversation: lambda at: event(kind, at, message=name, conversation=conversation, text="new"),
    st.sampled_from(["edit", "delete"]),
    NAMES,
    CONVERSATIONS,
)
clocks = st.just(lambda at: {"type": "clock", "at": ms(at)})
happenings = st.one_of(messages, messages, messages, statuses, statuses, checkpoints, auths, actions, versions, clocks)


def _told(steps, *, back):
    """The events of a story; `back` lets some of them carry an earlier time than the one before."""
    at, events = 0.0, []
    for step, (platform, account), happening, earlier in steps:
        at += step
        one = happening(at)
        if one["type"] != "clock":
            one |= {"platform": platform, "account": account}
        if back and earlier:
            one["at"] -= 40_000
        events.append(one)
    return [*events, {"type": "clock", "at": ms(at + 2 * DAY)}]


_step = st.tuples(STEPS, CHANNELS, happenings, st.sampled_from([False, False, True]))
_steps = st.lists(_step, min_size=10, max_size=40)
stories = st.builds(lambda steps: _told(steps, back=False), _steps)
"""Stories in which time never goes back."""
unruly_stories = st.builds(lambda steps: _told(steps, back=True), _steps)
SETTINGS = ("silence.min_messages=3", "silence.probability=0.1", "duplicate.content_window_s=5", "attachment.grace_s=7")
"""Thresholds under which a short story meets every detector."""
