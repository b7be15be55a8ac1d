"""A mail in two mailboxes that is answered from one: what becomes of it in the other (AT-22), through everything."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from actors.errors import ConfigurationError
from actors.events import Action, Message, Sender
from connectors.contract.calling import RefusedError
from connectors.contract.connector import Binding
from services.replies.elsewhere import Elsewhere
from services.replies.fates import Fates
from services.replies.outbox import Outbox
from services.replies.replies import Ask, Replies
from storage.records import ConversationFilter
from tests.services_layer.desk import AGENT
from tests.services_layer.postal import Office, Postal
from tests.streams.product import Product

ANA = Sender(id="ana@example.com", name="Ana", role="customer")
A, B = "email/a/c-a", "email/b/c-b"


class Mailbox(Postal):
    """Letters of a mailbox."""

    platform = "email"


class Mailroom:
    """A whole Weir with two mailboxes; `wishes`: what the second one's channel wants."""

    def __init__(self, product):
        self.product, self.store = product, product.store
        self.office = Office(product.gateway.now)
        self.wishes = {"close_answered": "yes"}
        self.broken = False
        self.replies = Replies(self.store, product.gateway, self.find)
        self.outbox = Outbox(self.store, product.gateway, self.find, self.office.api, who="test")

    async def find(self, platform, account):
        if self.broken and account == "b":
            raise ConfigurationError("its password cannot be read")
        assert platform == "email"
        return Mailbox(Binding(account=account, url="", settings=self.wishes if account == "b" else {}))

    async def comes(self, *accounts, message="both@example.com", sent_at=None):
        now = self.product.gateway.now()
        for account in accounts:
            about = {"platform": "email", "account": account, "conversation": f"c-{account}", "message": message}
            mail = Message(**about, at=now, sent_at=sent_at or now, direction="in", sender=ANA, text=f"About {message}")
            await self.tells(mail)

    async def tells(self, event):
        await self.product.gateway.submit([event])
        await self.product.runtime.settled()

    async def answers(self, key, idempotency_key="k-1"):
        row = await self.replies.ask(AGENT, key, Ask(text=f"It left today, {key}.", again=True), idempotency_key)
        await self.product.runtime.settled()
        await self.outbox.step()
        await self.product.runtime.settled()
        return await self.store.reply(row.id)

    async def statuses(self):
        page = await self.store.conversations(ConversationFilter(), 10)
        return {row.key: (row.status, row.sla) for row in page.items}

    async def closings(self):
        page = await self.store.audit(10, None, what="conversation.closed")
        return [(note.who, note.subject) for note in page.items]


@pytest.fixture
async def room(data_dir):
    product = Product(data_dir)
    await product.start()
    yield Mailroom(product)
    await product.stop()


async def test_an_answer_from_one_mailbox_ends_the_wait_in_the_other(room):
    await room.comes("a", "b")
    assert await room.statuses() == {A: ("open", "ok"), B: ("open", "ok")}
    row = await room.answers(A)
    assert row.state == "sent"
    assert await room.statuses() == {A: ("open", None), B: ("closed", None)}
    assert await room.closings() == [(AGENT.name, B)]
    assert all(clock.answered_at or clock.stopped for clock in await room.store.sla(B))


async def test_what_the_customer_writes_next_opens_it_again(room):
    await room.comes("a", "b")
    await room.answers(A)
    await room.comes("b", message="next@example.com")
    assert (await room.statuses())[B] == ("open", "ok")


async def test_nothing_is_closed_where_the_mailbox_does_not_want_it_or_cannot_be_asked(room):
    await room.comes("a", "b")
    for wishes, broken in (({}, False), ({"close_answered": "no"}, False), ({"close_answered": "yes"}, True)):
        room.wishes, room.broken = wishes, broken
        await room.answers(A, f"k-{wishes}-{broken}")
        assert (await room.statuses())[B] == ("open", "ok")
    assert await room.closings() == []


async def test_what_still_waits_for_something_else_stays_open(room):
    await room.comes("a", "b")
    await room.comes("b", message="more@example.com")
    await room.answers(A)
    assert (await room.statuses())[B] == ("open", "ok")


async def test_whoever_answers_second_closes_nothing(room):
    room.wishes = {}
    await room.comes("a", "b")
    await room.answers(A)
    await room.answers(B, "k-2")
    room.wishes = {"close_answered": "yes"}
    await room.answers(A, "k-3")
    assert await room.statuses() == {A: ("open", None), B: ("open", None)}


async def test_a_reply_that_is_refused_closes_nothing(room):
    await room.comes("a", "b")
    room.office.plays(RefusedError("no such user"))
    row = await room.answers(A)
    assert row.state == "failed"
    assert (await room.statuses())[B] == ("open", "ok")


async def test_a_reply_that_is_told_of_twice_closes_nothing_that_was_opened_since(room):
    await room.comes("a", "b")
    row = await room.answers(A)
    assert row.told
    now = room.product.gateway.now()
    opened = Action(platform="email", account="b", conversation="c-b", what="reopened", agent="bob", at=now)
    await room.tells(opened)
    assert (await room.statuses())[B] == ("open", "ok")
    fates = Fates(
        room.store, room.product.gateway, room.product.gateway.now, elsewhere=Elsewhere(room.store, room.find)
    )
    await fates.tell(await fates.change(row, replace(row, told=False)))
    await room.product.runtime.settled()
    assert (await room.statuses())[B] == ("open", "ok")
