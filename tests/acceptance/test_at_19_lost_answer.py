"""AT-19: the mail server takes a reply and its answer is lost; the reply is not sent once more on a guess."""

import pytest

from services.replies import outbox, search
from tests.acceptance.mailroom import puts
from tests.connectors.mailing import CUSTOMER, written
from tests.connectors.test_email_servers import swallowing

pytestmark = pytest.mark.services
TEXT = "It was sent today."


@pytest.fixture
async def lossy(smtp_server):
    """A way to the mail server on which its answer to a whole mail is lost."""
    smtp_server.mailbox(CUSTOMER)
    async with swallowing(smtp_server.port) as port:
        yield {"smtp_port": str(port), "smtp_security": "none"}


@pytest.fixture
def buyer(imap_server, smtp_server, look_into):  # noqa: ARG001 # mail comes through the latter
    return look_into(imap_server, CUSTOMER)


def copies(buyer, reply):
    """How many of a reply the customer has."""
    return sum(f"Message-ID: <{reply}@shop.example>".encode() in mail for mail in buyer.mails())


async def asked(shop, look_into):
    """A customer writes and is answered; the reply's id, once nobody knows whether it went out."""
    await puts(look_into(shop.room.imap, shop.address), written("When?", to=shop.address, Subject="Order 7"))
    (question,) = await shop.has("When?")
    answer = await shop.reply(question["conversation"], TEXT)
    assert answer.status_code == 202, answer.text
    reply = answer.json()["message"]
    row = await shop.outgoing(reply, "unknown")
    assert (row["attempts"], row["code"]) == (1, "uncertain")
    return reply


async def test_what_lies_among_the_sent_mails_was_sent(mailroom, lossy, buyer, look_into):
    """The server has it and nobody knows: `unknown`, and it stays so. As soon as it is found among the sent mails it
    is `sent`, under the Message-ID that it went out with, and the customer has it once.
    """
    shop = await mailroom.opens(keeps_sent="yes", **lossy)
    reply = await asked(shop, look_into)
    (mail,) = [mail for mail in buyer.mails() if reply.encode() in mail]
    box = look_into(mailroom.imap, shop.address)
    box.put(mail, "Sent")
    row = await shop.outgoing(reply, "sent")
    assert (row["attempts"], row["platform_message"]) == (1, f"{reply}@shop.example")
    await puts(box, written("Thank you!", to=shop.address))
    await shop.has("Thank you!")
    await shop.reads_on()
    assert [one["message"] for one in await shop.rows() if one["direction"] == "out"] == [reply]
    assert copies(buyer, reply) == 1
    assert await shop.anomalies("loss") == []


async def test_what_is_found_nowhere_waits_for_a_person_and_is_never_there_three_times(
    mailroom, lossy, buyer, look_into, monkeypatch
):
    """The server keeps no copy. It is looked for twice, a minute apart (here seconds), and then a person is asked:
    retrying without looking is refused; one who is sure gets the same mail sent once more, under the same Message-ID.
    That answer is lost as well: again nothing is sent by itself, and the customer has two copies and never more.
    """
    monkeypatch.setattr(search, "SECOND_MS", 6_000)
    monkeypatch.setattr(outbox, "CHORES_MS", 500)
    shop = await mailroom.opens(keeps_sent="yes", **lossy)
    reply = await asked(shop, look_into)
    row = await shop.outgoing(reply, "unknown", code="not_found")
    assert (row["attempts"], copies(buyer, reply)) == (1, 1)
    assert "look for it" in row["reason"]
    unsure = await mailroom.weir.post(f"/api/v1/outbox/{reply}/retry", json={})
    assert unsure.status_code == 409
    sure = await mailroom.weir.post(f"/api/v1/outbox/{reply}/retry", json={"sure": True})
    assert sure.status_code == 200, sure.text
    row = await shop.outgoing(reply, "unknown", code="not_found")
    assert (row["attempts"], copies(buyer, reply)) == (2, 2)
    settled = await mailroom.weir.post(f"/api/v1/outbox/{reply}/settle", json={"sent": True})
    assert settled.status_code == 200, settled.text
    assert (await shop.outgoing(reply, "sent"))["attempts"] == 2
    assert copies(buyer, reply) == 2
