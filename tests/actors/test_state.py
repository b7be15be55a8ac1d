"""States as bytes: small, whole, and bounded."""

from __future__ import annotations

import pytest

from actors.detectors import DETECTORS
from actors.intake import parse_event
from actors.state import HELD_MOST, decode_channel, decode_conversation, encode_state
from actors.thresholds import ThresholdSet
from storage.records import PartitionMark
from streams.engine import Engine
from tests.actors.trace import DAY, answer, as_lines, checkpoint, message, notification, receipt, thresholds


def engine_after(events, settings=()):
    """An engine that has applied these events."""
    engine = Engine(0, thresholds(*settings), PartitionMark(partition=0))
    for line in as_lines(events):
        engine.apply_entry(parse_event(line, need_at=True))
    return engine


def conversation_of(engine):
    return engine.channels["shopee", "sg-1"].conversations["c1"].state


def dialogue(count):
    """A quiet conversation: asked, told, answered, delivered; nothing amiss."""
    for n in range(0, count, 2):
        at = n * 60
        yield message(f"msg-{n:06}", at, seq=n + 1, text=f"where is parcel number {n}?", sender={"id": "u1"})
        yield notification(f"msg-{n:06}", at + 1)
        yield answer(f"msg-{n + 1:06}", at + 30, seq=n + 2, text=f"parcel {n} is on its way")
        yield receipt(f"msg-{n + 1:06}", at + 31, "read")


def test_the_state_of_a_quiet_conversation_of_twenty_messages_is_under_a_kilobyte():
    state = conversation_of(engine_after(dialogue(20)))
    assert len(state.held) == 20
    assert len(encode_state(state)) < 1024


def test_a_state_is_the_same_after_encoding():
    file = {"id": "f1", "kind": "image"}
    story = [
        *dialogue(6),
        message("x", 400, seq=9, reply_to="nobody", lang="th", attachments=[file], vip=True),
        message("x", 401, seq=9),
        answer("y", 402, resend_of="z"),
        receipt("early", 403, "failed", error={"code": 5}),
        checkpoint(404, 0, 9, 77, conversation="c1"),
        checkpoint(405, 0, 9, 77),
        message("z", 900, conversation="c2"),
        message("zz", 901),
    ]
    engine = engine_after(story)
    state = conversation_of(engine)
    assert decode_conversation(encode_state(state)) == state
    channel = engine.channels["shopee", "sg-1"].state
    assert decode_channel(encode_state(channel)) == channel


def test_event_keys_leave_the_state_of_a_channel_small_and_are_forgotten_after_a_week():
    story = [message("m1", 0), *(notification("m1", 1 + n * 0.001, event=f"key {n}") for n in range(1_000))]
    engine = engine_after(story)
    channel = engine.channels["shopee", "sg-1"]
    assert len(encode_state(channel.state)) < 500
    assert [row.label for row in engine.effects.keys] == list(channel.keys)
    assert {len(label) for label in channel.keys} == {8}
    for line in as_lines([notification("m1", 8 * DAY, event="last")]):
        engine.apply_entry(parse_event(line, need_at=True))
    assert list(channel.keys) == [engine.effects.keys[-1].label]


def test_one_hot_conversation_remembers_a_bounded_number_of_ids():
    engine = engine_after(message(f"m{n}", n * 0.001) for n in range(HELD_MOST + 50))
    assert len(conversation_of(engine).held) == HELD_MOST


def test_every_detector_says_what_opens_and_is_listed_once():
    assert len({module.__name__ for module in DETECTORS}) == len(DETECTORS) == 11
    for module in DETECTORS:
        assert (module.__doc__ or "").startswith("`")


def test_a_change_of_thresholds_applies_to_what_is_observed_after_it():
    engine = engine_after([message("m1", 0)])
    engine.thresholds = ThresholdSet(version=1, overrides={"": {"notification.grace_s": 100, "delay.threshold_s": 5}})
    for line in as_lines([message("m2", 10, sent=0), message("m3", 60)]):
        engine.apply_entry(parse_event(line, need_at=True))
    opened = {(a.kind, a.message) for a in engine.effects.anomalies}
    assert opened == {("notification_missed", "m1"), ("delay", "m2")}
    (late,) = (a for a in engine.effects.anomalies if a.kind == "delay")
    assert late.evidence["threshold_s"] == 5


def test_a_running_grace_keeps_the_threshold_it_started_with():
    engine = engine_after([message("m1", 0)], settings=["notification.grace_s=100"])
    engine.thresholds = ThresholdSet(version=1, overrides={"": {"notification.grace_s": 1}})
    for line in as_lines([message("m2", 50)]):
        engine.apply_entry(parse_event(line, need_at=True))
    assert engine.effects.anomalies == []
    assert conversation_of(engine).due <= engine.time + 1000


@pytest.mark.parametrize("count", [1, 7])
def test_a_frame_before_the_mark_changes_nothing(count):
    engine = engine_after([])
    entries = [parse_event(line, need_at=True) for line in as_lines(message(f"m{n}", n) for n in range(count))]
    assert engine.apply(5, 0, entries) == []
    before = encode_state(conversation_of(engine)), encode_state(engine.channels["shopee", "sg-1"].state)
    for offset in (5, 4, 0):
        engine.apply(offset, 0, entries)
    assert before == (encode_state(conversation_of(engine)), encode_state(engine.channels["shopee", "sg-1"].state))
