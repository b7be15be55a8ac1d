"""A reply through everything: asked for, logged, processed by the engines, sent, echoed, shown once."""

import pytest

from actors.events import Message, Receipt, Sender
from connectors.contract.calling import RefusedError, UncertainError
from connectors.contract.canonical import taken
from connectors.contract.outgoing import Sent
from services.arrivals.arrivals import Arrivals
from services.replies.echoes import Echoes
from services.replies.outbox import Outbox
from services.replies.replies import Ask, Replies
from tests.services_layer.desk import AGENT
from tests.services_layer.postal import ACCOUNT, CONVERSATION, KEY, PLATFORM, Office, echo
from tests.streams.product import Product

CHANNEL = {"platform": PLATFORM, "account": ACCOUNT, "conversation": CONVERSATION}


class Shop:
    """A whole Weir with one bound channel, and a customer who has written."""

    def __init__(self, product):
        self.product = product
        store, gateway = product.store, product.gateway
        self.now = gateway.now
        self.office = Office(self.now)
        self.replies = Replies(store, gateway, self.office.find)
        self.outbox = Outbox(store, gateway, self.office.find, self.office.api, who="test")
        self.arrivals = Arrivals(gateway, store, echoes=Echoes(store, self.now))

    async def hears(self, *events):
        await self.arrivals.take(self.office.connector, events)
        await self.product.runtime.settled()

    async def answers(self, text="It is on its way.", key="k-1", **fields):
        row = await self.replies.ask(AGENT, KEY, Ask(text=text, **fields), key)
        await self.outbox.step()
        await self.product.runtime.settled()
        return await self.product.store.reply(row.id)

    async def losses(self):
        return [one for one in await self.product.anomalies() if one.kind == "loss"]

    async def shown(self):
        return (await self.product.store.messages(KEY, 50)).items


@pytest.fixture
async def shop(data_dir):
    product = Product(data_dir)
    await product.start()
    opened = Shop(product)
    sender = Sender(id="u1", name="Li Wei", role="customer")
    asked = Message(**CHANNEL, message="m1", sent_at=opened.now(), direction="in", sender=sender, text="where is it?")
    await opened.hears(asked)
    yield opened
    await product.stop()


async def test_a_reply_whose_answer_was_lost_is_shown_once_with_its_whole_fate(shop):
    """AT-23: the echo comes under the platform's id, the customer reads it and quotes it."""
    shop.office.plays(UncertainError("no answer"))
    row = await shop.answers()
    assert row.state == "unknown"
    shown = echo("p1", shop.now(), "It is on its way.")
    for _ in range(2):
        await shop.hears(shown, taken(shown))
    await shop.hears(Receipt(**CHANNEL, message="p1", status="read", event="p1/read"))
    sender = Sender(id="u1", role="customer")
    quoting = Message(**CHANNEL, message="m2", sent_at=shop.now(), direction="in", sender=sender, reply_to="p1")
    await shop.hears(quoting)
    messages = await shop.shown()
    assert [(one.message, one.direction, one.reply_to) for one in messages] == [
        ("m1", "in", None),
        (row.id, "out", None),
        ("m2", "in", row.id),
    ]
    assert {"accepted", "read"} <= messages[1].hops.keys()
    assert await shop.product.anomalies() == []
    assert "answered" in messages[0].hops


async def test_a_refused_reply_is_a_loss_with_the_platforms_reason_and_a_resend_that_is_read_resolves_it(shop):
    shop.office.plays(RefusedError("re-engagement message", "131047"))
    row = await shop.answers()
    [loss] = await shop.losses()
    assert (loss.kind, loss.status, loss.message) == ("loss", "open", row.id)
    assert loss.evidence["reason"] == "re-engagement message"
    again = await shop.answers(key="k-2", resend_of=row.id)
    assert again.state == "sent"
    await shop.hears(Receipt(**CHANNEL, message=again.platform_message, status="delivered", event="d1"))
    [loss] = await shop.losses()
    assert (loss.status, loss.resolution) == ("resolved", "resent")


async def test_a_refused_reply_that_is_delivered_after_a_retry_is_lost_no_longer(shop):
    shop.office.plays(RefusedError("shop is closed"))
    row = await shop.answers()
    await shop.replies.retry(AGENT, row.id)
    await shop.outbox.step()
    row = await shop.product.store.reply(row.id)
    await shop.hears(Receipt(**CHANNEL, message=row.platform_message, status="delivered", event="d1"))
    [loss] = await shop.losses()
    assert (loss.status, loss.resolution) == ("resolved", "delivered")
    assert len(await shop.shown()) == 2


async def test_a_status_that_overtakes_the_answer_fails_the_reply(shop):
    """AT-26: the platform says `failed` before its own answer to the sending has come."""
    office = shop.office

    async def fails_first():
        await shop.hears(Receipt(**CHANNEL, message="p1", status="failed", event="f1"))
        return Sent(message="p1")

    office.plays(fails_first)
    row = await shop.answers()
    [loss] = await shop.losses()
    assert (loss.message, loss.status) == (row.id, "open")
    assert [one.message for one in await shop.shown()] == ["m1", row.id]
