"""Replies by mail leave the outbox once: what a lost server may have sent is looked for, and never sent blindly."""

from __future__ import annotations

from time import time

import pytest

from actors.events import Message, Receipt, Sender
from connectors.email.connector import Email
from connectors.email.reading import Place
from services.arrivals.mail_threads import MailThreads
from services.replies.events import message_of
from services.replies.outbox import Outbox
from storage.channel_records import ReplyRow
from tests.connectors.mailing import CUSTOMER, Box, Clock, bound, settings_of, until
from tests.connectors.test_email_servers import swallowing
from tests.services_layer.bazaar import Town2

pytestmark = pytest.mark.services
TEXT = "It was sent today."


@pytest.fixture
async def town(data_dir):
    made = Town2(data_dir)
    made.now = int(time() * 1000)
    await made.open()
    made.parts()
    yield made
    await made.apis.close()
    await made.close()


@pytest.fixture
def settings(imap_server, smtp_server):
    smtp_server.mailbox(CUSTOMER)
    return settings_of(imap_server, smtp_server)


@pytest.fixture
def box(imap_server, settings):
    made = Box(imap_server, settings["address"])
    yield made
    made.close()


@pytest.fixture
def buyer(imap_server, settings):  # noqa: ARG001 # their mailbox is made there
    made = Box(imap_server, CUSTOMER)
    yield made
    made.close()


def bind(town, settings):
    connector = bound(settings, kind=Email.with_threads(MailThreads(town.store)))
    town.connectors[("email", "shop")] = connector
    town.created[("email", "shop")] = town.now
    return connector


def outbox(town):
    clock = Clock()
    clock.now = town.clock
    return Outbox(town.store, town.gateway, town.connector, lambda _: clock, who="test", now=town.clock)


async def ask(town, number=1):
    """A customer wrote, and was answered."""
    asked = Message(
        platform="email",
        account="shop",
        at=town.now,
        conversation="mail-7",
        message="q@example.com",
        sent_at=town.now - 1_000,
        direction="in",
        sender=Sender(id=CUSTOMER, role="customer"),
        text="When?",
        extra={"subject": "My order", "message_id": "q@example.com"},
    )
    await town.tell(asked)
    row = ReplyRow(
        id=f"weir-{number:032x}",
        key="email/shop/mail-7",
        platform="email",
        account="shop",
        conversation="mail-7",
        who="ada",
        at=town.now,
        due_at=town.now,
        idempotency_key=f"k{number}",
        digest="d",
        state="queued",
        text=TEXT,
    )
    await town.store.add_reply(row)
    await town.gateway.submit([message_of(row, town.now)])
    return row.id


async def test_a_reply_goes_out_once_in_its_thread(town, settings, buyer):
    bind(town, settings)
    before = buyer.count()
    reply = await ask(town)
    sending = outbox(town)
    await sending.step()
    row = await town.store.reply(reply)
    assert (row.state, row.platform_message) == ("sent", f"{reply}@shop.example")
    await until(lambda: buyer.count() == before + 1, "it arrives")
    assert b"In-Reply-To: <q@example.com>" in buyer.mails()[-1]
    await sending.step()
    assert buyer.count() == before + 1


async def test_what_a_lost_server_kept_among_the_sent_mails_counts_as_sent(town, settings, smtp_server, buyer, box):
    before = buyer.count()
    async with swallowing(smtp_server.port) as port:
        lossy = {"smtp_port": str(port), "smtp_security": "none", "keeps_sent": "yes"}
        bind(town, settings | lossy)
        reply = await ask(town, 2)
        sending = outbox(town)
        await sending.step()
        assert (await town.store.reply(reply)).state == "unknown"
        await until(lambda: buyer.count() == before + 1, "it went out all the same")
        box.put(buyer.mails()[-1], "Sent")  # as a server does that keeps what is sent
        for _ in range(3):
            await town.pass_by(61_000)
            await sending.step()
    row = await town.store.reply(reply)
    assert (row.state, row.platform_message) == ("sent", f"{reply}@shop.example")
    assert buyer.count() == before + 1
    assert any(isinstance(line, Receipt) and line.message == reply for line in town.lines)


async def test_what_is_not_found_stays_in_doubt_and_is_not_sent_again(town, settings, smtp_server, buyer):
    before = buyer.count()
    async with swallowing(smtp_server.port) as port:
        bind(town, settings | {"smtp_port": str(port), "smtp_security": "none"})
        reply = await ask(town, 3)
        sending = outbox(town)
        await sending.step()
        await until(lambda: buyer.count() == before + 1, "it went out all the same")
        for _ in range(4):
            await town.pass_by(61_000)
            await sending.step()
    assert (await town.store.reply(reply)).state == "unknown"
    assert buyer.count() == before + 1


async def test_a_reply_that_does_not_arrive_fails_with_the_servers_reason(town, settings, box):
    shop = bind(town, settings)
    reply = await ask(town, 4)
    box.put(
        b"From: Mailer-Daemon@mx.example\r\nSubject: failed\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
        b"Message-ID: <dsn@mx.example>\r\nX-Failed-Recipients: x@y.example\r\n\r\n550 5.1.1 no such user\r\n\r\n"
        b"Message-ID: <" + reply.encode() + b"@shop.example>\r\n"
    )
    reader = shop.reader()
    parsed = [one for raw in box.mails() for one in await reader.read(raw, Place())]
    await town.arrivals.take(shop, parsed)
    failed = [line for line in town.lines if isinstance(line, Receipt) and line.status == "failed"]
    assert [(line.message, line.conversation, line.error.code) for line in failed] == [(reply, "mail-7", "5.1.1")]
