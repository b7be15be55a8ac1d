"""Replies as people ask for them: once for each key, checked first, kept before anything else happens."""

import asyncio
from hashlib import sha256

import pytest
from msgspec.structs import replace

from actors.errors import RejectedError
from actors.events import Message, Receipt
from connectors.contract.calling import RefusedError, UncertainError
from services.errors import ConflictError, ForbiddenError, NotFoundError
from services.replies.replies import Ask, AskedFile, ObjectedError, Replies, id_of
from storage.channel_records import ReplyFilter
from storage.files import FolderFiles
from streams.ports import LogFullError
from tests.services_layer.desk import AGENT, VIEWER
from tests.services_layer.postal import KEY, Mute


async def pieces(content):
    yield content


async def test_a_reply_is_durable_and_in_the_log_when_it_is_answered(desk):
    row = await desk.asks("It is on its way.", reply_to="m1")
    assert (row.state, row.who, row.key) == ("queued", "mei", KEY)
    assert await desk.row(row) == row
    [message] = await desk.logged(Message)
    assert (message.message, message.direction, message.text) == (row.id, "out", "It is on its way.")
    assert (message.sender.id, message.sender.role, message.reply_to) == ("mei", "agent", "m1")
    assert await desk.audits() == ["reply.asked"]


async def test_the_id_is_made_of_conversation_and_key_alone(desk):
    row = await desk.asks("hello", "k-1")
    assert row.id == id_of(KEY, "k-1")
    assert row.id.startswith("weir-")
    assert len(row.id) == len("weir-") + 32
    assert id_of(KEY, "k-2") != row.id != id_of(KEY + "x", "k-1")


async def test_asking_again_after_a_lost_answer_gives_the_first_reply(desk):
    first = await desk.asks("hello", "k-1")
    await desk.outbox.step()
    desk.clock.ms += 12_000
    again = await desk.asks("hello", "k-1")
    assert (again.id, again.state) == (first.id, "sent")
    await desk.outbox.step()
    assert desk.office.texts == ["hello"]
    assert len(await desk.logged(Message)) == 1
    assert len(await desk.rows()) == 1


async def test_another_reply_under_the_same_key_is_a_conflict(desk):
    await desk.asks("hello", "k-1")
    for change in ({"text": "goodbye"}, {"text": "hello", "reply_to": "m1"}):
        with pytest.raises(ConflictError, match="Idempotency-Key"):
            await desk.asks(idempotency_key="k-1", **change)


async def test_the_same_request_many_times_at_once_is_one_reply(desk):
    rows = await asyncio.gather(*(desk.asks("hello", "k-1") for _ in range(20)))
    assert len({row.id for row in rows}) == 1
    assert len(await desk.logged(Message)) == 1
    await desk.outbox.step()
    assert desk.office.texts == ["hello"]


async def test_the_same_words_within_a_minute_are_asked_about_first(desk):
    await desk.asks("Your  parcel left.")
    desk.clock.ms += 12_000
    with pytest.raises(ConflictError, match=r"identical reply was sent 12 s ago by mei"):
        await desk.asks("Your parcel left. ")
    twice = await desk.asks("Your parcel left.", again=True)
    assert twice.state == "queued"


async def test_the_same_words_a_minute_later_or_elsewhere_are_no_conflict(desk):
    await desk.asks("hello")
    await desk.hears("m1", conversation="c2")
    assert (await desk.asks("hello", key=KEY.replace("c1", "c2"))).state == "queued"
    desk.clock.ms += 60_000
    assert (await desk.asks("hello")).state == "queued"


async def test_what_failed_may_be_said_again_at_once(desk):
    desk.office.plays(RefusedError("blocked", "7"))
    assert (await desk.sends("hello")).state == "failed"
    assert (await desk.asks("hello")).state == "queued"


async def test_a_reply_that_repeats_another_on_purpose_is_no_conflict(desk):
    first = await desk.asks("hello")
    again = await desk.asks("hello", resend_of=first.id)
    assert again.resend_of == first.id
    assert (await desk.logged(Message))[-1].resend_of == first.id


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ключ"])
async def test_an_idempotency_key_is_printable_and_not_too_long(desk, key):
    with pytest.raises(RejectedError, match="Idempotency-Key"):
        await desk.replies.ask(AGENT, KEY, Ask(text="hello"), key)
    assert await desk.rows() == []


async def test_only_who_may_reply_may(desk):
    with pytest.raises(ForbiddenError, match="ivy has viewer"):
        await desk.asks(caller=VIEWER)
    row = await desk.asks()
    for forbidden in (desk.replies.retry(VIEWER, row.id), desk.replies.settle(VIEWER, row.id, sent=True)):
        with pytest.raises(ForbiddenError):
            await forbidden


async def test_there_must_be_a_conversation_and_what_is_referred_to(desk):
    with pytest.raises(NotFoundError, match="no conversation"):
        await desk.asks(key=KEY + "x")
    for name in ("reply_to", "resend_of"):
        with pytest.raises(RejectedError, match=f"{name}: there is no message"):
            await desk.asks(**{name: "m9"})
    assert await desk.logged() == []


async def test_a_reply_just_asked_for_can_be_quoted(desk):
    first = await desk.sends("hello")
    await desk.sends("as I said", reply_to=first.id)
    assert desk.office.sent[-1]["quotes"] == "p1"


async def test_a_channel_that_takes_no_replies_says_so(desk):
    for kind, reason in ((None, "not bound"), (Mute, "cannot be answered from here")):
        desk.office.bind(kind)
        with pytest.raises(RejectedError, match=reason):
            await desk.asks()
    assert await desk.rows() == []


async def test_what_the_platform_would_not_take_is_refused_with_every_reason(desk):
    with pytest.raises(ObjectedError) as refused:
        await desk.asks("x" * 201)
    assert [one.code for one in refused.value.objections] == ["text_too_long"]
    assert refused.value.objections[0].figures["over"] == 1
    with pytest.raises(ObjectedError, match="empty"):
        await desk.asks("  ")
    assert await desk.rows() == []
    assert await desk.logged() == []


async def test_files_are_named_by_what_is_held(desk):
    files = FolderFiles(desk.folder)
    digest = sha256(b"png").hexdigest()
    await files.put_file(digest, pieces(b"png"))
    replies = Replies(desk.store, desk.gateway, desk.office.find, files=files, now=desk.clock)
    held = AskedFile(digest=digest, name="a.png", mime="image/png")
    row = await replies.ask(AGENT, KEY, Ask(files=(held,)), "k-1")
    assert [(file.digest, file.size) for file in row.files] == [(digest, 3)]
    [message] = await desk.logged(Message)
    assert [(file.id, file.mime, file.size) for file in message.attachments] == [(f"{row.id}:0", "image/png", 3)]
    for wrong in ("0" * 64, "../../etc/passwd"):
        with pytest.raises(RejectedError, match="not held"):
            await replies.ask(AGENT, KEY, Ask(files=(replace(held, digest=wrong),)), "k-2")
    for change in ({"name": ""}, {"name": "a\nb"}, {"mime": "png"}):
        with pytest.raises(RejectedError, match="files"):
            await replies.ask(AGENT, KEY, Ask(files=(replace(held, **change),)), "k-3")
    with pytest.raises(RejectedError, match="not held"):
        await desk.asks(files=(held,))


async def test_a_log_that_is_full_keeps_no_reply_from_being_taken_in(desk):
    class FullGateway:
        now = desk.clock

        async def submit(self, entries):
            raise LogFullError(f"no room for {len(entries)}")

    replies = Replies(desk.store, FullGateway(), desk.office.find, now=desk.clock)
    row = await replies.ask(AGENT, KEY, Ask(text="hello"), "k-1")
    assert row.state == "new"
    await desk.later(9)
    assert desk.office.sent == []
    await desk.later(6)
    assert desk.office.texts == ["hello"]
    assert [message.message for message in await desk.logged(Message)] == [row.id]


async def test_lists_are_by_state_and_conversation(desk):
    first = await desk.sends("one")
    second = await desk.asks("two")
    page = await desk.replies.page(ReplyFilter(states=("queued",)), 10)
    assert [row.id for row in page.items] == [second.id]
    assert {row.id for row in (await desk.replies.page(ReplyFilter(key=KEY), 10)).items} == {first.id, second.id}


async def test_a_failed_reply_is_sent_after_all_as_the_same_message(desk):
    desk.office.plays(RefusedError("shop closed", "9"))
    row = await desk.sends("hello")
    again = await desk.replies.retry(AGENT, row.id)
    assert (again.id, again.state, again.code, again.reason) == (row.id, "queued", None, None)
    await desk.outbox.step()
    assert (await desk.row(row)).state == "sent"
    assert len(await desk.logged(Message)) == 1
    assert [(receipt.status, receipt.message) for receipt in await desk.logged(Receipt)] == [
        ("failed", row.id),
        ("accepted", row.id),
    ]
    assert await desk.audits() == ["reply.asked", "reply.retried"]


async def test_every_failure_of_one_reply_is_told(desk):
    desk.office.plays(RefusedError("closed", "9"), RefusedError("still closed", "9"))
    row = await desk.sends("hello")
    await desk.replies.retry(AGENT, row.id)
    await desk.outbox.step()
    assert len({receipt.event for receipt in await desk.logged(Receipt)}) == 2


async def test_what_the_platform_still_would_not_take_is_not_retried(desk):
    desk.office.plays(RefusedError("blocked"))
    row = await desk.sends("hello")
    desk.office.bind(Mute)
    with pytest.raises(RejectedError):
        await desk.replies.retry(AGENT, row.id)
    assert (await desk.row(row)).state == "failed"


@pytest.mark.parametrize("state", ["queued", "sent"])
async def test_there_is_nothing_to_retry_or_settle_in_other_states(desk, state):
    row = await desk.asks()
    if state == "sent":
        await desk.outbox.step()
    with pytest.raises(ConflictError, match=state):
        await desk.replies.retry(AGENT, row.id, sure=True)
    with pytest.raises(ConflictError, match=state):
        await desk.replies.settle(AGENT, row.id, sent=True)
    with pytest.raises(NotFoundError):
        await desk.replies.retry(AGENT, "weir-0")


async def test_a_reply_that_may_have_been_sent_is_retried_only_by_somebody_who_is_sure(desk):
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("hello")
    assert row.state == "unknown"
    with pytest.raises(ConflictError, match="sure"):
        await desk.replies.retry(AGENT, row.id)
    assert (await desk.replies.retry(AGENT, row.id, sure=True)).state == "queued"
    await desk.outbox.step()
    assert desk.office.texts == ["hello", "hello"]


@pytest.mark.parametrize(("sent", "state", "status"), [(True, "sent", "accepted"), (False, "failed", "failed")])
async def test_a_person_settles_what_nobody_knows(desk, sent, state, status):
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("hello")
    settled = await desk.replies.settle(AGENT, row.id, sent=sent)
    assert settled.state == state
    assert [(receipt.message, receipt.status) for receipt in await desk.logged(Receipt)] == [(row.id, status)]
    await desk.later(60)
    assert len(await desk.logged(Receipt)) == 1
    assert desk.office.texts == ["hello"]
    assert await desk.audits() == ["reply.asked", "reply.settled"]


async def test_two_people_who_decide_at_once_do_not_both(desk):
    desk.office.plays(UncertainError("no answer"))
    row = await desk.sends("hello")
    deeds = [desk.replies.settle(AGENT, row.id, sent=True), desk.replies.retry(AGENT, row.id, sure=True)]
    done = await asyncio.gather(*deeds, return_exceptions=True)
    assert sum(isinstance(one, ConflictError) for one in done) == 1
