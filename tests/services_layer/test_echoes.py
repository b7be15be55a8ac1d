"""What a platform tells of our own replies is told of them under their own ids, in whatever order it comes."""

import msgspec
import pytest

from actors.events import AttachmentStatus, Auth, Checkpoint, Delete, Edit, Failure, Message, Receipt
from connectors.contract.calling import UncertainError
from connectors.contract.canonical import taken
from connectors.contract.outgoing import Sent
from services.arrivals.arrivals import Arrivals
from tests.services_layer.postal import ACCOUNT, PLATFORM, Keyed, Mute, echo

AT = {"platform": PLATFORM, "account": ACCOUNT, "conversation": "c1"}


def receipt(message, status="delivered", event="e1", **fields):
    return Receipt(**AT, message=message, status=status, event=event, **fields)


async def settled(desk, *events):
    return await desk.echoes.settled(desk.office.connector, list(events))


async def uncertain(desk, text="hello", **fields):
    """A reply of which nobody knows whether it was sent."""
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends(text, **fields)
    assert row.state == "unknown"
    return row


async def test_the_echo_of_a_reply_is_no_second_message(desk):
    row = await desk.sends("hello")
    shown = echo("p1", desk.clock.ms)
    assert await settled(desk, shown) == [receipt(row.id, "accepted", f"{row.id}/accepted")]
    fate = receipt("p1", "failed", error=Failure(reason="blocked"))
    assert await settled(desk, shown, fate) == [msgspec.structs.replace(fate, message=row.id)]


async def test_an_echo_whose_sending_was_never_answered_finds_its_reply(desk):
    row = await uncertain(desk, "Cafe\u0301 is  open")
    told = await settled(desk, echo("p1", desk.clock.ms + 3_000, "Café is open"), taken(echo("p1", 0)))
    assert [(event.message, event.status) for event in told] == [(row.id, "accepted")]
    known = await desk.row(row)
    assert (known.state, known.platform_message, known.code) == ("sent", "p1", None)
    for seconds in (5, 60, 600):
        await desk.later(seconds)
    assert len(desk.office.texts) == 1
    assert desk.office.asked == 0


async def test_an_echo_that_overtakes_the_answer_finds_the_reply_that_is_being_sent(desk):
    told = []

    async def echoed_meanwhile():
        told.extend(await settled(desk, echo("p1", desk.clock.ms)))
        return Sent(message="p1")

    desk.office.plays(echoed_meanwhile)
    row = await desk.sends("hello")
    assert [(event.message, event.status) for event in told] == [(row.id, "accepted")]
    assert (row.state, row.platform_message) == ("sent", "p1")
    assert [message.message for message in await desk.logged(Message)] == [row.id]


async def test_an_echo_of_a_sending_that_told_no_id_finds_its_reply(desk):
    desk.office.plays(Sent())
    row = await desk.sends("hello")
    assert (row.state, row.platform_message) == ("sent", None)
    told = await settled(desk, echo("p1", desk.clock.ms))
    assert [event.message for event in told] == [row.id]
    assert (await desk.row(row)).platform_message == "p1"
    assert await settled(desk, echo("p2", desk.clock.ms)) == [echo("p2", desk.clock.ms)]


async def test_an_echo_keeps_a_reply_from_being_sent_again(desk):
    desk.office.bind(Keyed)
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("hello")
    assert row.state == "queued"
    await settled(desk, echo("p1", desk.clock.ms))
    await desk.later(60)
    assert desk.office.texts == ["hello"]
    assert (await desk.row(row)).platform_message == "p1"


@pytest.mark.parametrize(
    "other",
    [
        {"text": "hello there"},
        {"sent_at": 120_001},
        {"sent_at": -120_001},
        {"conversation": "c2"},
    ],
)
async def test_what_colleagues_write_at_the_platform_stays_a_message_of_its_own(desk, other):
    row = await uncertain(desk)
    began = (await desk.row(row)).claimed_at
    fields = {"sent_at": began + other.pop("sent_at", 0)} | other
    shown = msgspec.structs.replace(echo("p1", began), **fields)
    fate = msgspec.structs.replace(taken(shown), conversation=shown.conversation)
    assert await settled(desk, shown, fate) == [shown, fate]
    assert (await desk.row(row)).state == "unknown"


async def test_an_id_made_of_ours_says_by_itself_which_reply_it_is(desk):
    first, second = await uncertain(desk), await uncertain(desk, "goodbye")
    shown = echo(f"{second.id}@shop.example", desk.clock.ms + 600_000, "goodbye\n-- \nThe shop")
    assert [event.message for event in await settled(desk, shown)] == [second.id]
    assert (await desk.row(first)).state == "unknown"


async def test_of_two_replies_with_the_same_words_each_echo_is_one(desk):
    rows = [await uncertain(desk), await uncertain(desk, again=True)]
    shown = [echo(f"p{number}", desk.clock.ms) for number in (1, 2, 3)]
    told = await settled(desk, *shown)
    assert [event.message for event in told] == [rows[0].id, rows[1].id, "p3"]
    assert await settled(desk, *shown) == [
        receipt(rows[0].id, "accepted", f"{rows[0].id}/accepted"),
        receipt(rows[1].id, "accepted", f"{rows[1].id}/accepted"),
        shown[2],
    ]


async def test_what_is_told_of_a_reply_is_told_under_its_own_id(desk):
    row = await desk.sends("hello")
    told = await settled(
        desk,
        receipt("p1", "read"),
        Edit(**AT, message="p1", text="hello!", event="e2"),
        Delete(**AT, message="p1", event="e3"),
        AttachmentStatus(**AT, message="p1", attachment="a", status="ok"),
    )
    assert [event.message for event in told] == [row.id] * 4


async def test_a_customer_who_quotes_a_reply_quotes_it_by_its_own_id(desk):
    row = await desk.sends("hello")
    quoting, other = (echo(name, 1, direction="in", reply_to=quoted) for name, quoted in (("m2", "p1"), ("m3", "m1")))
    told = await settled(desk, quoting, other)
    assert [event.reply_to for event in told] == [row.id, "m1"]


async def test_a_checkpoint_names_replies_by_their_own_ids(desk):
    row = await desk.sends("hello")
    check = Checkpoint(**AT, start=1, end=2, count=2, messages=["m1", "p1"])
    assert [event.messages for event in await settled(desk, check)] == [["m1", row.id]]


async def test_a_receipt_that_overtakes_the_answer_waits_and_fails_the_reply_with_its_reason(desk):
    fate = receipt("p1", "failed", "f1", error=Failure(code=131047, reason="re-engagement message"))

    async def failed_meanwhile():
        assert await settled(desk, fate) == []
        return Sent(message="p1")

    desk.office.plays(failed_meanwhile)
    row = await desk.sends("hello")
    assert [(one.message, one.status, one.error) for one in await desk.logged(Receipt)] == [
        (row.id, "accepted", None),
        (row.id, "failed", fate.error),
    ]


async def test_a_receipt_for_what_nobody_knows_goes_on_after_a_minute_as_it_is(desk):
    await uncertain(desk)
    assert await settled(desk, receipt("p5")) == []
    await desk.later(60)
    assert [one.message for one in await desk.logged(Receipt)] == ["p5"]


async def test_a_receipt_waits_for_a_reply_that_is_to_be_sent_again_or_told_no_id(desk):
    desk.office.plays(Sent())
    await desk.sends("hello")
    assert await settled(desk, receipt("p5")) == []
    assert [event.message for event in await settled(desk, echo("p5", desk.clock.ms))] != ["p5"]
    await desk.later(1)
    assert "p5" not in {one.message for one in await desk.logged(Receipt)}
    assert [one.status for one in await desk.logged(Receipt)] == ["accepted", "delivered"]


async def test_the_same_receipt_delivered_twice_waits_once(desk):
    await uncertain(desk)
    nameless = Receipt(**AT, message="p5", status="read")
    for one in (receipt("p5"), receipt("p5"), nameless, nameless):
        assert await settled(desk, one) == []
    assert len(await desk.store.parked_before(desk.clock.ms + 1, 10)) == 2


async def test_a_receipt_waits_for_nothing_when_its_message_is_held_or_nothing_is_on_its_way(desk):
    assert await settled(desk, receipt("p5")) == [receipt("p5")]
    await uncertain(desk)
    await desk.hears("p5", direction="out", sender=None)
    assert await settled(desk, receipt("p5")) == [receipt("p5")]
    desk.clock.ms += 601_000
    assert await settled(desk, receipt("p6")) == [receipt("p6")]


async def test_channels_that_take_no_replies_are_left_alone(desk):
    row = await desk.sends("hello")
    desk.office.bind(Mute)
    assert await settled(desk, echo("p1", desk.clock.ms)) == [echo("p1", desk.clock.ms)]
    assert row.platform_message == "p1"


async def test_everything_else_passes_as_it_came_and_in_order(desk):
    events = [
        echo("m7", 1, direction="in"),
        Auth(platform=PLATFORM, account=ACCOUNT, status="ok"),
        echo("x1", 1, "written at the platform"),
        Checkpoint(**AT, start=1, end=2, count=0),
    ]
    assert await settled(desk, *events) == events


async def test_a_lost_answer_and_its_echo_make_one_message_in_the_log(desk):
    """AT-23, through the way in for everything that connectors read."""
    arrivals = Arrivals(desk.gateway, desk.store, echoes=desk.echoes)
    row = await uncertain(desk)
    desk.clock.ms += 3_000
    shown = echo("p1", desk.clock.ms)
    for _ in range(3):
        await arrivals.take(desk.office.connector, [shown, taken(shown)])
    assert [message.message for message in await desk.logged(Message)] == [row.id]
    assert {one.message for one in await desk.logged(Receipt)} == {row.id}
    assert len({one.event for one in await desk.logged(Receipt)}) == 1
