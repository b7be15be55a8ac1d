"""A reply ends by what was told of it, in whatever order: proof that it got through wins, and a conflict is seen."""

from itertools import permutations

from msgspec.structs import replace

from actors.events import Action, Failure, Receipt
from connectors.contract.outgoing import Sent
from services.replies.proofs import fate_of
from storage.channel_records import ReplyFilter
from tests.services_layer.postal import ACCOUNT, PLATFORM

WORDS = ("accepted", "delivered", "read", "failed", "accepted, late")


def told(message, word, key="k"):
    status = word.partition(",")[0]
    error = Failure(code="131026", reason="Message undeliverable") if status == "failed" else None
    return Receipt(
        platform=PLATFORM,
        account=ACCOUNT,
        conversation="c1",
        message=message,
        status=status,
        error=error,
        event=f"{message}/{word}/{key}",
    )


async def sent(desk, number):
    desk.office.plays(Sent(message=f"p{number}"))
    row = await desk.sends(f"reply {number}")
    assert row.platform_message == f"p{number}"
    return row


async def hears(desk, *receipts):
    return await desk.echoes.settled(desk.office.connector, list(receipts))


def ladder(row):
    """What of a reply may depend on what was told of it."""
    return row.state, row.code, row.reason, row.heard, row.failure, row.told


async def test_all_orders_of_the_same_receipts_make_one_identical_row_with_the_conflict_on_it(desk):
    ends = set()
    for number, order in enumerate(permutations(WORDS)):
        row = await sent(desk, number)
        for word in order:
            await hears(desk, told(f"p{number}", word))
        ends.add(repr(ladder(await desk.row(row))))
    assert number == 119
    assert (await desk.audits()).count("reply.conflict") > 0
    (end,) = ends
    reason = "the platform told that it failed (131026 Message undeliverable) and that it was read; it counts as read"
    assert end == repr(
        ("sent", "conflict", reason, ["delivered", "failed", "read"], ["131026", "Message undeliverable"], True)
    )


async def test_a_failure_that_is_told_later_puts_the_reply_among_the_failed_ones_and_opens_its_conversation(desk):
    row = await sent(desk, 1)
    (receipt,) = await hears(desk, told("p1", "failed"))
    assert (receipt.message, receipt.status) == (row.id, "failed")
    known = await desk.row(row)
    assert (known.state, known.code, known.reason) == ("failed", "131026", "Message undeliverable")
    assert [one.id for one in (await desk.store.replies(ReplyFilter(states=("failed",)), 5)).items] == [row.id]
    assert await hears(desk, told("p1", "accepted, late")) != []
    assert (await desk.row(row)).state == "failed"


async def test_a_closed_conversation_is_open_again_once(desk):
    row = await sent(desk, 1)
    await desk.closes()
    receipt, action = await hears(desk, told("p1", "failed"))
    assert isinstance(action, Action)
    assert (action.what, action.agent, receipt.message) == ("reopened", row.who, row.id)
    assert [type(one) for one in await hears(desk, told("p1", "failed", "again"))] == [Receipt]


async def test_a_retry_is_an_attempt_with_a_ladder_of_its_own(desk):
    row = await sent(desk, 1)
    await hears(desk, told("p1", "failed"))
    await desk.retries(row)
    assert (await desk.row(row)).heard == []
    await hears(desk, told("p1", "failed", "late"))
    assert (await desk.row(row)).state == "queued", "what is told of the first attempt says nothing of the second"
    desk.office.plays(Sent(message="p2"))
    await desk.outbox.step()
    await hears(desk, told("p2", "delivered"))
    again = await desk.row(row)
    assert (again.state, again.platform_message, again.code, again.heard) == ("sent", "p2", None, ["delivered"])


async def test_of_two_failures_the_same_one_is_kept_whichever_came_first(desk):
    kept = set()
    other = Failure(code="131000", reason="Something went wrong")
    for number, turned in enumerate((False, True)):
        row = await sent(desk, number)
        both = [told(f"p{number}", "failed"), replace(told(f"p{number}", "failed", "2"), error=other)]
        for one in reversed(both) if turned else both:
            await hears(desk, one)
        kept.add(repr(ladder(await desk.row(row))))
    assert len(kept) == 1


def test_the_fate_of_a_message_is_that_of_its_hops():
    assert fate_of({"accepted": 1}) == ("accepted", False)
    assert fate_of({"accepted": 1, "failed": 2}) == ("failed", False)
    assert fate_of({"failed": 1, "delivered": 2}) == ("delivered", True)
    assert fate_of({"read": 1, "failed": 2, "delivered": 3}) == ("read", True)
    assert fate_of({}) == (None, False)
