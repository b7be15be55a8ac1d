"""A mailbox on real servers: read without a trace, answered once, its history, its reports, its files."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from email import message_from_bytes
from email.message import EmailMessage
from time import time

import pytest

from actors.events import Message, Receipt
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.history import Window
from connectors.contract.outgoing import Outgoing, OutgoingFile
from connectors.email.imap import Session
from connectors.email.line import connected
from connectors.email.threads import Held, NoThreads
from tests.connectors.mailing import CUSTOMER, Box, Clock, bound, settings_of, until, written

pytestmark = pytest.mark.services
HOUR = 3_600_000


@pytest.fixture
def settings(imap_server, smtp_server):
    return settings_of(imap_server, smtp_server)


@pytest.fixture
def shop(settings):
    return bound(settings)


@pytest.fixture
def box(imap_server, settings):
    made = Box(imap_server, settings["address"])
    yield made
    made.close()


@pytest.fixture
def buyer(imap_server, smtp_server):
    smtp_server.mailbox(CUSTOMER)
    made = Box(imap_server, CUSTOMER)
    yield made
    made.close()


def reply(**more):
    given = {"id": "weir-1", "conversation": "mail-1", "at": int(time() * 1000), "text": "sent today", **more}
    return Outgoing(**({"recipient": CUSTOMER} | given))


async def everything(shop, *, conversation=None, span=24 * HOUR):
    now = int(time() * 1000)
    window = Window(since=now - span, until=now + HOUR, conversation=conversation)
    return [one async for page in shop.history(window, Clock()) for one in page]


async def test_reading_leaves_no_trace_in_the_mailbox(shop, box):
    box.put(written("where is my parcel?"))
    box.put(written("still nothing"))
    found = await everything(shop)
    assert [one.text for one in found] == ["where is my parcel?", "still nothing"]
    assert box.seen() == []


async def test_history_keeps_to_its_window_and_conversation(shop, box):
    now = int(time() * 1000)
    box.put(written("long ago", at=now - 3 * HOUR, Message_ID="<old@example.com>"))
    box.put(written("just now", Message_ID="<new@example.com>"))
    found = await everything(shop, span=2 * HOUR)
    assert [one.message for one in found] == ["new@example.com"]
    (alone,) = await everything(shop, conversation=found[0].conversation)
    assert alone.message == "new@example.com"


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
async def test_a_mailbox_is_reached_in_every_way(imap_server, smtp_server, security):
    ports = {
        "imap_port": str(imap_server.tls_port if security == "tls" else imap_server.port),
        "smtp_port": str(smtp_server.tls_port if security == "tls" else smtp_server.port),
        "smtp_security": "tls" if security == "tls" else "starttls",
    }
    found = bound(settings_of(imap_server, smtp_server) | ports | {"imap_security": security})
    probe = await found.probe(Clock())
    assert (probe.auth, probe.subscription) == ("ok", "active")
    assert "INBOX" in probe.detail
    assert "at once" in probe.detail


async def test_a_wrong_password_is_an_answer_that_does_not_repeat_it(settings):
    probe = await bound(settings | {"password": "wrong-password"}).probe(Clock())
    assert probe.auth == "expired"
    assert "wrong-password" not in probe.detail


async def test_a_server_that_nobody_vouches_for_is_not_signed_in_to(settings):
    with pytest.raises(UnreachableError, match="certificate"):
        await bound(settings | {"certificate": ""}).probe(Clock())


async def test_a_folder_that_is_not_there_is_named(settings):
    with pytest.raises(RefusedError, match="Nowhere"):
        await bound(settings | {"junk_folder": "Nowhere"}).probe(Clock())


async def test_junk_is_read_where_it_is_wanted(settings, box):
    box.put(written("buy now"), "Junk")
    assert await everything(bound(settings)) == []
    (found,) = await everything(bound(settings | {"junk_folder": "auto"}))
    assert found.extra["folder"] == "junk"


async def test_a_reply_arrives_in_its_thread_and_lies_among_the_sent_ones(shop, box, buyer):
    sent = await shop.send(
        reply(
            subject="Where is it?",
            thread=["a@example.com", "b@example.com"],
            reply_to="b@example.com",
            extra={"references": ["a@example.com"]},
            text="Sent today. 今天发货",
        ),
        Clock(),
    )
    assert sent.message == "weir-1@shop.example"
    await until(buyer.count, "the reply arrives")
    mail = message_from_bytes(buyer.mails()[-1])
    assert mail["Message-ID"] == "<weir-1@shop.example>"
    assert mail["In-Reply-To"] == "<b@example.com>"
    assert mail["References"] == "<a@example.com> <b@example.com>"
    assert mail["Subject"] == "Re: Where is it?"
    assert mail["Auto-Submitted"] == "no"
    assert mail.get_payload(decode=True).decode().strip() == "Sent today. 今天发货"
    assert box.count("Sent") == 1


async def test_what_was_sent_comes_back_as_ours_with_its_receipt(shop):
    await shop.send(reply(), Clock())
    found = await everything(shop)
    assert [type(one) for one in found] == [Message, Receipt]
    assert (found[0].direction, found[0].sender.role, found[0].message) == ("out", "agent", "weir-1@shop.example")
    assert (found[1].status, found[1].message) == ("accepted", "weir-1@shop.example")


async def test_a_reply_that_lies_among_the_sent_ones_is_not_sent_again(shop, buyer):
    before = buyer.count()
    asked = int(time() * 1000)
    await shop.send(reply(at=asked), Clock())
    await until(lambda: buyer.count() == before + 1, "the reply arrives")
    again = await shop.send(reply(at=asked), Clock(asked + HOUR))
    assert again.message == "weir-1@shop.example"
    assert await shop.has_sent("weir-1@shop.example")
    assert buyer.count() == before + 1


async def test_files_arrive_whole(shop, buyer):
    content = bytes(range(256)) * 40

    async def read():
        yield content[:5_000]
        yield content[5_000:]

    digest = hashlib.sha256(content).hexdigest()
    name = "Größe 尺寸.bin"
    file = OutgoingFile(name=name, mime="application/octet-stream", size=len(content), digest=digest, read=read)
    before = buyer.count()
    await shop.send(reply(files=[file]), Clock())
    await until(lambda: buyer.count() > before, "the reply arrives")
    (found,) = [part for part in message_from_bytes(buyer.mails()[-1]).walk() if part.get_filename()]
    assert found.get_payload(decode=True) == content


@pytest.mark.parametrize(
    ("recipient", "error", "code"),
    [("nobody@example.com", RefusedError, "550"), ("later@example.com", BusyError, None)],
)
async def test_what_the_server_refuses_is_refused_and_what_it_puts_off_is_put_off(shop, box, recipient, error, code):
    with pytest.raises(error) as refused:
        await shop.send(reply(recipient=recipient), Clock())
    assert getattr(refused.value, "code", None) == code
    assert box.count("Sent") == 0


async def test_a_mail_too_large_for_the_server_is_never_handed_over(shop, box):
    with pytest.raises(RefusedError, match=r"takes 2 MB") as refused:
        await shop.send(reply(text="x" * 3_000_000), Clock())
    assert refused.value.code == "552"
    assert box.count("Sent") == 0


async def test_a_wrong_password_for_sending_is_denied(settings):
    with pytest.raises(DeniedError):
        await bound(settings | {"password": "wrong-password"}).send(reply(), Clock())


async def test_a_server_that_is_not_there_has_sent_nothing(settings):
    with pytest.raises(UnreachableError):
        await bound(settings | {"smtp_port": "1"}).send(reply(), Clock())


async def test_a_server_lost_after_the_whole_mail_leaves_it_uncertain(settings, smtp_server, buyer, box):
    before = buyer.count()
    async with swallowing(smtp_server.port) as port:
        lossy = bound(settings | {"smtp_port": str(port), "smtp_security": "none"})
        with pytest.raises(UncertainError):
            await lossy.send(reply(id="weir-uncertain"), Clock())
    await until(lambda: buyer.count() == before + 1, "it went out all the same")
    assert box.count("Sent") == 0


class swallowing:  # noqa: N801 # used like a function
    """A way to a mail server on which its answer to a whole mail is lost; TLS and signing in are left out."""

    def __init__(self, port):
        self._port = port

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        inside, outside = await asyncio.open_connection("127.0.0.1", self._port)
        whole = False

        async def onwards():
            nonlocal whole
            seen = b""
            while data := await reader.read(65_536):
                seen = (seen + data)[-5:]
                whole = whole or seen == b"\r\n.\r\n"
                outside.write(data)

        going = asyncio.ensure_future(onwards())
        while (data := await inside.read(65_536)) and not whole:
            writer.write(data)
        for one in (writer, outside):
            one.close()
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)


async def test_a_report_that_a_reply_did_not_arrive_is_its_receipt(shop, box):
    await shop.send(reply(recipient="gone@example.com", id="weir-lost"), Clock())
    await until(box.count, "the report comes back")

    class Known(NoThreads):
        async def held(self, _platform, _account, mail):
            return Held(message="weir-lost", conversation="mail-7") if mail == "weir-lost@shop.example" else None

    known = bound(dict(shop.binding.settings), kind=type(shop).with_threads(Known()))
    found = [one for one in await everything(known) if getattr(one, "status", None) == "failed"]
    assert [(one.message, one.conversation) for one in found] == [("weir-lost", "mail-7")]
    assert "no such person" in found[0].error.reason
    (told,) = [one for one in await everything(known) if isinstance(one, Message) and one.direction == "in"]
    assert (told.sender.role, told.extra["automatic"], told.conversation) == ("system", "bounce", "mail-7")


async def test_a_file_is_fetched_out_of_its_mail_again(shop, box):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = CUSTOMER, "shop@shop.example", "<photo@example.com>"
    mail["Date"] = "Sun, 22 Nov 2026 10:00:00 +0000"
    mail.set_content("see the photo")
    mail.add_attachment(b"\x89PNG photo", maintype="image", subtype="png", filename="photo.png")
    box.put(mail.as_bytes())
    (message,) = [one for one in await everything(shop, span=400 * 24 * HOUR) if isinstance(one, Message)]
    (attachment,) = message.attachments
    assert (attachment.id, attachment.kind, attachment.size) == ("2", "image", 10)
    assert message.extra["files"]["2"]["name"] == "photo.png"
    assert await shop.content(attachment, Clock()) == b"\x89PNG photo"
    assert await shop.locate(attachment, Clock()) is None


async def test_a_mail_without_an_id_is_found_again_by_its_place(shop, box):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Date"] = CUSTOMER, "shop@shop.example", "Sun, 22 Nov 2026 10:00:00 +0000"
    mail.set_content("no id")
    mail.add_attachment(b"data", maintype="application", subtype="pdf", filename="a.pdf")
    box.put(mail.as_bytes())
    (message,) = [one for one in await everything(shop, span=400 * 24 * HOUR) if isinstance(one, Message)]
    assert message.message.startswith("mail-")
    assert await shop.content(message.attachments[0], Clock()) == b"data"


async def test_waiting_ends_when_a_mail_comes(shop, box):
    async with connected(shop.mail) as line:
        assert line.idles
        await line.run(Session.open, "INBOX")
        waiting = asyncio.ensure_future(line.wait(60))
        await until(lambda: threading.active_count() and not waiting.done(), "it waits")
        await asyncio.to_thread(box.put, written("now"))
        assert await asyncio.wait_for(waiting, 30) is True


async def test_a_server_that_hangs_is_left_in_time(shop, monkeypatch):
    silent = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr("connectors.email.imap.TIMEOUT_S", 0.2)
    hung = bound(dict(shop.binding.settings) | {"imap_port": str(silent.getsockname()[1])})
    try:
        with pytest.raises(UnreachableError):
            await hung.probe(Clock())
    finally:
        silent.close()


async def test_a_cancelled_wait_lets_go_of_its_connection(shop):
    async with connected(shop.mail) as line:
        await line.run(Session.open, "INBOX")
        waiting = asyncio.ensure_future(line.wait(60))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(UnreachableError):
            await line.run(Session.open, "INBOX")
