"""The same mail in two mailboxes: whoever reads one is told of the other, and whether it was answered there (AT-22)."""

from __future__ import annotations

import pytest

from actors.effects import HopReached
from actors.events import Sender
from tests.api.people import People
from tests.api.test_inbox import team
from tests.storage.flushes import Flushes, stored

MAIL, OURS = Sender(id="ana@example.com", name="Ana", role="customer"), Sender(id="ann", name="ann", role="agent")


def copied(account, at, *, sender=MAIL, platform="email", message="both@example.com", conversation=None, **more):
    about = {"platform": platform, "account": account, "sender": sender, "text": "Where is it?", **more}
    return stored(message, conversation or f"c-{account}", at=at, **about)


def of(account, platform="email"):
    return f"/api/v1/conversations/{platform}/{account}/c-{account}/copies"


async def items(client, path):
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.fixture
async def save(store):
    return Flushes(store)


@pytest.fixture
async def people(app, services):
    made = People(app, services)
    yield made
    await made.close()


async def test_a_mail_in_two_mailboxes_is_told_in_both_with_who_answered_it(admin, save, gateway):
    now = gateway.now()
    await save(copied("a", now - 9_000), copied("b", now - 9_000))
    about_b = {"channel": "email/b", "answered_at": None, "key": "email/b/c-b", "who": None}
    assert await items(admin, of("a")) == [about_b]
    answer = stored("r1", "c-a", at=now, platform="email", account="a", direction="out", sender=OURS, text="Tomorrow.")
    await save(answer)
    (told,) = await items(admin, of("b"))
    assert (told["channel"], told["key"], told["who"]) == ("email/a", "email/a/c-a", "ann")
    assert told["answered_at"] is not None
    assert await items(admin, of("a")) == [about_b]


async def test_what_was_answered_before_the_mail_came_is_no_answer_to_it(admin, save, gateway):
    now = gateway.now()
    earlier = stored("r0", "c-a", at=now - 20_000, platform="email", account="a", direction="out", sender=OURS)
    await save(earlier, copied("a", now - 9_000), copied("b", now - 9_000))
    (told,) = await items(admin, of("b"))
    assert told["answered_at"] is None


async def test_what_a_program_sends_by_itself_is_no_answer(admin, save, gateway):
    now = gateway.now()
    program = Sender(id="out", name="Out of office", role="system")
    notice = stored("r1", "c-a", at=now, platform="email", account="a", direction="out", sender=program, text="Away.")
    await save(copied("a", now - 9_000), copied("b", now - 9_000), notice)
    (told,) = await items(admin, of("b"))
    assert (told["answered_at"], told["who"]) == (None, None)


async def test_an_answer_that_did_not_arrive_is_none(admin, save, gateway):
    now = gateway.now()
    answer = stored("r1", "c-a", at=now, platform="email", account="a", direction="out", sender=OURS, text="Tomorrow.")
    await save(copied("a", now - 9_000), copied("b", now - 9_000), answer)
    await save(HopReached("email/a/c-a", "r1", "failed", now))
    assert [one["answered_at"] for one in await items(admin, of("b"))] == [None]
    await save(HopReached("email/a/c-a", "r1", "delivered", now))
    (told,) = await items(admin, of("b"))
    assert told["answered_at"] is not None


async def test_what_is_not_the_same_mail_is_not_told(admin, save, gateway):
    """Another sender's mail of that id, a chat's message of that id, a mail that the customer has followed up on."""
    now = gateway.now()
    other = Sender(id="dhl@example.com", role="customer")
    await save(
        copied("a", now - 9_000),
        copied("b", now - 9_000, sender=other),
        copied("shop", now - 9_000, platform="shopee"),
        copied("c", now - 9_000),
        copied("c", now, message="next@example.com"),
    )
    assert [one["channel"] for one in await items(admin, of("a"))] == ["email/c"]
    assert await items(admin, of("b")) == []
    assert await items(admin, of("c")) == []
    assert await items(admin, of("shop", "shopee")) == []


async def test_whoever_may_not_see_the_other_mailbox_is_told_that_it_was_answered_there_alone(people, save, gateway):
    bob = await people.client("bob")
    await people.client("ann")
    await team(people, "A", ["ann"], ["email/a"])
    await team(people, "B", ["bob"], ["email/b"])
    now = gateway.now()
    answer = stored("r1", "c-a", at=now, platform="email", account="a", direction="out", sender=OURS, text="Tomorrow.")
    await save(copied("a", now - 9_000), copied("b", now - 9_000), answer)
    (told,) = await items(bob, of("b"))
    assert (told["channel"], told["key"], told["who"]) == ("email/a", None, None)
    assert told["answered_at"] is not None
    assert (await bob.get(of("a"))).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/conversations/copies", of("nobody")])
async def test_of_a_conversation_that_is_none_there_are_none(admin, path):
    assert (await admin.get(path)).status_code == 404
