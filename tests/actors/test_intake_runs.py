"""A run of events gives what each would give by itself, or is left to be looked at one by one."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import RejectedError
from actors.intake import parse_event
from actors.intake_runs import parse_run

MESSAGE = {
    "type": "message",
    "platform": "ebay",
    "account": "de",
    "conversation": "c",
    "message": "m",
    "sent_at": "2026-11-22T10:00:00Z",
    "direction": "in",
    "sender": {"id": "u", "role": "customer"},
    "attachments": [{"id": "a", "size": 3}],
    "text": "\u00e4 \u4f60\u597d",
}
RECEIPT = {
    "type": "receipt",
    "platform": "ebay",
    "account": "de",
    "conversation": "c",
    "message": "m",
    "status": "read",
}
TRANSLATION = {**RECEIPT, "type": "translation", "status": "failed", "detail": {"code": 2**70}}
CHECKPOINT = {"type": "checkpoint", "platform": "ebay", "account": "de", "from": 10**12, "to": 10**12 + 9, "count": 3}
CLOCK = {"type": "clock", "at": 1_790_000_000_000, "platform": [1]}


def line(event, **changes):
    return json.dumps({**event, **changes}, ensure_ascii=False).encode()


def deep(levels):
    return json.loads("[" * levels + "]" * levels)


def one_by_one(raws):
    return [parse_event(raw, need_at=False) for raw in raws]


def test_a_run_in_order_gives_the_same_events():
    raws = [line(e) for e in (MESSAGE, RECEIPT, TRANSLATION, CHECKPOINT, CLOCK)] * 20
    assert parse_run(raws, need_at=False) == one_by_one(raws)


def test_the_events_of_a_run_and_all_they_hold_are_of_the_usual_types():
    failed = {**RECEIPT, "status": "failed", "error": {"code": 7}}
    worth = {**MESSAGE, "value": {"amount": 9.5, "currency": "EUR"}}
    raws = [line(e) for e in (worth, failed, TRANSLATION, CHECKPOINT, CLOCK)]
    run, single = parse_run(raws, need_at=False), one_by_one(raws)
    assert [type(event) for event in run] == [type(event) for event in single]
    parts = [(e.sender, e.attachments[0], e.value) for e in (run[0], single[0])]
    assert [type(part) for part in parts[0]] == [type(part) for part in parts[1]]
    assert type(run[1].error) is type(single[1].error)
    assert msgspec.msgpack.encode(run) == msgspec.msgpack.encode(single)


def test_an_observed_time_is_demanded_where_it_is_needed():
    raws = [line(RECEIPT, at=1_790_000_000_000), line(RECEIPT)]
    assert parse_run(raws[:1], need_at=True) == one_by_one(raws[:1])
    assert parse_run(raws, need_at=True) is None


@pytest.mark.parametrize(
    "odd",
    [
        line(MESSAGE, mood="good"),
        line(MESSAGE, extra={"a": 1}),
        line(MESSAGE, extra=None),
        line(CLOCK, extra=1),
        line(RECEIPT, error={"code": 1, "mood": "bad"}),
        line(MESSAGE, sender={"id": "u", "mood": deep(70)}),
        line(TRANSLATION, detail=deep(65)),
        line(CLOCK, account=deep(65)),
        line(MESSAGE, sent_at=5),
        line(MESSAGE, text="x" * (1024 * 1024)),
        line(MESSAGE, type="nonsense"),
        b"",
        b" ",
        b"[]",
        b"17",
        b"null",
        line(MESSAGE) + b" " + line(RECEIPT),
        line(MESSAGE) + line(RECEIPT),
        line(MESSAGE) + b"," + line(RECEIPT),
        b" " + line(MESSAGE),
        b'{"type":"receipt","platform":"\\ud800","account":"a","conversation":"c","message":"m","status":"read"}',
        line(MESSAGE).replace(b"ebay", b"\xff\xfe"),
    ],
)
def test_an_odd_event_sends_its_run_back(odd):
    assert parse_run([line(RECEIPT), odd, line(MESSAGE)], need_at=False) is None


def test_two_halves_of_an_event_never_pass_beside_two_events_on_one_line():
    first, _, second = line(MESSAGE, attachments=[{"id": "a"}, {"id": "b"}]).partition(b', {"id": "b"')
    halves = [first, b'{"id": "b"' + second]
    twice = line(RECEIPT) + b" " + line(RECEIPT)
    assert parse_run([*halves, twice], need_at=False) is None
    assert parse_run([twice, *halves], need_at=False) is None


pieces = st.sampled_from(
    [b"{", b"}", b"[", b"]", b",", b" ", b"\n", b'"', b"type", b":", b"1", line(MESSAGE), line(RECEIPT), line(CLOCK)]
)


@given(st.lists(st.lists(pieces, max_size=4).map(b"".join) | st.sampled_from([line(MESSAGE), line(CLOCK)]), max_size=5))
def test_whatever_a_run_gives_is_what_each_gives(raws):
    events = parse_run(raws, need_at=False)
    if events is not None:
        assert events == one_by_one(raws)
    else:
        try:
            one_by_one(raws)
        except RejectedError:
            return
        # Nothing wrong was found one by one: the run was empty, or held white space or unknown fields.
        assert not raws or any(raw[:1] != b"{" or raw[-1:] != b"}" for raw in raws)
