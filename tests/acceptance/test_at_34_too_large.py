"""AT-34: a reply that is too large is refused when it is asked for, or fails where people see it; it is not retried."""

import asyncio
import os
import re
from email.utils import formatdate

import pytest

from tests.acceptance.mailroom import now_ms, puts
from tests.connectors.mailing import CUSTOMER, until, written
from tests.services import smtp

pytestmark = pytest.mark.services
MIB = 2**20


@pytest.fixture
def buyer(imap_server, smtp_server, look_into):
    smtp_server.mailbox(CUSTOMER)
    return look_into(imap_server, CUSTOMER)


@pytest.fixture
def roomy(imap_server, smtp_server, monkeypatch):  # noqa: ARG001 # whose packages it needs
    """The same mail server after its limit was raised."""
    monkeypatch.setattr(smtp, "MOST_BYTES", 40 * MIB)
    with smtp.running(imap_server.mails) as server:
        server.mailbox(CUSTOMER)
        yield server


class Reticent:
    """A way to a mail server that leaves out what the server says of its limit; `mails`: how many it was handed."""

    def __init__(self, port):
        self._port, self.mails = port, 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        inside, outside = await asyncio.open_connection("127.0.0.1", self._port)

        async def answers():
            while line := await inside.readline():
                if not re.match(rb"250.SIZE|250.CHUNKING|250.PIPELINING", line):
                    writer.write(line)
                self.mails += line.startswith(b"354")
            writer.close()

        coming = asyncio.ensure_future(answers())
        while data := await reader.read(65_536):
            outside.write(data)
            await outside.drain()
        outside.close()
        await asyncio.gather(coming, return_exceptions=True)


async def uploaded(room, size, name="photos.zip", content=None):
    """A file that is kept to be sent with a reply."""
    content = os.urandom(size) if content is None else content
    answer = await room.weir.post("/api/v1/files", params={"name": name}, content=content, timeout=60)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return {"digest": told["digest"], "name": told["name"], "mime": told["mime"]}


async def asked(shop, look_into):
    """A customer writes; the conversation's name."""
    await puts(look_into(shop.room.imap, shop.address), written("Photos?", to=shop.address))
    (question,) = await shop.has("Photos?")
    return question["conversation"]


def arrived(reply):
    """A report that a reply was delivered."""
    return (
        "From: Mail System <postmaster@example.com>\nTo: shop@shop.example\nSubject: delivered\n"
        f"Date: {formatdate()}\nMessage-ID: <report@example.com>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nDelivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; example.com\n\n"
        f"Final-Recipient: rfc822; {CUSTOMER}\nAction: delivered\nStatus: 2.0.0\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{reply}@shop.example>\n\n--b--\n"
    ).encode()


async def closed(shop, conversation):
    action = {"type": "action", "platform": "email", "account": shop.account, "conversation": conversation}
    told = await shop.room.weir.post("/api/v1/events", json=[{**action, "what": "closed", "at": now_ms()}])
    assert told.json()["rejected"] == [], told.text

    async def so():
        return (await shop.conversation(conversation))["status"] == "closed"

    await until(so, "the conversation is closed")


async def test_what_the_channel_cannot_send_is_refused_with_figures_before_anything_is_sent(mailroom, buyer, look_into):
    """28 MB where a mail may have 25: 422 with the reply's size, the channel's limit, and what to do; nothing is in the
    outbox, nothing in the conversation, nothing at the customer's.
    """
    shop = await mailroom.opens()
    conversation = await asked(shop, look_into)
    before = buyer.count()
    file = await uploaded(mailroom, 28 * MIB)
    answer = await shop.reply(conversation, "Here they are.", files=[file])
    assert answer.status_code == 422, answer.text
    (objection,) = answer.json()["objections"]
    assert objection["code"] == "file_too_large"
    assert "compressed" not in objection["figures"], "what is random does not become smaller"
    assert objection["figures"]["bytes"] == 28 * MIB
    assert 17 * MIB < objection["figures"]["most"] < 25 * MIB
    assert "MB" in objection["text"]
    assert await shop.outbox() == []
    assert [row["direction"] for row in await shop.rows()] == ["in"]
    assert buyer.count() == before


async def test_the_refusal_tells_what_the_file_would_have_compressed_and_that_goes_when_it_is_accepted(
    mailroom, roomy, buyer, look_into
):
    """28 MB of a table that compresses to about a third: the figure offered is the size of what is sent then."""
    shop = await mailroom.opens()
    certificate = f"{shop.settings['certificate']}\n{roomy.certificate.read_text().strip()}"
    await shop.bind(smtp_port=str(roomy.tls_port), smtp_security="tls", certificate=certificate)
    conversation = await asked(shop, look_into)
    before = buyer.count()
    line = b",".join(b"%d" % number for number in range(1_000)) + b"\n"
    noise = os.urandom(9 * MIB).hex().encode()
    table = (line * (10 * MIB // len(line)) + noise)[: 28 * MIB]
    file = await uploaded(mailroom, len(table), "orders.csv", table)
    refused = await shop.reply(conversation, "Here they are.", files=[file])
    assert refused.status_code == 422, refused.text
    (objection,) = refused.json()["objections"]
    offered = objection["figures"]["compressed"]
    assert 8 * MIB < offered < 14 * MIB
    assert f"{offered / MIB:.3g} MB" in objection["text"]
    assert await shop.outbox() == []
    accepted = await shop.reply(conversation, "Here they are.", files=[file], compress=True)
    assert accepted.status_code == 202, accepted.text
    reply = accepted.json()["message"]
    (sent,) = (await shop.outgoing(reply, "sent"))["files"]
    assert (sent["name"], sent["mime"], sent["size"]) == ("orders.csv.zip", "application/zip", offered)
    await until(lambda: buyer.count() == before + 1, "the customer has it")


async def test_what_the_server_refuses_for_good_fails_in_sight_and_leaves_once_it_is_mended(
    mailroom, smtp_server, roomy, buyer, look_into
):
    """The server takes the mail and answers 552: one attempt and no other, the conversation is open again, the loss is
    critical, and the reply is listed as failed with the server's words. When the server takes more, the same reply goes
    out by a retry, once. That a server took it does not yet end the loss; a report that it was delivered does.
    """
    async with Reticent(smtp_server.port) as way:
        shop = await mailroom.opens(smtp_port=str(way.port), smtp_security="none")
        conversation = await asked(shop, look_into)
        before = buyer.count()
        file = await uploaded(mailroom, 3 * MIB)
        await closed(shop, conversation)
        answer = await shop.reply(conversation, "Here they are.", files=[file])
        assert answer.status_code == 202, answer.text
        reply = answer.json()["message"]
        await shop.outgoing(reply, "failed")

        async def reopened():
            return (await shop.conversation(conversation))["status"] == "open"

        await until(reopened, "the conversation is open again")

        async def lost():
            return await shop.anomalies("loss")

        (loss,) = await until(lost, "the loss is told")
        assert (loss["severity"], loss["status"], loss["message"]) == ("critical", "open", reply)
        (row,) = await shop.outbox("failed")
        assert (row["id"], row["code"], row["attempts"]) == (reply, "552", 1)
        assert "552" in row["reason"]
        await puts(look_into(mailroom.imap, shop.address), written("And?", to=shop.address))
        await shop.has("And?")
        assert (way.mails, (await shop.outbox("failed"))[0]["attempts"], buyer.count()) == (1, 1, before)

    certificate = f"{shop.settings['certificate']}\n{roomy.certificate.read_text().strip()}"
    await shop.bind(smtp_port=str(roomy.tls_port), smtp_security="tls", certificate=certificate)
    where = {"platform": "email", "account": shop.account}
    again = await mailroom.weir.post("/api/v1/outbox/retry", json={**where, "code": "552"})
    assert again.status_code == 200, again.text
    assert again.json() == {
        "items": [{"reply": reply, "outcome": "queued", "reason": None, "objections": []}],
        "left": 0,
    }
    assert (await shop.outgoing(reply, "sent"))["attempts"] == 2
    await until(lambda: buyer.count() == before + 1, "the customer has it")

    assert await shop.outbox("failed") == []

    await puts(look_into(mailroom.imap, shop.address), arrived(reply))

    async def over():
        return [(one["status"], one["resolution"]) for one in await lost() if one["status"] != "open"]

    assert await until(over, "the loss is over") == [("resolved", "delivered")]
