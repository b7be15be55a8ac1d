"""AT-22: one mail to two mailboxes is in both; what a mailing list delivers once more is not."""

import asyncio
import smtplib
import ssl

import pytest

from tests.acceptance.mailroom import now_ms, puts
from tests.connectors.mailing import CUSTOMER, until, written

pytestmark = pytest.mark.services
TEXT = "Where is my parcel?"


async def deliver(server, raw, *to):
    """Through the mail server, as mail comes."""

    def work():
        trusted = ssl.create_default_context(cadata=server.certificate.read_text())
        with smtplib.SMTP_SSL(server.host, server.tls_port, context=trusted) as link:
            link.login(CUSTOMER, server.password)
            link.sendmail(CUSTOMER, to, raw)

    await asyncio.to_thread(work)


async def test_each_mailbox_has_one_copy_and_tells_of_the_other(mailroom, imap_server, smtp_server, look_into):
    """To one mailbox, Cc to another; a list delivers it to the first once more, with lines of its own in its head. Each
    mailbox has one, whoever reads the one that came last sees in which channel the same mail is, and the list's copy is
    counted as a duplicate.
    """
    one = await mailroom.opens("one")
    other = await mailroom.opens("other")
    named = {"to": one.address, "Cc": other.address, "Message_ID": "<both@example.com>", "Subject": "Order 7"}
    raw = written(TEXT, at=now_ms(), **named)
    await deliver(smtp_server, raw, one.address, other.address)
    for mailbox in (one, other):
        await mailbox.has(TEXT)
    listed = b"List-Id: <shops.lists.example>\nSender: shops-bounces@lists.example\nPrecedence: list\n" + raw
    await deliver(smtp_server, listed, one.address)
    box = look_into(imap_server, one.address)
    await until(lambda: box.count() == 2, "the list delivers it")
    await one.reads_on()
    await one.balances(accepted=2, stored=1, duplicates=1)
    await other.balances(accepted=1, stored=1)
    rows = [row for mailbox in (one, other) for row in await mailbox.rows()]
    assert [(row["text"], row["message"]) for row in rows] == [(TEXT, "both@example.com")] * 2
    siblings = [row["extra"].get("siblings", []) for row in rows]
    assert siblings in ([["email/other"], ["email/one"]], [[], ["email/one"]], [["email/other"], []])


async def test_a_mail_to_oneself_is_one_conversation(mailroom, imap_server, look_into):
    """It lies among the sent mails and in the inbox, under one id: one message in one conversation. What is written to
    oneself on from there stays in it.
    """
    shop = await mailroom.opens()
    box = look_into(imap_server, shop.address)
    first = written("to myself", sender=shop.address, to=shop.address, Message_ID="<self@shop.example>")
    await asyncio.to_thread(box.put, first, "Sent")
    await puts(box, first)
    await shop.has("to myself")
    again = written("and again", sender=shop.address, to=shop.address, In_Reply_To="<self@shop.example>")
    await puts(box, again)
    await shop.has("to myself", "and again")
    await shop.reads_on()
    # A mail among the sent ones is a message, and the receipt that it was sent.
    await shop.balances(accepted=4, stored=3, duplicates=1)
    rows = await shop.rows()
    assert [row["text"] for row in rows] == ["to myself", "and again"]
    assert len({row["conversation"] for row in rows}) == 1
