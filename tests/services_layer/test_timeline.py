"""The thread of a conversation: in the order of what happened, complete, and honest about what is not known."""

import random
from itertools import permutations

import pytest
from msgspec.structs import replace

from actors.effects import HopReached, MessageStored
from actors.errors import RejectedError
from actors.events import Sender
from connectors.contract.calling import RefusedError, UncertainError
from services.errors import NotFoundError
from services.inbox.notes import Notes
from services.inbox.timeline import Timeline
from services.inbox.timeline_items import MessageItem, item_view, order_of, outgo
from storage.channel_records import ReplyRow
from storage.records import AuditRow, MessageRow
from storage.writing_records import Note
from tests.services_layer.desk import AGENT
from tests.services_layer.postal import KEY
from tests.storage.flushes import anomaly, stored

MINUTE = 60_000


@pytest.fixture
def timeline(desk):
    return Timeline(desk.store, desk.clock)


async def done(desk, what, who="ben", **more):
    await desk.store.append_audit(AuditRow(at=desk.clock.ms, who=who, what=what, subject=KEY, **more))


async def delayed(desk, message, sent_at, delay):
    platform, account, conversation = KEY.split("/")
    about = {"platform": platform, "account": account, "sent_at": sent_at, "at": sent_at + delay}
    await desk.keeps(replace_delay(stored(message, conversation, **about), delay))


def replace_delay(effect, delay):
    return MessageStored(effect.key, effect.at, effect.event, delay, effect.merged_into)


def names(thread):
    return [name(one) for one in thread.items]


def name(item):
    match item:
        case MessageItem(row=row):
            return row.message
        case Note():
            return item.text
        case AuditRow():
            return item.what


def found(thread, message):
    return next(one for one in thread.items if isinstance(one, MessageItem) and one.row.message == message)


async def test_messages_notes_and_deeds_stand_in_the_order_in_which_they_happened(desk, timeline):
    notes = Notes(desk.store, desk.clock)
    desk.clock.ms += 10
    await notes.add(AGENT, KEY, "first note", "k1")
    desk.clock.ms += 10
    await done(desk, "conversation.assigned", after="ben")
    await done(desk, "conversation.opened")
    desk.clock.ms += 10
    await desk.hears("m2")
    thread = await timeline.page(KEY, 50)
    assert names(thread) == ["m1", "first note", "conversation.assigned", "m2"]
    assert thread.older is None
    views = [item_view(one) for one in thread.items]
    assert [view["kind"] for view in views] == ["message", "note", "event", "message"]
    assert [view["time"] for view in views] == sorted(view["time"] for view in views)


async def test_of_one_instant_the_sequence_decides_then_the_id(desk, timeline):
    at = desk.clock.ms + 5
    for message, seq in (("b", 2), ("a", 3), ("d", None), ("c", None), ("e", 1)):
        await desk.hears(message, at=at, seq=seq)
    assert names(await timeline.page(KEY, 50)) == ["m1", "c", "d", "e", "b", "a"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_back_in_time_tell_everything_once(desk, timeline, limit):
    dice = random.Random(7)  # noqa: S311 # a test that can be repeated
    notes = Notes(desk.store, desk.clock)
    wanted = {"m1"}
    for number in range(40):
        desk.clock.ms += dice.choice([0, 0, 1, 1000])
        kind = dice.choice("mmnd")
        wanted.add(f"{kind}{number}.")
        if kind == "m":
            await desk.hears(f"m{number}.", sent_at=desk.clock.ms - dice.choice([0, 0, 500]))
        elif kind == "n":
            await notes.add(AGENT, KEY, f"n{number}.", f"k{number}")
        else:
            await done(desk, f"d{number}.")
    told, cursor = [], None
    while True:
        thread = await timeline.page(KEY, limit, cursor)
        assert len(thread.items) <= limit
        told += thread.items
        if (cursor := thread.older) is None:
            break
    assert len(told) == len(wanted)
    assert {name(one) for one in told} == wanted
    assert [name(one) for one in sorted(told, key=order_of)] == names(await timeline.page(KEY, 200))


async def test_a_message_that_came_after_our_answer_says_so_and_how_late(desk, timeline):
    start = desk.clock.ms
    desk.clock.ms = start + 60_000
    reply = await desk.asks("It left yesterday.")
    await delayed(desk, "late", start + 1, 130_000)
    await delayed(desk, "crossed", start + 60_000, 6_000)
    await delayed(desk, "slow", start + 140_000, 61_000)
    await delayed(desk, "quick", start + 140_001, 900)
    thread = await timeline.page(KEY, 50)
    assert names(thread) == ["m1", "late", "crossed", reply.id, "slow", "quick"]
    told = {name(one): one.late for one in thread.items}
    assert (told["late"].ms, told["late"].after_reply) == (130_000, True)
    assert (told["crossed"].ms, told["crossed"].after_reply) == (6_000, True)
    assert (told["slow"].ms, told["slow"].after_reply) == (61_000, False)
    assert told["quick"] is None
    assert found(thread, "m1").late is None


async def test_a_clock_that_is_ahead_is_held_to_when_the_message_came(desk, timeline):
    now = desk.clock.ms
    await desk.hears("ahead", sent_at=now + 10 * MINUTE, at=now + 1)
    await desk.hears("bit", sent_at=now + 90_000, at=now + 2)
    thread = await timeline.page(KEY, 50)
    assert names(thread) == ["m1", "ahead", "bit"]
    view = item_view(found(thread, "ahead"))
    assert (view["time"], view["clock_ahead_ms"]) == (now + 1, 10 * MINUTE - 1)
    assert item_view(found(thread, "bit"))["clock_ahead_ms"] is None


async def test_a_reply_is_there_before_the_log_was_read_and_once_when_it_was(desk, timeline):
    reply = await desk.asks("On its way.")
    shown = found(await timeline.page(KEY, 50), reply.id)
    assert (shown.pending, shown.outgo.state, shown.row.text) == (True, "queued", "On its way.")
    await desk.hears(reply.id, direction="out", sent_at=reply.at, at=reply.at, text="On its way.")
    thread = await timeline.page(KEY, 50)
    assert names(thread) == ["m1", reply.id]
    assert not found(thread, reply.id).pending


async def test_what_became_of_a_reply_is_told_with_what_can_be_done(desk, timeline):
    sent = await desk.sends("one")
    desk.office.plays(RefusedError("the customer blocked you", "7"))
    failed = await desk.sends("two")
    desk.office.plays(UncertainError("no answer"))
    unsure = await desk.sends("three")
    thread = await timeline.page(KEY, 50)
    states = {row.id: found(thread, row.id).outgo for row in (sent, failed, unsure)}
    assert (states[sent.id].state, states[sent.id].can) == ("sent", ())
    assert (states[failed.id].state, states[failed.id].reason) == ("failed", "the customer blocked you")
    assert states[failed.id].can == ("retry",)
    assert (states[unsure.id].state, states[unsure.id].looking) == ("maybe_sent", True)
    assert states[unsure.id].can == ("retry_sure", "settle_sent", "settle_failed")


def test_a_message_says_until_when_it_may_be_taken_back():
    row = MessageRow(key="lazada/sg/s1", message="weir-1", direction="out", sent_at=0, at=0)
    names = {"key": row.key, "platform": "lazada", "account": "sg", "conversation": "s1", "who": "mei", "digest": ""}
    sent = ReplyRow(id="weir-1", **names, at=1, due_at=1, idempotency_key="k", state="sent", platform_message="m1")
    assert outgo(row, sent).recall_until == 120_001
    later = replace(sent, claimed_at=60_000)
    assert outgo(row, later).recall_until == 180_000
    assert outgo(replace(row, hops={"read": 70_000}), later).recall_until == 180_000
    assert outgo(replace(row, hops={"deleted": 70_000}), later).recall_until is None
    for kept in ({"platform": "shopee"}, {"platform_message": None}, {"state": "unknown"}):
        assert outgo(row, replace(later, **kept)).recall_until is None
    assert outgo(row, None).recall_until is None


def test_how_far_a_message_came_depends_on_what_is_known_and_not_on_its_order():
    row = MessageRow(key=KEY, message="p1", direction="out", sent_at=0, at=0)
    told = [("accepted", 1), ("delivered", 2), ("read", 3), ("failed", 4)]
    ladder = ["read", "delivered", "failed", "sent"]
    rank = {"accepted": "sent"}
    for count in range(1, len(told) + 1):
        for some in permutations(told, count):
            states = {rank.get(hop, hop) for hop, _ in some}
            wanted = next(state for state in ladder if state in states)
            assert outgo(replace(row, hops=dict(some)), None).state == wanted


async def test_the_reason_a_platform_gave_later_is_told_and_an_earlier_attempts_failure_is_not(desk, timeline):
    reply = await desk.sends("hello")
    await desk.hears(reply.id, direction="out", sent_at=reply.at, at=reply.at, text="hello")
    await desk.keeps(HopReached(KEY, reply.id, "failed", reply.claimed_at + 5, "131047: window closed"))
    item = found(await timeline.page(KEY, 50), reply.id).outgo
    assert (item.state, item.reason, item.can) == ("failed", "131047: window closed", ("resend",))
    held = await desk.row(reply)
    later = replace(held, claimed_at=held.claimed_at + 900, version=held.version + 1)
    assert await desk.store.change_reply(later, replaces=held.version)
    assert found(await timeline.page(KEY, 50), reply.id).outgo.state == "sent"


async def test_a_message_carries_its_anomalies(desk, timeline):
    platform, account, conversation = KEY.split("/")
    about = {"platform": platform, "account": account, "conversation": conversation}
    await desk.keeps(anomaly(1, kind="duplicate", severity="info", message="m1", **about), anomaly(2, **about))
    item = found(await timeline.page(KEY, 50), "m1")
    assert [one.kind for one in item.anomalies] == ["duplicate"]
    assert item_view(item)["anomalies"][0]["kind"] == "duplicate"


async def test_what_is_new_is_told_by_when_it_came_however_long_ago_it_was_said(desk, timeline):
    for number in range(60):
        desk.clock.ms += 1000
        await desk.hears(f"n{number}")
    first = await timeline.page(KEY, 5)
    assert names(await timeline.news(KEY, first.newer)) == ["n59"]
    desk.clock.ms += 60_000
    await desk.hears("late", sent_at=desk.clock.ms - 110_000)
    await desk.keeps(HopReached(KEY, "n30", "edited", desk.clock.ms, "other words"))
    note = await Notes(desk.store, desk.clock).add(AGENT, KEY, "a note", "k1")
    await done(desk, "conversation.closed")
    news = await timeline.news(KEY, first.newer)
    assert sorted(names(news)) == sorted(["n30", "late", "n59", note.text, "conversation.closed"])
    assert news.complete
    desk.clock.ms += 60_000
    again = await timeline.news(KEY, news.newer)
    assert "conversation.closed" not in names(again)
    reply = await desk.sends("hello")
    assert reply.id in names(await timeline.news(KEY, again.newer))


async def test_what_becomes_known_of_any_message_that_was_read_back_is_told(desk, timeline):
    failed = await refused(desk, "Did it arrive?")
    desk.clock.ms += 11 * MINUTE
    for number in range(400):
        desk.clock.ms += 1000
        await desk.hears(f"n{number}")
    newest = await timeline.page(KEY, 50)
    newer, page = newest.newer, newest
    while page.older and "n60" not in names(page):
        page = await timeline.page(KEY, 50, page.older)
    assert failed.id not in names(page)
    platform, account, conversation = KEY.split("/")
    about = {"platform": platform, "account": account, "conversation": conversation}
    at = desk.clock.ms + 1
    await desk.keeps(
        HopReached(KEY, "n75", "read", at),
        HopReached(KEY, "n300", "edited", at, "other words"),
        HopReached(KEY, "n1", "edited", at, "nobody has read back so far"),
        anomaly(1, kind="duplicate", severity="info", message="n80", since=at, opened_at=at, **about),
    )
    assert names(await timeline.news(KEY, newer)) == ["n399"]
    assert set(names(await timeline.news(KEY, newer, page.reach))) == {"n75", "n80", "n300", "n399"}
    first = page
    while first.older:
        first = await timeline.page(KEY, 50, first.older)
    desk.clock.ms += 60_000
    await desk.retries(await desk.row(failed))
    told = await timeline.news(KEY, newer, first.reach)
    assert set(names(told)) == {failed.id, "n1", "n75", "n80", "n300", "n399"}
    assert found(told, failed.id).outgo.state == "queued"


async def refused(desk, text):
    """A reply that the platform refused, in the store as a message."""
    desk.office.plays(RefusedError("the customer blocked you", "7"))
    row = await desk.sends(text)
    await desk.hears(row.id, direction="out", sent_at=row.at, at=row.at, text=text)
    return row


async def test_more_news_than_one_answer_holds_says_so(desk, timeline):
    first = await timeline.page(KEY, 5)
    for number in range(201):
        await done(desk, f"conversation.labelled.{number}")
    assert not (await timeline.news(KEY, first.newer)).complete


async def test_nobodys_conversation_has_no_thread_and_a_bad_cursor_is_refused(timeline):
    with pytest.raises(NotFoundError):
        await timeline.page(KEY + "x", 5)
    good = (await timeline.page(KEY, 5)).newer
    with pytest.raises(NotFoundError):
        await timeline.news(KEY + "x", good)
    for call in (timeline.page(KEY, 5, good), timeline.news(KEY, "x"), timeline.news(KEY, good, good)):
        with pytest.raises(RejectedError):
            await call


async def test_a_senders_name_and_quote_of_a_pending_reply_are_told(desk, timeline):
    reply = await desk.asks("hello", reply_to="m1")
    row = found(await timeline.page(KEY, 50), reply.id).row
    assert (row.sender_name, row.reply_to, row.sender_role) == ("mei", "m1", "agent")
    assert Sender(id=row.sender_id).id == "mei"
