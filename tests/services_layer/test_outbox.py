"""The outbox: every reply goes out once, whatever its platform, its process or the store does meanwhile."""

import asyncio
from contextlib import suppress

import msgspec
import pytest
from msgspec.structs import replace

from actors.effects import ConversationChanged
from actors.events import Action, Auth, Message, Receipt, Sender
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.outgoing import Sent
from storage.channel_records import ParkedReceipt, ReplyFilter
from storage.errors import StoreBusyError
from tests.services_layer.desk import AGENT
from tests.services_layer.postal import ACCOUNT, KEY, PLATFORM, Keyed, KeyedTray, Mute, Postal, echo

DAY_S = 24 * 3_600


async def fates(desk):
    return [(receipt.message, receipt.status) for receipt in await desk.logged(Receipt)]


async def test_a_reply_goes_out_with_what_the_platform_needs_to_know(desk):
    await desk.hears("m2", extra={"subject": "Order 7"}, sender=Sender(id="u2", role="customer"))
    seen = []

    class Curious(Postal):
        async def send(self, message, api):
            seen.append(message)
            return await super().send(message, api)

    desk.office.bind(Curious)
    row = await desk.sends("hello", reply_to="m2")
    [outgoing] = seen
    assert (outgoing.id, outgoing.recipient, outgoing.reply_to) == (row.id, "u2", "m2")
    heard_at = desk.clock.ms - 1
    assert (outgoing.last_in_at, outgoing.subject, outgoing.extra) == (heard_at, "Order 7", {"subject": "Order 7"})
    assert list(outgoing.thread) == ["m1", "m2"]


async def test_a_sent_reply_is_recorded_and_told_once(desk):
    row = await desk.sends("hello")
    assert (row.state, row.platform_message, row.attempts, row.told) == ("sent", "p1", 1, True)
    assert await fates(desk) == [(row.id, "accepted")]
    for seconds in (1, 10, 600, DAY_S):
        await desk.later(seconds)
    assert desk.office.texts == ["hello"]
    assert await fates(desk) == [(row.id, "accepted")]


async def test_replies_of_one_conversation_go_out_in_their_order(desk):
    desk.office.plays(UnreachableError("no route"))
    for text in ("one", "two", "three"):
        await desk.asks(text)
    for _ in range(4):
        await desk.later(2)
    assert desk.office.texts == ["one", "one", "two", "three"]


async def test_a_reply_that_waits_holds_up_no_other_conversation(desk):
    await desk.hears("m1", conversation="c2")
    desk.office.plays(UnreachableError("no route"))
    await desk.sends("one")
    await desk.sends("two", key=KEY.replace("c1", "c2"))
    assert desk.office.texts == ["one", "two"]


async def test_what_was_certainly_not_sent_is_tried_again_more_and_more_slowly(desk):
    desk.office.plays(*[UnreachableError("no route")] * 12)
    row = await desk.sends("hello")
    waits = []
    for _ in range(11):
        row = await desk.row(row)
        assert (row.state, row.code) == ("queued", "unreachable")
        waits.append((row.due_at - desk.clock.ms) // 1000)
        await desk.later(waits[-1] - 0.001)
        await desk.later(0.001)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert len(desk.office.sent) == 12
    assert await fates(desk) == []


async def test_a_platform_that_says_when_is_not_asked_before(desk):
    desk.office.plays(BusyError("too many", retry_after=90))
    row = await desk.sends("hello")
    assert row.due_at == desk.clock.ms + 90_000
    await desk.later(89)
    assert len(desk.office.sent) == 1
    await desk.later(1)
    assert (await desk.row(row)).state == "sent"


async def test_after_a_day_it_is_given_up_and_told(desk):
    desk.office.plays(UnreachableError("no route"), UnreachableError("no route"))
    row = await desk.sends("hello")
    await desk.later(DAY_S)
    row = await desk.row(row)
    assert (row.state, row.code) == ("failed", "gave_up")
    assert "no route" in row.reason
    assert await fates(desk) == [(row.id, "failed")]
    await desk.replies.retry(AGENT, row.id)
    desk.office.plays(UnreachableError("no route"))
    await desk.outbox.step()
    assert (await desk.row(row)).state == "queued"


async def test_what_the_platform_refuses_fails_with_its_reason_and_is_never_tried_again(desk):
    desk.office.plays(RefusedError("550 message too large", "550"))
    row = await desk.sends("hello")
    assert (row.state, row.code, row.reason) == ("failed", "550", "550 message too large")
    [receipt] = await desk.logged(Receipt)
    assert (receipt.status, receipt.error.code, receipt.error.reason) == ("failed", "550", "550 message too large")
    assert await desk.logged(Action) == []
    for _ in range(3):
        await desk.later(3_600)
    assert len(desk.office.sent) == 1


async def test_a_refused_reply_opens_its_closed_conversation_for_its_author(desk):
    await desk.keeps(ConversationChanged(KEY, "closed", desk.clock.ms, "mei"))
    desk.office.plays(RefusedError("550 message too large", "550"))
    await desk.sends("hello")
    [action] = await desk.logged(Action)
    assert (action.what, action.conversation, action.agent) == ("reopened", "c1", "mei")


async def test_a_channel_that_lost_its_authorisation_blocks_its_replies_and_says_so_once(desk):
    desk.office.plays(DeniedError("invalid token", revoked=True))
    first = await desk.sends("one")
    second = await desk.asks("two")
    await desk.hears("m1", conversation="c2")
    third = await desk.asks("three", key=KEY.replace("c1", "c2"))
    await desk.outbox.step()
    assert [(await desk.row(row)).state for row in (first, second, third)] == ["queued"] * 3
    assert {(await desk.row(row)).code for row in (first, third)} == {"blocked"}
    assert desk.office.texts == ["one"]
    desk.office.plays(DeniedError("invalid token", revoked=True), DeniedError("invalid token", revoked=True))
    await desk.later(30)
    assert [event.status for event in await desk.logged(Auth)] == ["revoked"]
    assert await fates(desk) == []


async def test_blocked_replies_go_out_once_each_when_the_channel_is_authorised_again(desk):
    desk.office.plays(*[DeniedError("expired")] * 5)
    await desk.sends("one")
    await desk.asks("two")
    for _ in range(4):
        await desk.later(3 * DAY_S)
    desk.office.bind(Postal)
    for _ in range(6):
        await desk.later(30)
    assert desk.office.texts[-2:] == ["one", "two"]
    assert sorted(row.state for row in await desk.rows()) == ["sent", "sent"]
    assert [event.status for event in await desk.logged(Auth)] == ["expired", "ok"]


async def test_server_errors_and_silence_never_ask_for_authorisation(desk):
    desk.office.plays(BusyError("503"), UnreachableError("no route"), UncertainError("500"))
    await desk.sends("hello")
    await desk.later(5)
    await desk.later(5)
    assert await desk.logged(Auth) == []


@pytest.mark.parametrize("error", [UncertainError("no answer"), RuntimeError("a fault"), ValueError("unreadable")])
async def test_what_may_have_been_sent_is_not_sent_again_by_itself(desk, error):
    desk.office.plays(error)
    row = await desk.sends("hello")
    assert row.state == "unknown"
    for seconds in (5, 55, 60, 3_600, DAY_S):
        await desk.later(seconds)
    assert desk.office.texts == ["hello"]
    row = await desk.row(row)
    assert (row.state, row.code, row.looks) == ("unknown", "not_found", 2)
    assert desk.office.asked == 2
    assert await fates(desk) == []


@pytest.mark.parametrize("shown_at_look", [1, 2])
async def test_what_may_have_been_sent_is_found_at_the_platform(desk, shown_at_look):
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("Cafe\u0301  is open")
    tray = [
        echo("x1", desk.clock.ms - 121_000, "Café is open"),
        echo("x2", desk.clock.ms, "something else"),
        echo("x3", desk.clock.ms, "Café is open", direction="in"),
        echo("x4", desk.clock.ms, "Café is open", conversation="c2"),
        echo("p9", desk.clock.ms + 3_000, " Café is open"),
    ]
    if shown_at_look == 1:
        desk.office.tray = tray
    await desk.later(4.999)
    assert desk.office.asked == 0
    await desk.later(0.001)
    desk.office.tray = tray
    await desk.later(55)
    row = await desk.row(row)
    assert (row.state, row.platform_message) == ("sent", "p9")
    assert desk.office.asked == shown_at_look
    assert await fates(desk) == [(row.id, "accepted")]


async def test_one_message_of_the_platform_settles_one_reply_only(desk):
    desk.office.plays(UncertainError("no answer"), UncertainError("no answer"))
    await desk.sends("hello")
    await desk.sends("hello", again=True)
    desk.office.tray = [echo("p1", desk.clock.ms)]
    for seconds in (5, 55, 60):
        await desk.later(seconds)
    assert sorted(row.state for row in await desk.rows()) == ["sent", "unknown"]


async def test_a_platform_that_cannot_be_asked_now_is_asked_later(desk):
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("hello")
    desk.office.tray = [echo("p1", desk.clock.ms)]
    desk.office.tray_error = UnreachableError("no route")
    await desk.later(5)
    desk.office.tray_error = DeniedError("expired")
    await desk.later(60)
    desk.office.tray_error = None
    await desk.later(60)
    assert (await desk.row(row)).state == "sent"


async def test_a_platform_that_never_answers_is_asked_for_a_day(desk):
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("hello")
    desk.office.tray_error = UnreachableError("no route")
    await desk.later(DAY_S)
    await desk.later(60)
    asked = desk.office.asked
    await desk.later(60)
    assert desk.office.asked == asked
    assert (await desk.row(row)).state == "unknown"


async def test_without_any_history_it_stays_unknown_at_once(desk):
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("hello")
    desk.office.bind(Mute)
    await desk.later(5)
    row = await desk.row(row)
    assert (row.state, row.code) == ("unknown", "not_found")


async def test_where_the_platform_takes_it_once_by_our_id_it_is_sent_again(desk):
    desk.office.bind(Keyed)
    desk.office.plays(UncertainError("no answer"), UncertainError("no answer"), UncertainError("no answer"))
    row = await desk.sends("hello")
    for _ in range(4):
        await desk.later(10)
    assert {letter["id"] for letter in desk.office.sent} == {row.id}
    assert len(desk.office.sent) == 4
    assert (await desk.row(row)).state == "sent"


async def test_a_mailbox_is_looked_into_twice_then_gets_one_more_copy_and_never_a_third(desk):
    desk.office.bind(KeyedTray)
    desk.office.plays(*[UncertainError("closed before 250")] * 9)
    row = await desk.sends("hello")
    sendings, looks = [], []
    for _ in range(40):
        await desk.later(5)
        sendings.append(len(desk.office.sent))
        looks.append(desk.office.asked)
    assert looks[sendings.index(2) - 1] >= 1
    assert desk.office.asked == 4
    assert len(desk.office.sent) == 2
    assert {letter["id"] for letter in desk.office.sent} == {row.id}
    assert (await desk.row(row)).state == "unknown"


async def test_a_process_that_ends_while_it_sends_leaves_a_reply_that_may_have_been_sent(desk):
    reached, never = asyncio.Event(), asyncio.Event()

    async def hangs():
        reached.set()
        await never.wait()

    desk.office.plays(hangs)
    row = await desk.asks("hello")
    dying = asyncio.create_task(desk.outbox.step())
    await reached.wait()
    dying.cancel()
    with suppress(asyncio.CancelledError):
        await dying
    for task in asyncio.all_tasks():
        if task.get_name().startswith("reply "):
            task.cancel()
    survivor = desk.another_outbox()
    desk.clock.ms += 119_999
    await survivor.step()
    assert (await desk.row(row)).state == "claimed"
    desk.clock.ms += 5_000
    await survivor.step()
    assert (await desk.row(row)).state == "unknown"
    desk.office.tray = [echo("p1", desk.clock.ms - 124_000)]
    desk.clock.ms += 5_000
    await survivor.step()
    row = await desk.row(row)
    assert (row.state, row.platform_message) == ("sent", "p1")
    assert desk.office.texts == ["hello"]


async def test_a_claim_that_hangs_is_sent_again_where_the_platform_takes_it_once(desk):
    desk.office.bind(Keyed)
    row = await desk.asks("hello")
    claimed = replace(row, state="claimed", claimed_at=desk.clock.ms, claimed_by="gone", version=row.version + 1)
    assert await desk.store.change_reply(claimed, replaces=row.version)
    await desk.later(121)
    await desk.later(5)
    assert (await desk.row(row)).state == "sent"


async def test_many_processes_send_each_reply_once(desk):
    for number in range(30):
        await desk.hears("m1", conversation=f"c{number}")
        await desk.asks(f"text {number}", key=KEY.replace("c1", f"c{number}"))
    outboxes = [desk.another_outbox(f"process {number}") for number in range(4)]
    for _ in range(8):
        await asyncio.gather(*(outbox.step() for outbox in outboxes))
    assert sorted(desk.office.texts) == sorted(f"text {number}" for number in range(30))


async def test_an_answer_counts_although_others_took_the_sender_for_dead(desk):
    reached, answer = asyncio.Event(), asyncio.Event()

    async def slow():
        reached.set()
        await answer.wait()
        return Sent(message="p7")

    desk.office.plays(slow)
    row = await desk.asks("hello")
    sending = asyncio.create_task(desk.outbox.step())
    await reached.wait()
    desk.clock.ms += 125_000
    await desk.another_outbox().step()
    assert (await desk.row(row)).state == "unknown"
    answer.set()
    await sending
    row = await desk.row(row)
    assert (row.state, row.platform_message) == ("sent", "p7")
    assert await fates(desk) == [(row.id, "accepted")]


async def test_an_echo_taken_for_the_reply_wrongly_is_shown_as_what_it_is(desk):
    async def colleague_writes_the_same():
        told = await desk.echoes.settled(desk.office.connector, [echo("p1", desk.clock.ms)])
        assert [type(event) for event in told] == [Receipt]
        return Sent(message="p2")

    desk.office.plays(colleague_writes_the_same)
    row = await desk.sends("hello")
    assert (row.state, row.platform_message) == ("sent", "p2")
    assert [message.message for message in await desk.logged(Message)] == [row.id, "p1"]


async def test_what_was_sent_is_recorded_however_long_the_store_is_busy(desk, monkeypatch):
    change = desk.store.change_reply
    failures = iter([False, True, True, True])

    async def moody(row, *, replaces):
        if next(failures, False):
            raise StoreBusyError("locked")
        return await change(row, replaces=replaces)

    row = await desk.asks("hello")
    monkeypatch.setattr(desk.store, "change_reply", moody)
    await desk.outbox.step()
    assert (await desk.row(row)).state == "sent"
    assert desk.slept == [1.0, 1.0, 1.0]
    assert desk.office.texts == ["hello"]


async def test_what_was_kept_and_not_told_is_told_by_the_next_process(desk):
    row = await desk.sends("hello")
    untold = replace(row, told=False, version=row.version + 1)
    assert await desk.store.change_reply(untold, replaces=row.version)
    await desk.later(5)
    assert (await desk.row(row)).told
    assert len({receipt.event for receipt in await desk.logged(Receipt)}) == 1


async def test_a_channel_that_is_bound_no_more_fails_its_replies(desk):
    row = await desk.asks("hello")
    desk.office.bind(None)
    await desk.outbox.step()
    row = await desk.row(row)
    assert (row.state, row.code) == ("failed", "not_bound")
    assert await fates(desk) == [(row.id, "failed")]


async def test_a_platform_that_hangs_does_not_hold_up_the_loop(desk):
    reached, never, arrived = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hangs():
        reached.set()
        await never.wait()

    async def arrives():
        arrived.set()
        return Sent(message="p2")

    desk.office.plays(hangs, arrives)
    await desk.asks("one")
    await desk.hears("m1", conversation="c2")
    running = asyncio.create_task(desk.outbox.run())
    await reached.wait()
    await desk.asks("two", key=KEY.replace("c1", "c2"))
    desk.outbox.wake()
    await asyncio.wait_for(arrived.wait(), 20)
    never.set()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_what_is_being_sent_when_the_process_stops_is_recorded(desk):
    reached, answer = asyncio.Event(), asyncio.Event()

    async def slow():
        reached.set()
        await answer.wait()
        return Sent(message="p1")

    desk.office.plays(slow)
    row = await desk.asks("hello")
    running = asyncio.create_task(desk.outbox.run())
    await reached.wait()
    running.cancel()
    await asyncio.sleep(0)
    answer.set()
    with suppress(asyncio.CancelledError):
        await running
    assert (await desk.row(row)).state == "sent"


async def parks(desk, message, event="e1", status="failed"):
    receipt = echo_receipt(message, event, status)
    body = msgspec.json.encode(receipt)
    await desk.store.park_receipt(
        ParkedReceipt(platform=PLATFORM, account=ACCOUNT, message=message, id=event, at=desk.clock.ms, body=body)
    )


def echo_receipt(message, event, status):
    return Receipt(platform=PLATFORM, account=ACCOUNT, conversation="c1", message=message, status=status, event=event)


async def test_a_parked_receipt_is_told_of_its_reply_as_soon_as_that_is_known(desk):
    await parks(desk, "p1")
    row = await desk.sends("hello")
    assert await fates(desk) == [(row.id, "accepted"), (row.id, "failed")]
    assert await desk.store.parked_before(desk.clock.ms + 1, 10) == []


async def test_a_parked_receipt_whose_reply_stays_unknown_is_told_as_it_is_after_a_minute(desk):
    await parks(desk, "p5")
    await desk.later(59.999)
    assert await fates(desk) == []
    await desk.later(0.001)
    assert await fates(desk) == [("p5", "failed")]
    await desk.later(60)
    assert len(await fates(desk)) == 1


async def test_no_reply_is_left_between_states(desk):
    """Whatever a sending comes to, the reply is in a state from which somebody takes it further."""
    told = []
    desk.outbox.observe = lambda platform, state: told.append((platform, state))
    outcomes = [
        UnreachableError("a"), BusyError("b"), DeniedError("c"), RefusedError("d"), UncertainError("e"), KeyError("f"),
    ]  # fmt: skip
    for number, outcome in enumerate(outcomes):
        await desk.hears("m1", conversation=f"x{number}")
        desk.office.plays(outcome)
        desk.office.bind(Postal)
        await desk.sends(f"text {number}", key=KEY.replace("c1", f"x{number}"))
    stuck = await desk.replies.page(ReplyFilter(states=("claimed", "new")), 100)
    assert stuck.items == []
    states = ["queued", "queued", "queued", "failed", "unknown", "unknown"]
    assert told == [(PLATFORM, state) for state in states]
